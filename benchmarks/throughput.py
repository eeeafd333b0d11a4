"""Training throughput: GainAKT2Exp with all its constraints beside pyKT's AKT and SAKT.

All three train on the same windows (ASSISTments2015, training students of fold 0, windows of 200) at width
128, 2 blocks, 4 heads, batches of 64 windows and the same number of threads; feed-forward layers are as wide
as the model in all three, since SAKT's cannot be otherwise. Counted are real predicted
interactions per second of forward, backward and optimiser step; padding does not count. GainAKT2Exp takes
its batches and its objective as the study does; AKT and SAKT get windows padded to 200 in random order, as
pyKT feeds them, and pyKT's own loss and Adam. The models take turns; a ratio is taken within a round.

Seconds are processor seconds of the one thread, which other processes on the machine disturb least; wall
clock stands beside them. With more threads (`--threads`) waiting threads count as busy: give an idle machine.

pyKT is not installed with Probatum, its models' files are read unchanged from a folder::

    pip install --no-deps --target pykt pykt-toolkit==0.0.38
    PROBATUM_DATA=data python -m benchmarks.throughput --pykt-path pykt

The result is `benchmarks/results/throughput.json`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import itertools
import os
import random
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.measurement import save, spread

WIDTH, BLOCKS, HEADS, FEED_FORWARD, BATCH, WINDOW, DROPOUT = 128, 2, 4, 128, 64, 200, 0.2
FULL_CONSTRAINTS = 20  # an epoch in which every ramp has reached its weight
Step = Callable[[], int]  # one optimiser step; returns how many real interactions it predicted


def tracing(dataset: str) -> tuple[Any, Any]:
    """Return the study's parameters, scaled as stated above, and its data."""
    from probatum.parameters import load_defaults
    from probatum.studies.gainakt.data import load_tracing_data
    from probatum.studies.gainakt.study import GainAKT2Exp

    study = GainAKT2Exp
    given = load_defaults(study.parameters, study.defaults_path, study.defaults_section)
    scaled = {
        "d_model": WIDTH,
        "num_encoder_blocks": BLOCKS,
        "n_heads": HEADS,
        "d_ff": FEED_FORWARD,
        "batch_size": BATCH,
        "seq_len": WINDOW,
        "dropout": DROPOUT,
        "dataset": dataset,
    }
    parameters = study.parameters(**{**given.model_dump(), **scaled})
    return parameters, load_tracing_data(parameters)


def gainakt_step(parameters: Any, data: Any) -> Step:
    """Return the study's training step: its order of batches, objective, clipping and averaged weights."""
    from probatum.studies.gainakt.study import GainAKT2Exp
    from probatum.training.optimisation import averaged, make_optimizer

    study = GainAKT2Exp()
    model = study.build_model(parameters, data).train()
    objective = study.build_objective(parameters, data)
    objective.start_epoch(FULL_CONSTRAINTS)
    optimizer = make_optimizer(parameters, model.parameters())
    average = averaged(model, parameters.ema_decay)
    order = torch.Generator().manual_seed(1)
    epochs = (data.splits["train"].batches(BATCH, order) for _ in itertools.count())
    batches = itertools.chain.from_iterable(epochs)

    def step() -> int:
        optimizer.zero_grad(set_to_none=True)
        loss = objective(model, next(batches))
        loss.total.backward()
        nn.utils.clip_grad_norm_(model.parameters(), parameters.gradient_clip)
        optimizer.step()
        average.update_parameters(model)
        return loss.count

    return step


def padded_batches(split: Any) -> Iterator[Any]:
    """Yield batches of random windows, each padded to 200 as pyKT's loader does."""
    order = torch.Generator().manual_seed(1)
    while True:
        for chosen in torch.randperm(split.count, generator=order).split(BATCH):
            if len(chosen) == BATCH:
                batch = split.gather(chosen)
                missing = WINDOW - 1 - batch.mask.shape[1]
                pad = [nn.functional.pad(tensor, (0, missing)) for tensor in batch[:5]]
                yield type(batch)(*pad, *batch[5:])


def akt_step(data: Any) -> Step:
    """Return the training step of pyKT's AKT; the data have no question ids, so there is no Rasch part."""
    kind = importlib.import_module("pykt.models.akt").AKT
    model = kind(
        data.facts["num_concepts"],
        0,
        WIDTH,
        BLOCKS,
        DROPOUT,
        d_ff=FEED_FORWARD,
        num_attn_heads=HEADS,
        final_fc_dim=512,
    )

    def predict(batch: Any) -> tuple[Tensor, Any]:
        concepts = torch.cat([batch.concepts[:, :1], batch.next_concepts], dim=1)
        responses = torch.cat([batch.responses[:, :1], batch.next_responses], dim=1)
        scores, regularisation = model(concepts, responses)
        return scores[:, 1:], regularisation

    return pykt_step(model, predict, data)


def sakt_step(data: Any) -> Step:
    """Return the training step of pyKT's SAKT."""
    kind = importlib.import_module("pykt.models.sakt").SAKT
    model = kind(data.facts["num_concepts"], WINDOW, WIDTH, HEADS, DROPOUT, num_en=BLOCKS)
    return pykt_step(
        model, lambda batch: (model(batch.concepts, batch.responses, batch.next_concepts), 0.0), data
    )


