"""A prepared run, from its seal to its closed record."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from probatum._errors import ProbatumError, RunFailedError, RunInterruptedError, UsageError
from probatum._files import read_json, sha256_file, write_whole
from probatum.parameters import ReadLog
from probatum.runs.catalogue import Catalogue
from probatum.runs.data_record import data_record, write_data_record
from probatum.runs.environment import capture_environment, write_environment
from probatum.runs.folder import run_id
from probatum.runs.integrity import close, seal
from probatum.runs.journal import EpochJournal, read_epochs
from probatum.runs.ledger import read_ledger
from probatum.runs.paths import RunPaths
from probatum.runs.results import build_results, write_multi_seed, write_repro_results, write_results
from probatum.runs.status import read_status, utc_now, write_status
from probatum.runs.summary import write_summaries
from probatum.training.console import captured_output
from probatum.training.recorded import RecordedRun
from probatum.training.run import train_seed
from probatum.training.study import StudyData


def carry_out(run: RecordedRun) -> list[dict[str, Any]]:
    """Train every seed that has no result yet, evaluate, write the results, close the record.

    A run that was stopped anywhere is continued by calling this again.

    Raises:
        UsageError: another process is carrying the run out.
        RunFailedError: the training failed; `stdout.log` has its last words.
        RunInterruptedError: a person or the system stopped it.
    """
    status = read_status(run.paths)
    if status.status == "running":
        raise UsageError(f"{run.paths.name} is running already (process {status.details['process']['pid']}).")
    if status.status != "completed" and _closed_but_for_status(run.paths):
        return [read_json(run.paths.seed_result(seed)) for seed in run.parameters.seeds]
    if status.status == "completed":
        raise UsageError(f"{run.paths.name} is completed; nothing is left to do.")
    with _status_kept(run.paths):
        with captured_output(run.paths.stdout):
            _remove_torn(run.paths)
            write_status(run.paths, "running")
            log = ReadLog()
            data = _sealed_data(run, log)
            results = _train_seeds(run, data, log)
            _write_record(run, results)
        close(run.paths)  # the last act: nothing is written into the run's files afterwards
        Catalogue(run.paths.folder.parent).record(run.paths)
    return results


def _closed_but_for_status(paths: RunPaths) -> bool:
    """Return whether the run was killed between the ledger's last line and `status.json`, now put right.

    The manifest knows the bytes of the final status, and they were on the disk under a temporary name.
    """
    if not paths.manifest.exists() or not any(
        event["run"] == paths.name
        and event["event"] == "completed"
        and event["manifest"] == sha256_file(paths.manifest)
        for event in read_ledger(paths.folder.parent)
    ):
        return False
    for waiting in paths.folder.glob(f".{paths.status.name}.*.part"):
        if f"{sha256_file(waiting)}  {paths.status.name}\n" in paths.manifest.read_text(encoding="utf-8"):
            waiting.replace(paths.status)
            _remove_torn(paths)
            Catalogue(paths.folder.parent).record(paths)
            return True
    return False


def _remove_torn(paths: RunPaths) -> None:
    """Remove the temporary files that a killed process left."""
    for torn in paths.folder.rglob(".*.part"):
        torn.unlink(missing_ok=True)


def _sealed_data(run: RecordedRun, log: ReadLog) -> StudyData:
    """Return the data after sealing what must be known before the first step.

    Raises:
        RunFailedError: the run was sealed with other data.
    """
    data = run.study.load_data(log.track(run.parameters))
    record = data_record(**data.record)
    run.paths.artifacts.mkdir(exist_ok=True)
    if _is_sealed(run.paths):
        seal(run.paths, resumed=True)
        if read_json(run.paths.data) != record:
            raise RunFailedError(
                f"{run.paths.data}: the data are not those that the run was sealed with. "
                "Restore them, or launch a new run."
            )
        return data
    code = run.study.defaults_path.parent
    facts = {**_torch_facts(run.parameters), **_study_files(run.study)}
    write_environment(run.paths, capture_environment(facts, code=code))
    write_data_record(run.paths, record)
    seal(run.paths)
    return data


def _is_sealed(paths: RunPaths) -> bool:
    events = read_ledger(paths.folder.parent)
    return any(event["run"] == paths.name and event["event"] == "sealed" for event in events)


def _study_files(study: Any) -> dict[str, dict[str, str]]:
    """Return the checksums of a study's own file and of its values; none of a study that comes with Probatum.

    Such a file need not stand in a git tree, and then nothing else in the record says that it was edited.
    """
    module = type(study).__module__
    if module.split(".")[0] == "probatum":
        return {}
    files = (getattr(sys.modules.get(module), "__file__", None), study.defaults_path)
    paths = [Path(file) for file in files if file]
    return {"study_files": {path.name: sha256_file(path) for path in paths if path.is_file()}}


def _torch_facts(parameters: Any) -> dict[str, Any]:
    """Return the versions and switches of torch that decide whether numbers repeat."""
    import torch

    return {
        "torch_version": torch.__version__,
        "cuda_available": torch.cuda.is_available(),
        "cuda_version": torch.version.cuda,
        "cudnn_version": torch.backends.cudnn.version(),
        "cuda_devices": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())],
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": parameters.threads,
        "deterministic_algorithms": parameters.torch_deterministic,
        "cudnn_benchmark": False,
        "mixed_precision": parameters.mixed_precision,
    }


def _train_seeds(run: RecordedRun, data: StudyData, log: ReadLog) -> list[dict[str, Any]]:
    seeds = run.parameters.seeds
    several = len(seeds) > 1
    waiting = [seed for seed in seeds if not run.paths.seed_result(seed).exists()]
    if several or run.parameters.strategy != "single":
        _train_in_processes(run, waiting)
    elif waiting:
        train_seed(run, waiting[0], run.parameters.devices[:1], several=False, log=log, data=data)
    return [read_json(run.paths.seed_result(seed)) for seed in seeds]


def _train_in_processes(run: RecordedRun, waiting: list[int]) -> None:
    import torch

    from probatum.training.machine import resolve_devices
    from probatum.training.seeds import run_side_by_side, slots

    for name in run.parameters.devices:
        resolve_devices((name,))  # a device that is not there is a mistake of the call, not of a seed
    places = slots(run.parameters, cores=os.cpu_count() or 1, cuda_devices=torch.cuda.device_count())
    run_side_by_side(run.paths, waiting, places, lambda line: print(line, flush=True))


def _write_record(run: RecordedRun, results: list[dict[str, Any]]) -> None:
    """Write what the finished seeds add up to."""
    from probatum.training.evaluation import write_evaluation

    paths, config = run.paths, run.config
    for stale in paths.folder.glob(paths.repro_results("*").name):
        stale.unlink()  # of a run that was stopped between this write and its end
    rows = [row for result in results for row in read_epochs(paths.seed_epochs(result["seed"]))]
    with EpochJournal(paths.metrics_epoch, tuple(rows[0])) as journal:
        journal.rewrite(rows)
    write_evaluation(run, {result["seed"]: result["evaluation"] for result in results})
    completed_at = utc_now()
    record = build_results(
        experiment_name=paths.name,
        config_md5=config["config_md5"],
        per_seed=results,
        completed_at=completed_at,
    )
    write_results(paths, record)
    write_repro_results(
        paths,
        record,
        datetime.fromisoformat(completed_at).strftime("%Y%m%d_%H%M%S"),
        model_config=config.get("model_config", {}),
        training_args={**config.get("data", {}), **config.get("training", {})},
    )
    write_multi_seed(paths, record)
    write_summaries(paths, config, record)
    _keep_best_seed(run, results)


def _keep_best_seed(run: RecordedRun, results: list[dict[str, Any]]) -> None:
    """With several seeds, `model_best.pth` and `model_last.pth` are those of the best one on validation."""
    if len(results) == 1:
        return
    metric = run.study.metric(run.study.primary_metric)
    best = results[0]
    for result in results[1:]:
        value, highest = (r["metrics"][metric.name]["best_epoch"] for r in (result, best))
        if value is not None and (highest is None or metric.is_better(value, highest)):
            best = result
    for kind in (run.paths.model_best, run.paths.model_last):
        write_whole(kind(), kind(best["seed"], several=True).read_bytes())


@contextlib.contextmanager
def _status_kept(paths: RunPaths) -> Iterator[None]:
    """Leave the truth in `status.json` however the run ends, and translate what stopped it."""
    previous = signal.signal(signal.SIGTERM, _interrupt)
    hint = f"`probatum resume {run_id(paths.name)}` continues it."
    try:
        yield
    except KeyboardInterrupt:
        _note(paths, "interrupted", "stopped by a person or the system")
        raise RunInterruptedError(f"{paths.name} was interrupted. {hint}") from None
    except OSError as error:
        _note(paths, "failed", str(error))
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES):
            raise RunFailedError(
                f"{paths.name}: {error.strerror} while writing {error.filename or 'the record'}. "
                f"Everything up to the last finished epoch is kept; make room, then {hint}"
            ) from None
        raise
    except ProbatumError as error:
        _note(paths, "failed", str(error))
        raise
    except BaseException as error:
        _note(paths, "failed", f"{type(error).__name__}: {error}")
        raise
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _note(paths: RunPaths, status: Any, error: str) -> None:
    with contextlib.suppress(OSError, ProbatumError):  # a full disk must not hide the reason
        write_status(paths, status, error=error)
