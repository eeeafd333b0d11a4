"""What a person reads when a run is finished."""

from __future__ import annotations

from typing import Any

from probatum._files import read_json
from probatum.runs.folder import run_id
from probatum.runs.paths import RunPaths


def summarise(paths: RunPaths, results: list[dict[str, Any]]) -> str:
    """Return the best metrics by seed, what was never read, where the files are, and what to do next."""
    config = read_json(paths.config)
    lines = [f"finished {paths.name}"]
    for result in results:
        best = "  ".join(
            f"{name} {_number(values['best_epoch'])}" for name, values in result["metrics"].items()
        )
        test = "  ".join(
            f"test_{name} {_number(result['evaluation']['test'].get(name))}" for name in _shown(result)
        )
        lines.append(f"  seed {result['seed']}: epoch {result['best_epoch']}  {best}  {test}")
    unread = sorted(
        set.intersection(*(set(result["parameter_check"]["unread_params"]) for result in results))
    )
    if unread:
        lines.append(f"  recorded but not read in this run: {', '.join(unread)}")
    number = run_id(paths.name)
    lines += [
        f"  config_md5 {config['config_md5']}",
        f"  folder {paths.folder}",
        f"next: probatum reproduce {number}   probatum verify {number}",
    ]
    return "\n".join(lines)


def _shown(result: dict[str, Any]) -> list[str]:
    return [name.removeprefix("val_") for name in result["metrics"] if name.startswith("val_")]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
