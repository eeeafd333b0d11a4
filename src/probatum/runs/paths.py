"""The names of the files in a run folder: nothing else joins a path inside one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunPaths:
    """Every file of one run folder.

    Example:
        >>> RunPaths(Path("runs/20260101_000000_dkt_quick_123456")).model_last(42, several=True).name
        'model_last_seed42.pth'
    """

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name: the experiment id in full."""
        return self.folder.name

    @property
    def config(self) -> Path:
        """Parameters, commands, hashes, metric definitions: sealed before the first step."""
        return self.folder / "config.json"

    @property
    def overrides_applied(self) -> Path:
        """One line `override: key:old->new` for every parameter that was changed."""
        return self.folder / "overrides_applied.txt"

    @property
    def environment_text(self) -> Path:
        """The environment, one `key: value` a line."""
        return self.folder / "environment.txt"

    @property
    def environment_json(self) -> Path:
        """The environment with every package."""
        return self.folder / "environment.json"

    @property
    def code_patch(self) -> Path:
        """The uncommitted changes of the code, as a git patch."""
        return self.folder / "code.patch"

    @property
    def data(self) -> Path:
        """Name, source, checksum and row count of every input file."""
        return self.folder / "data.json"

    @property
    def stdout(self) -> Path:
        """Everything that the run printed, with times."""
        return self.folder / "stdout.log"

    @property
    def metrics_epoch(self) -> Path:
        """One row per seed and epoch."""
        return self.folder / "metrics_epoch.csv"

    @property
    def results(self) -> Path:
        """Best and last metrics, and the training history."""
        return self.folder / "results.json"

    def repro_results(self, timestamp: str) -> Path:
        """The self-contained results, named by the time they were written (`YYYYMMDD_HHMMSS`)."""
        return self.folder / f"repro_results_{timestamp}.json"

    @property
    def results_multi_seed(self) -> Path:
        """Statistics over the seeds."""
        return self.folder / "results_multi_seed.json"

    @property
    def seed_info(self) -> Path:
        """The seeds and their results, for people."""
        return self.folder / "SEED_INFO.md"

    @property
    def readme(self) -> Path:
        """What this run is, for people."""
        return self.folder / "README.md"

    @property
    def experiment_log(self) -> Path:
        """The experiment log that people annotate."""
        return self.folder / "experiment_log.yaml"

    def model_best(self, seed: int | None = None, *, several: bool = False) -> Path:
        """The weights of the best epoch by the primary metric on validation."""
        return self.folder / (f"model_best_seed{seed}.pth" if several else "model_best.pth")

    def model_last(self, seed: int | None = None, *, several: bool = False) -> Path:
        """The whole training state after the last finished epoch: what `resume` continues from."""
        return self.folder / (f"model_last_seed{seed}.pth" if several else "model_last.pth")

    @property
    def artifacts(self) -> Path:
        """What each seed left."""
        return self.folder / "artifacts"

    def rng(self, seed: int) -> Path:
        """The states of the random generators at the start and at the end of a seed."""
        return self.artifacts / f"rng_seed{seed}.json"

    def seed_epochs(self, seed: int) -> Path:
        """One seed's rows of `metrics_epoch.csv`, appended as they come."""
        return self.artifacts / f"metrics_epoch_seed{seed}.csv"

    def seed_result(self, seed: int) -> Path:
        """One seed's results; its presence says that the seed is finished."""
        return self.artifacts / f"result_seed{seed}.json"

    def seed_trajectory(self, seed: int) -> Path:
        """One seed's trajectory."""
        return self.artifacts / f"semantic_trajectory_seed{seed}.json"

    def seed_timing(self, seed: int) -> Path:
        """One seed's durations and rates per epoch: kept apart, since they never repeat."""
        return self.artifacts / f"timing_seed{seed}.csv"

    @property
    def logs(self) -> Path:
        """Logs in the formats of other programs, with times that never repeat; absent where a study writes none."""
        return self.artifacts / "logs"

    def instrumentation(self, tag: str) -> Path:
        """The signals recorded under `tag`."""
        return self.instrumentation_folder / f"{tag}.json"

    @property
    def instrumentation_folder(self) -> Path:
        """The folder of the signals; absent in a run without a probe."""
        return self.folder / "instrumentation"

    def snapshots(self, tag: str) -> Path:
        """Every epoch's snapshot under `tag`, one JSON line each, appended as they come."""
        return self.instrumentation_folder / f"{tag}_snapshots.jsonl"

    def perturbations(self, tag: str) -> Path:
        """The robustness curves that `perturb` added to the finished run under `tag`."""
        return self.folder / "perturbations" / f"{tag}.json"

    @property
    def eval_results(self) -> Path:
        """The metrics of the best checkpoint on train, validation and test."""
        return self.folder / "eval_results.json"

    @property
    def config_eval(self) -> Path:
        """What the evaluation was told."""
        return self.folder / "config_eval.json"

    @property
    def metrics_epoch_eval(self) -> Path:
        """The evaluation's metrics, one row per seed and split."""
        return self.folder / "metrics_epoch_eval.csv"

    @property
    def reproduction_manifest(self) -> Path:
        """The audit manifest of a reproduction."""
        return self.folder / "reproduction_manifest.json"

    @property
    def reproduction_report(self) -> Path:
        """The comparison of a reproduction with its source."""
        return self.folder / "reproduction_report.json"

    @property
    def status(self) -> Path:
        """Where the run stands."""
        return self.folder / "status.json"

    @property
    def manifest(self) -> Path:
        """The SHA-256 of every file that a finished run must keep."""
        return self.folder / "MANIFEST.sha256"

    @property
    def fields(self) -> Path:
        """Checksums of single fields and cells, so that `verify` can name what was changed."""
        return self.artifacts / "fields.json"

    @property
    def ledger(self) -> Path:
        """The ledger of the runs' root, which knows this folder's hashes."""
        return self.folder.parent / "ledger.jsonl"

    @property
    def tracked(self) -> Path:
        """What a tracking store has been sent of the run: beside the folder, which is sealed."""
        return self.folder.parent / ".tracking" / f"{self.name}.json"