def pykt_step(model: nn.Module, predict: Callable[[Any], tuple[Tensor, Any]], data: Any) -> Step:
    """Return a step with the loss and the optimiser of `pykt.models.train_model`."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    batches = padded_batches(data.splits["train"])
    model.train()

    def step() -> int:
        batch = next(batches)
        scores, regularisation = predict(batch)
        chosen = torch.masked_select(scores, batch.mask).double()
        targets = torch.masked_select(batch.next_responses, batch.mask).double()
        loss = nn.functional.binary_cross_entropy(chosen, targets) + regularisation
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return len(targets)

    return step


def open_pykt(folder: Path) -> str | None:
    """Import pyKT's model files and return its version; None where they are not there.

    The package's own start imports every model and loader with their dependencies, so an empty package with
    the same folder stands in for it; its `utils` names pandas and uses nothing of it.
    """
    if not (folder / "pykt" / "models" / "akt.py").is_file():
        return None
    for name, place in (("pykt", folder / "pykt"), ("pykt.models", folder / "pykt" / "models")):
        package = types.ModuleType(name)
        package.__path__ = [str(place)]
        sys.modules[name] = package
    stand_in = importlib.util.find_spec("pandas") is None
    if stand_in:
        sys.modules["pandas"] = types.ModuleType("pandas")
    for name in ("akt", "sakt"):
        importlib.import_module(f"pykt.models.{name}")
    if stand_in:
        del sys.modules["pandas"]
    found = [path.name for path in folder.glob("pykt_toolkit-*.dist-info")]
    return found[0].removeprefix("pykt_toolkit-").removesuffix(".dist-info") if found else "unknown"


def rate(step: Step, count: int) -> tuple[float, float]:
    """Return real interactions per second of processor time, and of wall time, over `count` steps."""
    processor, wall = time.process_time(), time.perf_counter()
    interactions = sum(step() for _ in range(count))
    return interactions / (time.process_time() - processor), interactions / (time.perf_counter() - wall)


def measure(steps: dict[str, Step], counts: dict[str, int], rounds: int) -> dict[str, Any]:
    """Return each model's rates and our rate's ratio to it, measured in rounds of random order."""
    for name, step in steps.items():
        rate(step, min(3, counts[name]))  # warm-up
    taken: list[dict[str, tuple[float, float]]] = []
    for number in range(rounds):
        order = list(steps)
        random.Random(number).shuffle(order)
        taken.append({name: rate(steps[name], counts[name]) for name in order})
        print({name: round(processor) for name, (processor, _) in taken[-1].items()}, flush=True)
    figures: dict[str, Any] = {name: {"steps_per_round": counts[name]} for name in steps}
    for name, figure in figures.items():
        for clock, suffix in enumerate(("", "_by_wall_clock")):
            theirs = [rates[name][clock] for rates in taken]
            ratios = [rates["gainakt2exp"][clock] / rates[name][clock] for rates in taken]
            figure[f"interactions_per_second{suffix}"] = spread(theirs)
            figure[f"ours_over_it{suffix}"] = spread(ratios)
    return figures


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pykt-path", type=Path, default=os.environ.get("PYKT_PATH"))
    parser.add_argument("--dataset", default="assist2015")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--our-steps", type=int, default=60, help="our steps in a round")
    parser.add_argument("--sakt-steps", type=int, default=4, help="SAKT's steps in a round")
    parser.add_argument("--akt-steps", type=int, default=1, help="AKT's steps in a round")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    version = open_pykt(Path(arguments.pykt_path)) if arguments.pykt_path else None
    parameters, data = tracing(arguments.dataset)
    steps = {"gainakt2exp": gainakt_step(parameters, data)}
    counts = {"gainakt2exp": arguments.our_steps, "akt": arguments.akt_steps, "sakt": arguments.sakt_steps}
    if version is None:
        print("pyKT is missing: pip install --no-deps --target FOLDER pykt-toolkit, then --pykt-path FOLDER")
    else:
        steps |= {"akt": akt_step(data), "sakt": sakt_step(data)}
    figures = measure(steps, counts, arguments.rounds)
    setting = {
        "width": WIDTH, "blocks": BLOCKS, "heads": HEADS, "d_ff": FEED_FORWARD, "batch": BATCH,
        "window": WINDOW, "dropout": DROPOUT, "dataset": arguments.dataset, "threads": arguments.threads,
        "rounds": arguments.rounds, "torch": torch.__version__, "pykt_toolkit": version,
        "front": parameters.front, "windows": data.splits["train"].count,
    }  # fmt: skip
    result = {"setting": setting, "models": figures, "missing": [] if version else ["akt", "sakt"]}
    path = save("throughput", result, load)
    for name, figure in figures.items():
        own, ratio = figure["interactions_per_second"], figure["ours_over_it"]
        print(
            f"{name:12} {own['median']:9.0f} per processor second ({own['lowest']:.0f}-{own['highest']:.0f})  "
            f"ours is {ratio['median']:.1f}x ({ratio['lowest']:.1f}-{ratio['highest']:.1f})"
        )
    print(path)


if __name__ == "__main__":
    main()
