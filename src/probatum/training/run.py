"""One seed of a recorded run: trained, evaluated, its result written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from probatum._files import write_json
from probatum.parameters import ReadLog
from probatum.training.recorded import RecordedRun
from probatum.training.study import Metrics, Study, StudyData

if TYPE_CHECKING:
    from probatum.training.loop import TrainingLoop


READ_BY_THE_LAUNCHER = ("seeds", "devices")  # they decide which processes train, and where


def train_seed(
    run: RecordedRun,
    seed: int,
    devices: tuple[str, ...],
    *,
    several: bool,
    log: ReadLog,
    data: StudyData | None = None,
) -> dict[str, Any]:
    """Train one seed from its last checkpoint or from nothing, evaluate it, and return its result.

    The result is written last: a seed that has one is finished.

    Args:
        run: the run.
        seed: one of its seeds.
        devices: where to train, by name.
        several: whether the run has more seeds, so that files carry the seed in their names.
        log: what has been read of the parameters so far.
        data: the splits, where they are loaded already.
    """
    import torch

    from probatum.training.instrumentation import flags
    from probatum.training.loop import TrainingLoop
    from probatum.training.machine import make_machine, resolve_devices
    from probatum.training.seeding import describe_random_state

    parameters = log.track(run.parameters)
    log.read.update(READ_BY_THE_LAUNCHER)
    if not parameters.instrument_signals:
        log.read.update(flags(parameters))  # the switch that turns them off was read
    torch.set_num_threads(parameters.threads)
    machine = make_machine(parameters, resolve_devices(devices))
    data = data or run.study.load_data(parameters)
    loop = TrainingLoop(
        run.study, parameters, machine, data, run.paths, seed, several=several, reads=log.read
    )
    loop.resume()
    loop.run()
    machine.wait_for_all()  # the writer's checkpoints are whole before any rank reads them
    evaluation = _evaluate_best(run.study, parameters, loop, data, several=several)
    if parameters.instrument_signals and machine.is_writer:
        _add_curves(run.study, parameters, loop, data, several=several)
    result = _seed_result(run, loop, evaluation, log)
    if machine.is_writer:
        write_json(
            run.paths.rng(seed),
            {"seed": seed, **loop.random_states, "end": describe_random_state(loop.order)},
        )
        write_json(run.paths.seed_trajectory(seed), loop.trajectory)
        run.study.write_logs(run.paths, seed, several=several)
        write_json(run.paths.seed_result(seed), result)
    return result


def _evaluate_best(
    study: Study, parameters: Any, loop: TrainingLoop, data: StudyData, *, several: bool
) -> dict[str, Metrics]:
    """Return the metrics of the best epoch's weights on each split: the one look at the test data."""
    from probatum.training.evaluation import evaluate_checkpoint

    path = loop.paths.model_best(loop.seed, several=several)
    return evaluate_checkpoint(study, parameters, path, data, loop.machine)


def _add_curves(study: Study, parameters: Any, loop: TrainingLoop, data: StudyData, *, several: bool) -> None:
    """Write the robustness curves of the best epoch's weights into the seed's artifact."""
    from probatum.training.robustness import checkpoint_curves, request_of

    request = request_of(parameters)
    if request is None:
        loop.signals.add_curves(None, "no mask rates and no keep ratios were asked for")
        return
    path = loop.paths.model_best(loop.seed, several=several)
    curves = checkpoint_curves(study, parameters, path, data, loop.machine, request)
    loop.signals.add_curves(curves, f"study {study.name} offers no observations to perturb")


def _seed_result(
    run: RecordedRun, loop: TrainingLoop, evaluation: dict[str, Metrics], log: ReadLog
) -> dict[str, Any]:
    history, best_epoch = loop.history, loop.best["epoch"]
    best = next((row for row in history if row["epoch"] == best_epoch), history[-1])
    metrics = {
        metric.name: {"best_epoch": best[metric.name], "last": history[-1][metric.name], "epoch": best_epoch}
        for metric in run.study.metrics
    }
    return {
        "schema_version": run.config["schema_version"],
        "seed": loop.seed,
        "best_epoch": best_epoch,
        "last_epoch": history[-1]["epoch"],
        "metrics": metrics,
        "evaluation": evaluation,
        "train_history": {
            **{column: [row[column] for row in history] for column in loop.columns[2:]},
            "semantic_trajectory": loop.trajectory,
        },
        "study": run.study.results_record(history, loop.trajectory, best_epoch, evaluation),
        "parameter_check": {
            "missing_params": sorted(log.missing),
            "unread_params": sorted(log.unread(run.parameters)),
        },
    }
