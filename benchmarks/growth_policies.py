"""Growth under learned policies beside policies that learn nothing; and whether richer data help.

    python -m benchmarks.growth_policies FOLDER             carry out what is missing, then tabulate
    python -m benchmarks.growth_policies FOLDER --collect   tabulate what is there

Every step is a command of `probatum`, and each continues what was stopped. All policies begin in the same initial
states with the same budget of epochs; what is compared is the accuracy on the test split at the end. A learned
policy is trained from several seeds: in each initial state the mean of its networks counts, so that intervals and
exact tests are over initial states, which no pack shares. The spread of the networks stands beside.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measurement import save
from probatum.analysis.intervals import mean, summarise, t_interval
from probatum.analysis.sign_flips import sign_flip_p

BASELINES = ("no_growth", "fixed", "random", "heuristic")
AGAINST = ("no_growth", "fixed", "heuristic")
NETWORK = re.compile(r"(?P<algorithm>\w+?)_(?P<features>\w+)_seed(?P<seed>\d+)\.json$")


@dataclass(frozen=True)
class Setting:
    """Data, the packs that policies learn from, and the states that they meet in."""

    episodes: int
    states: int  # of each host
    side_by_side: int
    algorithms: tuple[str, ...]
    seeds: tuple[int, ...]
    changes: tuple[str, ...]
    hosts: Mapping[str, str]  # the hidden cause that makes the host, by what it is called here


HOSTS = {"narrow": "underfitting", "sound": "none"}
SETTINGS = {
    "digits": Setting(
        96, 8, 16, ("imitation", "iql", "cql"), (1, 2, 3, 4, 5), ("train_images=200", "batch_size=32"), HOSTS
    ),
    "cifar10_sample": Setting(
        20, 3, 2, ("iql",), (1, 2, 3),
        ("dataset=cifar10_sample", "train_images=400", "batch_size=32", "epochs=14"), HOSTS,
    ),
}  # fmt: skip
DIAGNOSE = (
    "--profile", "diagnostic", "--episodes", "120", "--test-episodes", "12", "--seeds", "1,2,3,4,5", "--seed", "11",
    "--side-by-side", "12", "--change", "train_images=200", "--change", "batch_size=32", "--change", "epochs=16",
)  # fmt: skip


def commands(name: str, folder: Path) -> list[list[str]]:
    """Return the commands of a setting, in order."""
    own, place = SETTINGS[name], folder / name
    pack = [
        "packs", "generate", str(place / "pack"), "--profile", "minimal", "--episodes", str(own.episodes),
        "--counterfactuals", "0", "--side-by-side", str(own.side_by_side),
        *_repeated("--cause", reversed(list(own.hosts.values()))), *_repeated("--set", own.changes),
    ]  # fmt: skip
    seeds = ",".join(map(str, own.seeds))
    train = [
        ["policy", "train", str(place / "pack"), "--algorithm", algorithm, "--seeds", seeds,
         "--out", str(place / "policies")]
        for algorithm in own.algorithms
    ]  # fmt: skip
    networks = [
        str(place / "policies" / f"{algorithm}_all_seed{seed}.json")
        for algorithm in own.algorithms
        for seed in own.seeds
    ]
    compare = [
        ["policy", "compare", *BASELINES, *networks, "--episodes", str(own.states), "--cause", cause,
         "--profile", "minimal", "--side-by-side", str(own.side_by_side), *_repeated("--change", own.changes),
         "--out", str(place / f"compare_{host}.json")]
        for host, cause in own.hosts.items()
    ]  # fmt: skip
    return [pack, *train, *compare]


def _repeated(option: str, values: Any) -> list[str]:
    return [word for value in values for word in (option, value)]


def carry_out(folder: Path, names: Sequence[str]) -> None:
    """Carry out the commands of the settings named, and the experiment on richer data."""
    steps = [step for name in names for step in commands(name, folder)]
    steps.append(["policy", "diagnose", str(folder / "richer"), *DIAGNOSE])
    for step in steps:
        subprocess.run(
            [sys.executable, "-m", "probatum", *step], check=True, stdout=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        print(*step[:3], "finished", flush=True)


def group_of(policy: str) -> str:
    """Return the algorithm of a policy file, or the name of a policy that learns nothing.

    Example:
        >>> group_of("policies/iql_all_seed3.json"), group_of("fixed")
        ('iql', 'fixed')
    """
    found = NETWORK.search(policy)
    return found["algorithm"] if found else policy


def rows(outcomes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return, for every policy, what it reached and how far that is from each of `AGAINST`."""
    reached: dict[str, dict[str, dict[int, Mapping[str, Any]]]] = {}
    for own in outcomes:
        reached.setdefault(group_of(own["policy"]), {}).setdefault(own["policy"], {})[own["seed"]] = own
    states = list(next(iter(next(iter(reached.values())).values())))
    by_state = {
        group: [mean([own[state]["test_accuracy"] for own in networks.values()]) for state in states]
        for group, networks in reached.items()
    }
    found = []
    for group, networks in reached.items():
        told = summarise(by_state[group])
        each = [own for network in networks.values() for own in network.values()]
        means = [mean([own["test_accuracy"] for own in network.values()]) for network in networks.values()]
        found.append(
            {
                "policy": group,
                "networks": len(networks),
                "states": len(states),
                "test_accuracy": told.mean,
                "interval": [told.ci_low, told.ci_high],
                "network_means": means,
                "grew_share": mean([float(own["grew"]) for own in each]),
                "parameters_added": mean([own["parameters_added"] or 0.0 for own in each]),
                "interventions": mean([float(len(own["interventions"])) for own in each]),
                "against": {
                    other: difference(by_state[group], by_state[other])
                    for other in AGAINST
                    if other in by_state and other != group
                },
            }
        )
    return found


