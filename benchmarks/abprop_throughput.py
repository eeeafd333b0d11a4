"""Training throughput of AbProp beside `nn.TransformerEncoder`, in real residues per second.

Both train on the same antibodies (`pooled_open`, 80 to 160 residues, `numbered` labels computed once), with the
same width, heads, layers and feed-forward width, the same three heads and losses, as many sequences a batch, AdamW,
and clipping by norm. The peer is written as one would write it: random batches padded to their longest sequence,
`nn.TransformerEncoder` with a padding mask, every token decoded, a loss that ignores what is not masked, torch's
defaults everywhere. Ours is the study as `probatum launch abprop` runs it, metrics of the training log included.
Padding, `<bos>` and `<eos>` do not count.

The models take turns and ratios are taken within a round. Seconds are processor seconds of the one thread; wall
clock stands beside them. `ours_by_mkl` is ours with torch's own matrix products in place of oneDNN's: what the
other changes give alone, and what to expect of a processor on which MKL is as fast.

    PROBATUM_DATA=data python -m benchmarks.abprop_throughput
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, mse_loss

from benchmarks.measurement import save, spread

SIZES = {"default": (40, 150), "paper": (2, 6)}  # steps a round, steps of warm-up
PRODUCTS = ("mm", "addmm", "bmm", "_linear_pointwise", "flash_attention")
Step = Callable[[], int]  # one optimiser step; returns how many real residues it saw


class Peer(nn.Module):
    """An encoder with three heads, of torch's own modules."""

    def __init__(self, parameters: Any, rate_count: int) -> None:
        """Build it with the sizes of `parameters`."""
        super().__init__()
        p = parameters
        self.tokens = nn.Embedding(25, p.d_model)
        self.places = nn.Embedding(p.max_position_embeddings, p.d_model)
        self.dropout = nn.Dropout(p.dropout)
        layer = nn.TransformerEncoderLayer(
            p.d_model, p.nhead, p.dim_feedforward, p.dropout, batch_first=True, norm_first=p.norm_first
        )
        self.encoder = nn.TransformerEncoder(
            layer, p.num_layers, norm=nn.LayerNorm(p.d_model), enable_nested_tensor=False
        )
        self.residue_norm = nn.LayerNorm(p.d_model)
        self.residue_bias = nn.Parameter(torch.zeros(25))
        self.cdr_head = nn.Linear(p.d_model, 2)
        self.rate_head = nn.Linear(p.d_model, rate_count)
        for embedding in (self.tokens, self.places):
            nn.init.normal_(embedding.weight, std=0.02)

    def forward(self, ids: Tensor, is_residue: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits of every token `(B, T, 25)`, of its region `(B, T, 2)`, and the rates `(B, K)`."""
        stream = self.dropout(self.tokens(ids) + self.places(torch.arange(ids.shape[1])))
        hidden = self.encoder(stream, src_key_padding_mask=ids == 0)
        real = is_residue[..., None].float()
        mean = (hidden * real).sum(1) / real.sum(1)
        logits = linear(self.residue_norm(hidden), self.tokens.weight, self.residue_bias)
        return logits, self.cdr_head(self.dropout(hidden)), self.rate_head(self.dropout(mean))


def peer_step(p: Any, data: Any) -> Step:
    """Return the peer's training step."""
    split = data.splits["train"]
    model = Peer(p, len(data.facts["rate_names"])).train()
    optimizer = torch.optim.AdamW(model.parameters(), p.learning_rate, weight_decay=p.weight_decay)
    ends = [(start, start + length) for start, length in zip(split.starts, split.lengths, strict=True)]
    ids_of = [split.tokens[start:end] for start, end in ends]
    regions_of = [split.regions[start:end] for start, end in ends]
    padded = nn.utils.rnn.pad_sequence

    def batches() -> Iterator[Tensor]:
        while True:
            yield from (
                rows for rows in torch.randperm(split.count).split(p.batch_size) if len(rows) == p.batch_size
            )

    rows_of_batch = batches()

    def step() -> int:
        rows = next(rows_of_batch)
        ids = padded([ids_of[row] for row in rows], batch_first=True, padding_value=0)
        regions = padded([regions_of[row] for row in rows], batch_first=True, padding_value=-100)
        is_residue = regions >= 0
        chosen = is_residue & (torch.rand(ids.shape) < p.mlm_probability)
        draws, others = torch.rand(ids.shape), torch.randint(4, 24, ids.shape)
        seen = torch.where(draws < 0.8, 3, torch.where(draws < 0.9, others, ids))
        logits, cdr, rates = model(torch.where(chosen, seen, ids), is_residue)
        loss = (
            cross_entropy(logits.flatten(0, 1), torch.where(chosen, ids, -100).flatten())
            + cross_entropy(cdr.flatten(0, 1), torch.where(is_residue, (regions > 0).long(), -100).flatten())
            + mse_loss(rates, split.rates[rows])
        )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), p.gradient_clip)
        optimizer.step()
        return int(is_residue.sum())

    return step


