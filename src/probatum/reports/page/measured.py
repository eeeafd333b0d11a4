"""Which artifacts stand beside each other: one per run, of one seed where the runs share one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from probatum.reports.page.run import Run
from probatum.reports.page.subject import Subject
from probatum.signals.reading import Artifact


@dataclass(frozen=True)
class Measured:
    """What was seen inside runs."""

    artifacts: dict[str, Artifact]  # by the run's name
    curves: dict[str, dict[str, Any]]  # robustness curves, by the run's name
    note: str  # which seeds are shown; empty where there is only one

    @property
    def first(self) -> Artifact:
        """The parent's artifact, or the only one."""
        return next(iter(self.artifacts.values()))

    @property
    def last(self) -> Artifact:
        """The child's artifact, or the only one."""
        return list(self.artifacts.values())[-1]


def measured(subject: Subject) -> Measured:
    """Return one artifact of each run that has any: of the first seed that all of them have."""
    runs = [run for run in subject.runs if run.artifacts]
    shared = [tag for tag in (runs[0].artifacts if runs else {}) if all(tag in run.artifacts for run in runs)]
    artifacts, curves = {}, {}
    for run in runs:
        artifact = run.artifacts[shared[0]] if shared else next(iter(run.artifacts.values()))
        artifacts[run.name], curves[run.name] = artifact, run.curves(artifact)
    return Measured(artifacts, curves, _note(runs, artifacts))


def _note(runs: list[Run], artifacts: dict[str, Artifact]) -> str:
    most = max((len(run.artifacts) for run in runs), default=0)
    if most < 2:
        return ""
    seeds = {str((own.document.get("provenance") or {}).get("seed")) for own in artifacts.values()}
    return f"Seed {' and '.join(sorted(seeds))} of {most}; `probatum signals figures RUN --tag TAG` draws another."
