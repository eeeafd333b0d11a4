"""ConCare's recurrent encoders and its decorrelation penalty: one batched computation beside the loops.

Encoders: 76 GRUs from 1 input to 64 hidden features over 48 steps, forward and backward with a dense gradient
of every state, against a loop of 76 `nn.GRU` with the same weights. Penalty: DeCov of 77 tokens of width 64,
forward and backward, against a loop over tokens. Both sides of a comparison take turns in one process; a ratio
is taken within a round. States and gradients are compared before anything is timed.

Wall clock counts; processor seconds of all threads stand beside it. With more threads than idle cores the
loop, whose threads wait for one another within every operation, loses far more than the batched form: give
an idle machine.

    python -m benchmarks.concare_encoder --threads 2

The result is `benchmarks/results/concare_encoder.json`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.measurement import save, spread
from probatum.studies.concare.batched_gru import BatchedGRU
from probatum.studies.concare.decov import decov

FEATURES, STEPS, HIDDEN = 76, 48, 64
TARGETS = {8: 8.0, 64: 3.0, 256: 1.0}  # batch: ratio to reach on two threads
DECOV_TARGET = 6.0
Pass = Callable[[], tuple[Tensor, Tensor]]  # forward and backward; returns a result and a gradient


def encoders(batch: int) -> dict[str, Pass]:
    """Return the loop and the batched form over the same weights and inputs."""
    loop = [nn.GRU(1, HIDDEN, batch_first=True) for _ in range(FEATURES)]
    batched = BatchedGRU.from_loop(loop)
    x = torch.randn(batch, STEPS, FEATURES, 1)
    upstream = torch.randn(STEPS, FEATURES, batch, HIDDEN).permute(
        2, 0, 1, 3
    )  # as the model's attention gives it
    inputs = [x[:, :, feature].contiguous() for feature in range(FEATURES)]
    slices = [upstream[:, :, feature].contiguous() for feature in range(FEATURES)]

    def one_by_one() -> tuple[Tensor, Tensor]:
        states = [gru(own)[0] for gru, own in zip(loop, inputs, strict=True)]
        torch.autograd.backward(states, slices)
        grad = dict(loop[-1].named_parameters())["weight_hh_l0"].grad
        for gru in loop:
            gru.zero_grad(set_to_none=True)
        assert grad is not None
        return states[-1].detach(), grad

    def at_once() -> tuple[Tensor, Tensor]:
        states = batched(x)
        torch.autograd.backward(states, upstream)
        grad = batched.weight_hh.grad
        batched.zero_grad(set_to_none=True)
        assert grad is not None
        return states[:, :, -1].detach(), grad[-1]

    return {"loop": one_by_one, "batched": at_once}


def penalties(batch: int) -> dict[str, Pass]:
    """Return DeCov token by token and at once."""
    tokens = torch.randn(batch, FEATURES + 1, HIDDEN, requires_grad=True)

    def token_by_token() -> Tensor:
        total = torch.zeros(())
        for token in range(FEATURES + 1):
            centred = tokens[:, token] - tokens[:, token].mean(0, keepdim=True)
            covariance = centred.T @ centred / batch
            total = total + 0.5 * (covariance.norm() ** 2 - covariance.diagonal().norm() ** 2)
        return total

    def passes(penalty: Callable[[], Tensor]) -> Pass:
        def run() -> tuple[Tensor, Tensor]:
            value = penalty()
            return value.detach(), torch.autograd.grad(value, tokens)[0]

        return run

    return {"loop": passes(token_by_token), "batched": passes(lambda: decov(tokens))}


def compare(forms: dict[str, Pass], rounds: int, repeats: int) -> dict[str, Any]:
    """Return milliseconds of both forms, the loop's ratio to the batched form, and how far they disagree."""
    expected, found = (forms[name]() for name in ("loop", "batched"))
    deviation = [
        float((b - a).abs().max() / a.abs().max().clamp(min=1)) for a, b in zip(expected, found, strict=True)
    ]
    wall: dict[str, list[float]] = {name: [] for name in forms}
    processor: dict[str, list[float]] = {name: [] for name in forms}
    for _ in range(rounds):
        for name, run in forms.items():
            began, used = time.perf_counter(), time.process_time()
            for _ in range(repeats):
                run()
            wall[name].append((time.perf_counter() - began) / repeats)
            processor[name].append((time.process_time() - used) / repeats)

    def ratios(seconds: dict[str, list[float]]) -> dict[str, float]:
        return spread([a / b for a, b in zip(seconds["loop"], seconds["batched"], strict=True)])

    return {
        "loop_milliseconds": spread([seconds * 1e3 for seconds in wall["loop"]]),
        "batched_milliseconds": spread([seconds * 1e3 for seconds in wall["batched"]]),
        "ratio": ratios(wall),
        "ratio_by_processor_time": ratios(processor),
        "largest_relative_deviation": max(deviation),
    }


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batches", type=int, nargs="+", default=list(TARGETS))
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    figures: dict[str, Any] = {}
    for batch in arguments.batches:
        figure = compare(encoders(batch), arguments.rounds, 1)
        figures[f"encoder, batch {batch}"] = {**figure, "target": TARGETS.get(batch)}
    figure = compare(penalties(64), arguments.rounds, 20)
    figures["DeCov, batch 64"] = {**figure, "target": DECOV_TARGET}
    setting = {
        "features": FEATURES, "steps": STEPS, "hidden": HIDDEN, "threads": arguments.threads,
        "rounds": arguments.rounds, "torch": torch.__version__,
    }  # fmt: skip
    path = save("concare_encoder", {"setting": setting, "comparisons": figures}, load)
    for name, figure in figures.items():
        ratio, own = figure["ratio"], figure["batched_milliseconds"]
        print(
            f"{name:20} {own['median']:7.1f} ms  {ratio['median']:5.1f}x ({ratio['lowest']:.1f}-"
            f"{ratio['highest']:.1f}), target {figure['target']}; processor time "
            f"{figure['ratio_by_processor_time']['median']:.1f}x; deviation "
            f"{figure['largest_relative_deviation']:.0e}"
        )
    print(path)


if __name__ == "__main__":
    main()
