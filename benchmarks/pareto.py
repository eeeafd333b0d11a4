"""The Pareto front of many points: Probatum beside Optuna, in one process, in turns, and exactly equal.

Three clouds of 100,000 points in three objectives: uniform in the cube (few on the front), near a sphere
(thousands), and whole numbers with many ties and duplicates. Optuna's front is the function that its own
`best_trials` calls, without the cost of its trial objects. The interpreter needs Optuna:
`PEERS_PYTHON -m benchmarks.pareto`, with `src` on its path. The result is `benchmarks/results/pareto.json`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measurement import save, spread
from probatum.analysis.pareto import pareto_front

Points = NDArray[np.float64]
Front = Callable[[Points], NDArray[np.bool_]]


def clouds(count: int, seed: int) -> dict[str, Points]:
    """Return the points of each cloud, smaller is better."""
    rng = np.random.default_rng(seed)
    directions = np.abs(rng.normal(size=(count, 3)))
    radius = 1 + 0.2 * rng.random((count, 1))
    sphere = 1 - directions / np.linalg.norm(directions, axis=1, keepdims=True) / radius
    return {
        "uniform": rng.random((count, 3)),
        "sphere": sphere,
        "ties": rng.integers(0, 400, (count, 3)).astype(float),
    }


def fronts() -> dict[str, Front]:
    """Return the two functions.

    Raises:
        SystemExit: Optuna is not installed.
    """
    try:
        from optuna.study._multi_objective import _is_pareto_front  # type: ignore[import-not-found]
    except ImportError:
        raise SystemExit("this benchmark needs Optuna: run it with an interpreter that has it.") from None
    return {
        "probatum": lambda points: pareto_front(points, [False] * points.shape[1]),
        "optuna": lambda points: _is_pareto_front(points, assume_unique_lexsorted=False),
    }


def measure(count: int, rounds: int) -> dict[str, Any]:
    """Return seconds, their ratio within a round, and the size of the front, by cloud; the first round warms up."""
    both, found = fronts(), {}
    for name, points in clouds(count, seed=1).items():
        seconds: dict[str, list[float]] = {peer: [] for peer in both}
        results = {}
        for number in range(rounds + 1):
            for peer in list(both)[:: 1 if number % 2 else -1]:
                started = time.perf_counter()
                results[peer] = both[peer](points)
                seconds[peer].append(time.perf_counter() - started)
        ratios = [b / a for a, b in zip(seconds["probatum"][1:], seconds["optuna"][1:], strict=True)]
        found[name] = {
            "on_front": int(results["optuna"].sum()),
            "is_equal": bool((results["probatum"] == results["optuna"]).all()),
            "milliseconds": {peer: spread([s * 1e3 for s in taken[1:]]) for peer, taken in seconds.items()},
            "times_as_fast": spread(ratios),
        }
    return found


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    result = measure(arguments.points, arguments.rounds)
    for name, figure in result.items():
        own, ratio = figure["milliseconds"], figure["times_as_fast"]
        print(
            f"{name:8} front {figure['on_front']:6}  equal {figure['is_equal']}  probatum "
            f"{own['probatum']['median']:.1f} ms  optuna {own['optuna']['median']:.1f} ms  "
            f"{ratio['median']:.1f} times as fast ({ratio['lowest']:.1f}-{ratio['highest']:.1f})"
        )
    print(save("pareto", {"points": arguments.points, "rounds": arguments.rounds, "clouds": result}, load))


if __name__ == "__main__":
    main()
