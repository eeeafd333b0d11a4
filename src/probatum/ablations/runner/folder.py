"""The names of the files of an ablation: nothing else joins a path inside one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_KEPT = ("configs", "artifacts", "metadata.json", "summary.json", "stdout.log", "stderr.log", "exit_code")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Every file of one run of a plan.

    Example:
        >>> RunFolder(Path("outputs/ablations/p/tiny")).config("model").name
        'model.yaml'
    """

    folder: Path

    def config(self, block: str) -> Path:
        """The resolved configuration of a block: train, model or data."""
        return self.folder / "configs" / f"{block}.yaml"

    @property
    def artifacts(self) -> Path:
        """What the run itself writes: logs, checkpoints, metrics."""
        return self.folder / "artifacts"

    @property
    def metadata(self) -> Path:
        """Command, status, times, tags, hash."""
        return self.folder / "metadata.json"

    @property
    def summary(self) -> Path:
        """The quick metrics of a completed run."""
        return self.folder / "summary.json"

    @property
    def stdout(self) -> Path:
        """Everything that the run printed."""
        return self.folder / "stdout.log"

    @property
    def stderr(self) -> Path:
        """Everything that the run complained of."""
        return self.folder / "stderr.log"

    @property
    def exit_code(self) -> Path:
        """The exit code, noted by the run's own shell."""
        return self.folder / "exit_code"

    def set_aside(self) -> Path | None:
        """Move what an earlier attempt left into `earlier/NNN/`, and return that folder; None where nothing is.

        A new attempt starts clean, so that no old number can stand beside a new status, and nothing is lost.
        What was laid out for a run that never started is no attempt.
        """
        if not (self.metadata.exists() or self.stdout.exists()):
            return None
        present = [name for name in _KEPT if (self.folder / name).exists()]
        earlier = self.folder / "earlier"
        earlier.mkdir(exist_ok=True)
        place = earlier / f"{1 + sum(1 for _ in earlier.iterdir()):03d}"
        place.mkdir()
        for name in present:
            os.replace(self.folder / name, place / name)
        return place


@dataclass(frozen=True, slots=True)
class PlanFolder:
    """Every file of a plan beside its runs. The runner's own start with a dot, which no experiment's name can."""

    folder: Path

    @property
    def index(self) -> Path:
        """Every run that this plan ever had, with its summary."""
        return self.folder / "plan_index.json"

    @property
    def _state(self) -> Path:
        return self.folder / ".probatum"

    @property
    def lock(self) -> Path:
        """Held by the runner while it lives."""
        return self._state / "lock"

    @property
    def log(self) -> Path:
        """What a detached runner printed."""
        return self._state / "runner.log"

    def tracked(self, place: tuple[str, ...]) -> Path:
        """What a tracking store has been sent of a run."""
        return self._state.joinpath("tracking", *place[:-1], f"{place[-1]}.json")

    @property
    def tracking_log(self) -> Path:
        """What the process printed that sends runs while a sweep goes on."""
        return self._state / "tracking.log"

    def seal(self, digest: str) -> Path:
        """The plan as it was sealed, by its hash."""
        return self._state / "seals" / f"{digest}.json"

    def make(self) -> None:
        """Make the folders."""
        (self._state / "seals").mkdir(parents=True, exist_ok=True)

    def run(self, place: tuple[str, ...]) -> RunFolder:
        """Return the folder of a run."""
        return RunFolder(self.folder.joinpath(*place))

    def all_runs(self) -> Iterator[RunFolder]:
        """Yield every run folder below the plan's, in the plan now or not."""
        for pattern in ("*/metadata.json", "*/seed_*/metadata.json"):
            for path in sorted(self.folder.glob(pattern)):
                if not path.parent.name.startswith("."):
                    yield RunFolder(path.parent)
