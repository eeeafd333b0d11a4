"""The instrumentation artifact: the seed's JSON, written whole after every epoch.

A crash keeps every finished epoch. Each epoch stands on one line, so that the file can be compared and
searched with plain tools, and is made into text once.

Source: seed 000, "JSON layout".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from probatum._errors import UsageError
from probatum._files import strict_json, write_whole
from probatum.signals.definitions import definitions
from probatum.signals.epoch import EpochSignals
from probatum.signals.epoch_record import epoch_record, strict
from probatum.signals.reading import SCHEMA_VERSION, read_artifact
from probatum.signals.snapshot import Snapshot

NOT_YET = "not measured: `probatum perturb RUN` adds it to a finished run"
CURVES = ("missingness_curve", "truncation_curve")


class ArtifactWriter:
    """The artifact of one run, as it grows.

    Args:
        path: The file; its folder is made where missing.
        config: What the run was told: the seed's `config` section.
        provenance: What `compare` asks first: {"parameters": ..., "inputs": ..., "code": ..., "seed": ...}.
        taken: `Probe.taken`: how each signal is taken, in the collectors' own words.
        mode: "new" refuses a file that is there, "overwrite" takes its place, "resume" continues it.

    Raises:
        UsageError: mode is "new" and the file is there.
        RecordError: mode is "resume" and the file is torn or foreign.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = ArtifactWriter(Path(folder) / "a0.json", {"epochs": 1})
        ...     writer.append(EpochSignals(1))
        ...     [record["epoch"] for record in read_artifact(writer.path).epochs]
        [1]
    """

    def __init__(
        self,
        path: Path | str,
        config: Mapping[str, Any],
        *,
        provenance: Mapping[str, Any] | None = None,
        taken: Mapping[str, Mapping[str, str]] | None = None,
        mode: Literal["new", "overwrite", "resume"] = "new",
    ) -> None:
        self.path = Path(path)
        exists = self.path.exists()
        if exists and mode == "new":
            raise UsageError(f"{self.path} exists. Choose another --instrumentation_tag, or remove the file.")
        self._head: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "config": strict(config, {}),
            "provenance": None if provenance is None else strict(provenance, {}),
            "definitions": definitions(taken),
            "convergence": None,
            "perturbations": _perturbations({}),
        }
        self._fixed = {
            name: strict_json(self._head[name]) for name in ("config", "provenance", "definitions")
        }
        self._lines: dict[int, bytes] = {}
        self._convergence: dict[int, dict[str, Any] | None] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if exists and mode == "resume":
            self._load()
        self.write()

    @property
    def last_epoch(self) -> int:
        """The last epoch in the file; 0 where there is none."""
        return max(self._lines, default=0)

    def append(self, signals: EpochSignals, snapshot: Snapshot | None = None) -> None:
        """Add an epoch; the file is whole on the disk when this returns.

        Raises:
            UsageError: the epoch does not follow the last one; `truncate` makes room after a resume.
        """
        if signals.epoch <= self.last_epoch:
            raise UsageError(
                f"expected an epoch after {self.last_epoch}, got {signals.epoch}. "
                f"Call truncate({signals.epoch - 1}) first where a run is resumed."
            )
        self._add(epoch_record(signals, snapshot))
        self.write()

    def truncate(self, epoch: int) -> None:
        """Forget every epoch after `epoch`, as a resume from a checkpoint needs it."""
        self._lines = {number: line for number, line in self._lines.items() if number <= epoch}
        self._head["convergence"] = self._convergence.get(self.last_epoch)
        self.write()

    def set_convergence(self, convergence: Mapping[str, Any]) -> None:
        """State `best_epoch` and `best_<metric>`; by default they follow from the snapshots."""
        self._head["convergence"] = strict(convergence, {})
        self.write()

    def set_perturbations(self, curves: Mapping[str, Any]) -> None:
        """Add robustness curves: `missingness_curve`, `truncation_curve` and any other by name."""
        held = {name: curve for name, curve in self._head["perturbations"].items() if name != "missing"}
        self._head["perturbations"] = _perturbations({**held, **strict(curves, {})})
        self.write()

    def write(self) -> None:
        """Write the file whole."""
        write_whole(self.path, self.content())

    def content(self) -> bytes:
        """Return the file's content: strict JSON, keys sorted, one line per epoch."""
        rest = {name: strict_json(self._head[name]) for name in ("schema_version", "convergence")}
        # Bootstrap replicates are long: one line per curve, not one per number.
        curves = self._head["perturbations"]
        own = [f"{strict_json(name)}: {strict_json(curves[name], indent=None)}" for name in sorted(curves)]
        parts = {**self._fixed, **rest, "perturbations": "{\n" + ",\n".join(own) + "\n}"}
        head = "{\n" + "".join(f'"{name}": {parts[name]},\n' for name in sorted(parts))
        head += '"signal_check": {"epochs": [\n'  # the last of the keys
        return head.encode() + b",\n".join(self._lines.values()) + b"\n]}\n}\n"

    def _add(self, record: Mapping[str, Any]) -> None:
        self._lines[record["epoch"]] = strict_json(record, indent=None).encode()
        found = convergence_of(record["snapshot"])
        self._convergence[record["epoch"]] = found
        if found:
            self._head["convergence"] = found

    def _load(self) -> None:
        document = read_artifact(self.path).document
        for record in document["signal_check"]["epochs"]:
            self._add(record)
        self._head["perturbations"] = document["perturbations"]
        self._head["convergence"] = document["convergence"]


def convergence_of(snapshot: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the seed's `convergence` section up to a snapshot's epoch.

    Example:
        >>> primary = {"name": "val_auprc", "value": 0.5, "higher_is_better": True}
        >>> convergence_of({"epoch": 25, "best_epoch": 24, "best_primary": 0.53, "primary": primary})
        {'best_epoch': 24, 'best_val_auprc': 0.53, 'last_epoch': 25, 'last_val_auprc': 0.5, 'direction': 'higher'}
    """
    if not snapshot or not snapshot.get("primary") or snapshot.get("best_epoch") is None:
        return None
    name = snapshot["primary"]["name"]
    return {
        "best_epoch": snapshot["best_epoch"],
        f"best_{name}": snapshot["best_primary"],
        "last_epoch": snapshot["epoch"],
        f"last_{name}": snapshot["primary"]["value"],
        "direction": "higher" if snapshot["primary"]["higher_is_better"] else "lower",
    }


def _perturbations(curves: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section with both of the seed's curves, None with a reason where one was not measured."""
    section = {**dict.fromkeys(CURVES), **curves}
    reasons = dict(section.pop("missing", None) or {})
    absent = {name: reasons.get(name, NOT_YET) for name in CURVES if not section[name]}
    return {**section, **dict.fromkeys(absent), "missing": absent}