def difference(own: Sequence[float], other: Sequence[float]) -> dict[str, Any]:
    """Return the mean difference over initial states, its t-interval, and the p of exact sign flips."""
    pairs = [first - second for first, second in zip(own, other, strict=True)]
    return {"mean": mean(pairs), "interval": t_interval(pairs), "p": sign_flip_p(pairs)}


def collect(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """Return the tables of what is there."""
    settings: dict[str, Any] = {}
    for name in names:
        own = SETTINGS[name]
        hosts = {host: folder / name / f"compare_{host}.json" for host in own.hosts}
        tables = {
            host: rows(json.loads(path.read_text())["outcomes"])
            for host, path in hosts.items()
            if path.is_file()
        }
        if tables:
            settings[name] = {**asdict(own), "hosts": dict(own.hosts), "tables": tables}
    richer = folder / "richer" / "result.json"
    return {
        "settings": settings,
        "richer": json.loads(richer.read_text()) if richer.is_file() else None,
        "diagnose": list(DIAGNOSE),
    }


def draw(result: Mapping[str, Any], folder: Path, pictures: Path) -> None:
    """Draw what was reached on each host of the digits, and what richer data changed, as PNG."""
    import vl_convert

    from probatum.policies.charts import outcome_chart, richer_chart
    from probatum.reports.figures import PIXELS_PER_INCH

    charts = {"policy_richer_data": richer_chart(result["richer"])} if result["richer"] else {}
    for host, table in result["settings"]["digits"]["tables"].items():
        outcomes = json.loads((folder / "digits" / f"compare_{host}.json").read_text())["outcomes"]
        policies = [{**row, "ci_low": row["interval"][0], "ci_high": row["interval"][1]} for row in table]
        named = [{**own, "policy": group_of(own["policy"])} for own in outcomes]
        charts[f"policy_{host}_host"] = outcome_chart({"policies": policies, "outcomes": named})
    for name, chart in charts.items():
        (pictures / f"{name}.png").write_bytes(
            vl_convert.vegalite_to_png(chart.to_dict(), ppi=PIXELS_PER_INCH)
        )


def main() -> None:
    """Carry out where asked, then write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--collect", action="store_true", help="carry out nothing; tabulate what is there")
    parser.add_argument("--pictures", type=Path, help="draw into this folder as well")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    names = [
        name for name in SETTINGS if name == "digits" or os.environ.get("PROBATUM_DATA") or options.collect
    ]
    if not options.collect:
        carry_out(options.folder, names)
    result = collect(options.folder, names)
    for name, own in result["settings"].items():
        for host, table in own["tables"].items():
            for row in table:
                print(
                    name,
                    host,
                    f"{row['policy']:12} {row['test_accuracy']:.2f}",
                    row["interval"],
                    row["against"],
                )
    if options.pictures:
        draw(result, options.folder, options.pictures)
    print(save("growth_policies", result, load))


if __name__ == "__main__":
    main()