def our_step(p: Any, data: Any) -> Step:
    """Return the study's training step: its batches, objective, clipping and optimiser."""
    from probatum.studies.abprop.study import AbProp
    from probatum.training.optimisation import make_optimizer

    study = AbProp()
    model = study.build_model(p, data).train()
    objective = study.build_objective(p, data)
    objective.start_epoch(1)
    optimizer = make_optimizer(p, model.parameters())
    order = torch.Generator().manual_seed(1)
    epochs = (data.splits["train"].batches(p.batch_size, order) for _ in itertools.count())
    batches = itertools.chain.from_iterable(epochs)

    def step() -> int:
        batch = next(batches)
        optimizer.zero_grad(set_to_none=True)
        objective(model, batch).total.backward()
        nn.utils.clip_grad_norm_(model.parameters(), p.gradient_clip)
        optimizer.step()
        return int(batch.residues.sum())

    return step


def by_mkl(step: Step) -> Step:
    """Return `step` with torch's own matrix products."""
    from probatum.studies.abprop import linear as module

    def run() -> int:
        kept, module._ONEDNN = module._ONEDNN, None
        try:
            return step()
        finally:
            module._ONEDNN = kept

    return run


def rate(step: Step, count: int) -> tuple[float, float]:
    """Return real residues per second of processor time, and of wall time, over `count` steps."""
    processor, wall = time.process_time(), time.perf_counter()
    residues = sum(step() for _ in range(count))
    return residues / (time.process_time() - processor), residues / (time.perf_counter() - wall)


def product_share(step: Step, count: int) -> float:
    """Return the share of a step's operator time that matrix products and attention take, in [0, 1]."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        for _ in range(count):
            step()
    times = {event.key: event.self_cpu_time_total for event in profile.key_averages()}
    products = sum(
        time for name, time in times.items() if any(part in name.split("::")[-1] for part in PRODUCTS)
    )
    return products / sum(times.values())


def measure(steps: dict[str, Step], size: str, rounds: int) -> dict[str, Any]:
    """Return each model's rates and our rate's ratio to the peer's, in rounds of random order."""
    count, warm_up = SIZES[size]
    for step in steps.values():
        rate(step, warm_up)  # oneDNN prepares a kernel for every new shape
    taken: list[dict[str, tuple[float, float]]] = []
    for number in range(rounds):
        order = list(steps)
        random.Random(number).shuffle(order)
        taken.append({name: rate(steps[name], count) for name in order})
        print(size, {name: round(processor) for name, (processor, _) in taken[-1].items()}, flush=True)
    figures: dict[str, Any] = {}
    for name in steps:
        figures[name] = {"product_share": product_share(steps[name], max(2, count // 10))}
        for clock, suffix in enumerate(("", "_by_wall_clock")):
            ratios = [rates[name][clock] / rates["peer"][clock] for rates in taken]
            figures[name][f"residues_per_second{suffix}"] = spread([rates[name][clock] for rates in taken])
            figures[name][f"over_peer{suffix}"] = spread(ratios)
    return figures


def main() -> None:
    """Measure both sizes, print, and write the result."""
    from probatum.studies.abprop.presets import PAPER
    from probatum.studies.abprop.study import AbProp

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", default="pooled_open")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    torch.set_num_threads(1)
    base = AbProp().load_defaults().model_copy(update={"dataset": arguments.dataset})
    data = AbProp().load_data(base)
    result: dict[str, Any] = {}
    for size in SIZES:
        changes = {**PAPER, "labels": base.model_dump()["labels"]} if size == "paper" else {}
        p: Any = base.model_copy(update=changes)
        torch.manual_seed(1)
        ours = our_step(p, data)
        steps = {"peer": peer_step(p, data), "ours": ours, "ours_by_mkl": by_mkl(our_step(p, data))}
        names = ("d_model", "nhead", "num_layers", "dim_feedforward", "dropout", "batch_size")
        result[size] = {
            "setting": {name: getattr(p, name) for name in names},
            "models": measure(steps, size, arguments.rounds),
        }
    setting = {
        "dataset": arguments.dataset, "sequences": data.splits["train"].count, "threads": 1,
        "rounds": arguments.rounds, "torch": torch.__version__,
    }  # fmt: skip
    path = save("abprop_throughput", {"setting": setting, "sizes": result}, load)
    for size, found in result.items():
        for name, figure in found["models"].items():
            own, ratio = figure["residues_per_second"], figure["over_peer"]
            print(
                f"{size:8} {name:12} {own['median']:8.0f} per processor second, {ratio['median']:.2f}x the peer "
                f"({ratio['lowest']:.2f}-{ratio['highest']:.2f}), products {figure['product_share']:.0%}"
            )
    print(path)


if __name__ == "__main__":
    main()
