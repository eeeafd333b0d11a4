"""Reading a pack for training: Probatum's columns beside the old form, one JSON document.

The same episodes are written twice: as a pack, and as the document that the old generator kept (named fields and
histories per decision, telemetry per epoch). Each reader runs in a process of its own, in turns, and makes the
same arrays: observations, masks, actions. The peer loads the document with `json.load` and assembles the features
of every decision; its memory is that of the whole document. Probatum reads 64 episodes at a time, in order and
shuffled. Memory is the highest resident size of the process (VmHWM), less that before reading. The result is
`benchmarks/results/packs.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measurement import save, spread
from probatum.packs.columns import columns
from probatum.packs.encoded import EncodedEpisode
from probatum.packs.header import PackHeader
from probatum.packs.reader import PackReader
from probatum.packs.writer import PackWriter
from probatum.signals.config import load_profile
from probatum.signals.features import BASE, SEED_STATE, feature_schema

EPOCHS, LAYERS, CLASSES, ACTIONS = 25, [f"layer{number}" for number in range(7)], 10, ("WAIT", "ACT", "UNDO")
SCALARS = BASE[: BASE.index("val_loss_history_0")]
READERS = ("columns", "columns_shuffled", "document")
Numbers = np.ndarray[Any, Any]


def names(profile: str) -> list[str]:
    """Return the features of a profile, for a host of seven layers and ten classes."""
    return list(feature_schema(load_profile(profile), LAYERS, CLASSES).names)


def episodes(profile: str, count: int) -> Iterator[tuple[str, dict[str, Any], Numbers, Numbers]]:
    """Yield id, old form, values (epochs, features) and actions of each episode, the same ones every time."""
    features = names(profile)
    rng = np.random.default_rng(1)
    for number in range(count):
        values = rng.normal(size=(EPOCHS, len(features))).astype(np.float32)
        actions = rng.integers(0, len(ACTIONS), EPOCHS)
        name = f"episode_{number:05d}"
        yield name, old_form(name, features, values.tolist(), actions.tolist()), values, actions


def old_form(name: str, features: list[str], values: list[list[float]], actions: list[int]) -> dict[str, Any]:
    """Return an episode as the old generator kept it: fact sheet, section 4."""
    extra = features[len(BASE) :]
    decisions = []
    for row, action in zip(values, actions, strict=True):
        known = dict(zip(features, row, strict=True))
        observation: dict[str, Any] = {each: known[each] for each in (*SCALARS, *SEED_STATE)}
        for kind in ("val_loss_history", "val_accuracy_history"):
            observation[kind] = [known[f"{kind}_{index}"] for index in range(5)]
        decisions.append(
            {
                "observation": observation,
                "action": {"action": ACTIONS[action], "confidence": 1.0, "reason": "because it was so"},
                "outcome": {"accuracy_after": 1.0, "accuracy_change": 0.1, "reward": 1.0},
                "timestamp": "2025-11-26T00:00:00+00:00",
            }
        )
    history = [dict(zip(extra, row[len(BASE) :], strict=True)) for row in values] if extra else []
    return {"episode_id": name, "decisions": decisions, "telemetry_history": history}


def write(folder: Path, profile: str, count: int, *, document: bool) -> None:
    """Write the pack, and the document where asked for."""
    features = names(profile)
    schema = {"base": features, "_index": {name: index for index, name in enumerate(features)}}
    header = PackHeader({}, schema, ACTIONS, {}, {})
    file = (folder / "document.json").open("w") if document else None
    with PackWriter(folder / "pack", header, sync=False) as writer:
        for number, (name, old, values, actions) in enumerate(episodes(profile, count)):
            line = json.dumps(old)
            if file:
                file.write((", " if number else '{"metadata": {}, "episodes": [') + line)
            writer.append(encoded(name, line, values, actions))
    if file:
        file.write("]}")
        file.close()


def encoded(name: str, line: str, values: Numbers, actions: Numbers) -> EncodedEpisode:
    """Return an episode as the writer takes it; every epoch has a decision here."""
    wanted = columns(values.shape[1], len(ACTIONS))
    arrays = {each: np.zeros((EPOCHS, *column.width), column.dtype) for each, column in wanted.items()}
    arrays["observations"][:], arrays["mask"][:], arrays["actions"][:] = values, 1, actions
    short = {
        "episode_id": name, "policy": "p", "seed": 0, "cause": "none", "outcome": "unmeasured",
        "final_accuracy": 0.0, "actions": {"WAIT": EPOCHS}, "seed_counts": {},
    }  # fmt: skip
    return EncodedEpisode(name, f"{line}\n".encode(), f"{json.dumps(short)}\n".encode(), arrays)


def read_columns(folder: Path, *, shuffled: bool) -> list[float]:
    """Read the pack batch by batch; return sums that any reader must agree on."""
    reader = PackReader(folder / "pack")
    order = np.random.default_rng(0).permutation(len(reader)).tolist() if shuffled else None
    total = np.zeros(len(reader.feature_names))
    measured = acted = 0
    for batch in reader.batches(order):
        total += batch.observations.sum(axis=0, dtype=np.float64)
        measured += int(batch.mask.sum(dtype=np.int64))
        acted += int(batch.actions.sum(dtype=np.int64))
    return [float(total.sum()), float(total[-1]), float(measured), float(acted)]


def read_document(folder: Path) -> list[float]:
    """Read the document whole and assemble every decision's features; return the same sums."""
    with (folder / "document.json").open() as file:
        found = json.load(file)
    position = {name: number for number, name in enumerate(ACTIONS)}
    rows, masks, actions = [], [], []
    for episode in found["episodes"]:
        history = episode["telemetry_history"]
        for epoch, decision in enumerate(episode["decisions"]):
            seen = decision["observation"]
            row = [seen[name] for name in SCALARS]
            row += seen["val_loss_history"]
            row += seen["val_accuracy_history"]
            row += [seen[name] for name in SEED_STATE]
            if history:
                row += history[epoch].values()
            rows.append(row)
            masks.append([value is not None for value in row])
            actions.append(position[decision["action"]["action"]])
    observations, mask = np.asarray(rows, np.float32), np.asarray(masks, np.uint8)
    total = observations.sum(axis=0, dtype=np.float64)
    taken = np.asarray(actions, np.int16)
    return [float(total.sum()), float(total[-1]), float(mask.sum(dtype=np.int64)), float(taken.sum())]


