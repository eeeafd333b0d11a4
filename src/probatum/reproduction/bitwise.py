"""Whether two runs left the same bytes, what may differ between identical runs left out."""

from __future__ import annotations

import re
from pathlib import Path

from probatum._files import read_json
from probatum.reproduction.differences import differing
from probatum.reproduction.epochs import compare_epochs
from probatum.runs.paths import RunPaths
from probatum.runs.volatile import stable_digests, without_volatile

# Written about a run, before or after it, by people or by other verbs: not what the training produced.
_NOT_TRAINING = re.compile(
    r"^(eval_results|config_eval)\.json$|^metrics_epoch_eval\.csv$|^(instrumentation|reports)/"
)


def first_difference(source: RunPaths, target: RunPaths) -> str | None:
    """Return the first file, and in it the first field, in which two runs differ; None where all bytes agree.

    Checkpoints count by their bytes, JSON by its values without times and names.

    Raises:
        RecordError: a JSON file is torn.
    """
    one, other = (_digests(paths) for paths in (source, target))
    for name in sorted(one.keys() | other.keys(), key=lambda name: (name != "config.json", name)):
        if name not in one or name not in other:
            return f"{name}: only in {source.name if name in one else target.name}"
        if one[name] != other[name]:
            return _explain(name, _file(source, name), _file(target, name))
    return None


def _digests(paths: RunPaths) -> dict[str, str]:
    return {name: digest for name, digest in stable_digests(paths).items() if not _NOT_TRAINING.match(name)}


def _file(paths: RunPaths, name: str) -> Path:
    file = paths.folder / name
    return file if file.exists() else max(paths.folder.glob("repro_results_*.json"))


def _explain(name: str, source: Path, target: Path) -> str:
    if name.endswith(".json"):
        found = differing(without_volatile(read_json(source)), without_volatile(read_json(target)))
        return f"{name}: {found[0]}" if found else f"{name}: types of numbers"
    if name.endswith(".csv"):
        epochs = compare_epochs(source, target)
        return f"{name}: {epochs.first_difference if epochs and epochs.first_difference else 'bytes'}"
    return f"{name}: bytes"
