"""Episodes of a growing network generated per hour: many runs side by side, beside the old generator's loop.

Same host, images (scikit-learn's digits, 1,085 to train on), epochs, diagnostic profile and heuristic decisions. In
each round both take their turn, each in two processes of one thread. Processor time is what is compared: the wall
clock of a machine with other work says little. Ours writes complete episodes with observations, decisions and
reasons; the peer (`growth_peer`, written from the description of the old loop) keeps its snapshots. Beside them,
milliseconds an epoch of single runs and of 1, 4 and 16 side by side.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

from benchmarks.measurement import save, spread

PROCESSES = 2


def ours(seed: int, count: int, epochs: int) -> None:
    """Generate episodes side by side."""
    from probatum.packs.environment import EpisodeSettings
    from probatum.packs.record import episode_record
    from probatum.policies.heuristic import Heuristic
    from probatum.policies.rollout import Task, roll_out
    from probatum.studies.tamiyo.stacked.growth import make_growth_environment

    environment = make_growth_environment(runs=count, epochs=epochs, telemetry_profile="diagnostic")
    tasks = [
        Task(f"episode-{seed + place}", EpisodeSettings(seed + place), Heuristic(), seed + place)
        for place in range(count)
    ]
    for record in roll_out(environment, tasks):
        json.dumps(episode_record(record, environment.schema))


def peer(seed: int, count: int, epochs: int) -> None:
    """Generate episodes with the old loop, one after the other."""
    from benchmarks.growth_peer import episode

    for place in range(count):
        json.dumps(episode(seed + place, epochs))


SIDES = {"probatum": ours, "old_generator": peer}


def work(side: str, seed: int, count: int, epochs: int) -> dict[str, float]:
    """Return seconds of one process after a short warm-up: processor time and wall clock, and episodes an hour."""
    import torch

    torch.set_num_threads(1)
    SIDES[side](1, 2 if side == "probatum" else 1, 2)
    begin, wall = _processor_seconds(), time.perf_counter()
    SIDES[side](seed, count, epochs)
    processor = _processor_seconds() - begin
    return {"processor": processor, "wall": time.perf_counter() - wall, "episodes": count}


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def turn(side: str, seed: int, count: int, epochs: int) -> dict[str, float]:
    """Return episodes an hour of two processes, by processor time and by the wall clock."""
    command = [sys.executable, "-m", "benchmarks.growth_episodes", "--worker", side, "--epochs", str(epochs)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [*command, "--count", str(count), "--seed", str(seed + place * count)],
            stdout=subprocess.PIPE, text=True, env=environment,
        )
        for place in range(PROCESSES)
    ]  # fmt: skip
    found = [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]
    by_processor = sum(3600 * own["episodes"] / own["processor"] for own in found)
    by_wall = 3600 * sum(own["episodes"] for own in found) / max(own["wall"] for own in found)
    return {"by_processor": by_processor, "by_wall": by_wall}


def epochs_side_by_side(counts: tuple[int, ...]) -> dict[str, dict[str, float]]:
    """Return milliseconds of processor time a run and epoch, single and stacked, by the number of runs."""
    import torch

    from probatum.packs.environment import EpisodeSettings
    from probatum.studies.tamiyo.growth import GrowthEnvironment
    from probatum.studies.tamiyo.stacked.growth import StackedGrowthEnvironment

    torch.set_num_threads(1)
    found: dict[str, dict[str, float]] = {}
    for count in counts:
        own: dict[str, float] = {}
        for name, kind in (("single", GrowthEnvironment), ("stacked", StackedGrowthEnvironment)):
            environment = kind(epochs=4, telemetry_profile="diagnostic")
            environment.reset([EpisodeSettings(seed) for seed in range(count)])
            seconds = []
            for _ in range(2):
                begin = time.process_time()
                environment.step([0] * count)
                seconds.append((time.process_time() - begin) / count)
            own[name] = min(seconds) * 1e3
        found[str(count)] = own
    return found


def measure(rounds: int, epochs: int, own_count: int, peer_count: int) -> dict[str, Any]:
    """Return episodes an hour of both, and their ratio within a round."""
    taken: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for number in range(rounds):
        for side in list(SIDES)[:: 1 if number % 2 else -1]:
            count = own_count if side == "probatum" else peer_count
            taken[side].append(turn(side, 1000 * (number + 1), count, epochs))
            print(f"round {number + 1} {side:14} {taken[side][-1]['by_processor']:,.0f} an hour", flush=True)
    result: dict[str, Any] = {"episodes_per_hour": {}, "times_as_many": {}}
    for clock in ("by_processor", "by_wall"):
        result["episodes_per_hour"][clock] = {
            side: spread([one[clock] for one in own]) for side, own in taken.items()
        }
        pairs = zip(taken["probatum"], taken["old_generator"], strict=True)
        result["times_as_many"][clock] = spread([new[clock] / old[clock] for new, old in pairs])
    return result


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--count", type=int, default=4, help="runs side by side in a process")
    parser.add_argument("--peer-count", type=int, default=1, help="episodes of the peer in a process")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worker", choices=list(SIDES), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        print(json.dumps(work(arguments.worker, arguments.seed, arguments.count, arguments.epochs)))
        return
    load = os.getloadavg()[0]
    result = measure(arguments.rounds, arguments.epochs, arguments.count, arguments.peer_count)
    result |= {
        "rounds": arguments.rounds, "epochs": arguments.epochs, "side_by_side": arguments.count,
        "processes": PROCESSES, "milliseconds_per_epoch": epochs_side_by_side((1, 4, 16)),
    }  # fmt: skip
    for clock, ratio in result["times_as_many"].items():
        rates = result["episodes_per_hour"][clock]
        print(
            f"{clock:13} probatum {rates['probatum']['median']:,.0f} an hour  old generator "
            f"{rates['old_generator']['median']:,.0f}  {ratio['median']:.1f} times as many "
            f"({ratio['lowest']:.1f}-{ratio['highest']:.1f})"
        )
    print(save("growth_episodes", result, load))


if __name__ == "__main__":
    main()