def peak_mib() -> float:
    """Return the highest resident size of this process so far, in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def one(reader: str, folder: Path) -> dict[str, Any]:
    """Read once, in this process."""
    before, started = peak_mib(), time.perf_counter()
    if reader == "document":
        sums = read_document(folder)
    else:
        sums = read_columns(folder, shuffled=reader == "columns_shuffled")
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "mib": peak_mib() - before, "sums": sums}


def measure(profile: str, count: int, rounds: int, *, document: bool) -> dict[str, Any]:
    """Return seconds and memory of every reader, and the ratio to the document within a round."""
    readers = READERS if document else READERS[:2]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started = time.perf_counter()
        write(folder, profile, count, document=document)
        seconds = time.perf_counter() - started
        print(f"{profile}, {count} episodes: written in {seconds:.0f} s", flush=True)
        results: dict[str, list[dict[str, Any]]] = {each: [] for each in readers}
        for number in range(rounds):
            for each in readers[:: 1 if number % 2 else -1]:
                command = [sys.executable, "-m", "benchmarks.packs", "--one", each, str(folder)]
                answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                results[each].append(json.loads(answer.splitlines()[-1]))
        pack_bytes = sum(path.stat().st_size for path in (folder / "pack" / "columns").iterdir())
        size = {"columns_mib": pack_bytes / 2**20}
        if document:
            size["document_mib"] = (folder / "document.json").stat().st_size / 2**20
    return {
        "profile": profile,
        "features": len(names(profile)),
        "episodes": count,
        **size,
        "is_equal": _equal([each["sums"] for found in results.values() for each in found]),
        "seconds": {each: spread([one["seconds"] for one in found]) for each, found in results.items()},
        "mib": {each: spread([one["mib"] for one in found]) for each, found in results.items()},
        "times_as_fast": {
            each: spread(
                [old["seconds"] / new["seconds"] for old, new in zip(results["document"], found, strict=True)]
            )
            for each, found in results.items()
            if document and each != "document"
        },
    }


def _equal(sums: list[list[float]]) -> bool:
    return all(np.allclose(each, sums[0], rtol=1e-6, atol=1e-3) for each in sums)


def main() -> None:
    """Measure, print, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", nargs=2, metavar=("READER", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.one[0], Path(arguments.one[1]))))
        return
    load, few = os.getloadavg()[0], max(1, arguments.episodes // 5)
    settings = (
        ("minimal", arguments.episodes, True),
        ("diagnostic", few, True),
        ("diagnostic", arguments.episodes, False),
    )  # the document of every episode with all features would not fit beside other work
    found = [measure(name, count, arguments.rounds, document=both) for name, count, both in settings]
    for each in found:
        print(json.dumps(each, indent=1))
    print(save("packs", {"epochs": EPOCHS, "rounds": arguments.rounds, "settings": found}, load))


if __name__ == "__main__":
    main()
