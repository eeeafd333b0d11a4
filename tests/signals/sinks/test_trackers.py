"""Each sink with its real tracker, offline; a tracker that is not installed is skipped aloud."""

import builtins
import sys

import pytest

from probatum._errors import MissingExtraError, UsageError
from probatum.signals.epoch import EpochSignals, Statistic
from probatum.signals.sinks.mlflow import MlflowSink
from probatum.signals.sinks.tensorboard import TensorBoardSink
from probatum.signals.sinks.wandb import WandbSink

EPOCHS = [
    EpochSignals(epoch, gradients={"fc": {"norm": Statistic.of([float(epoch)])}}, overhead_seconds=0.1)
    for epoch in (1, 2)
]


def tracker(name):
    return pytest.importorskip(
        name, reason=f"{name} is not installed, so its sink is not run", exc_type=ImportError
    )


def test_tensorboard_reads_back_what_was_written(tmp_path):
    tracker("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    sink = TensorBoardSink(tmp_path)
    for signals in EPOCHS:
        sink(signals, {"val_loss": 0.5})
    sink.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [(e.step, e.value) for e in events.Scalars("gradients/fc/norm")] == [(1, 1.0), (2, 2.0)]
    assert events.Scalars("val_loss")[0].value == 0.5


def test_a_writer_of_the_caller_stays_open(tmp_path):
    tracker("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        TensorBoardSink(writer).close()
        writer.add_scalar("after", 1.0, 1)


@pytest.mark.filterwarnings("ignore")  # of the tracker's own code
def test_wandb_keeps_the_last_epoch_in_an_offline_run(tmp_path, monkeypatch):
    wandb = tracker("wandb")
    for variable, value in {
        "MODE": "offline",
        "DIR": tmp_path,
        "SILENT": "true",
        "CACHE_DIR": tmp_path,
    }.items():
        monkeypatch.setenv(f"WANDB_{variable}", str(value))
    with pytest.raises(UsageError, match=r"wandb\.init"):
        WandbSink()
    with wandb.init(project="probatum", dir=tmp_path) as run:
        sink = WandbSink()
        for signals in EPOCHS:
            sink(signals, {"val_loss": 0.5})
        summary = dict(run.summary)
    assert (summary["gradients/fc/norm"], summary["epoch"], summary["val_loss"]) == (2.0, 2, 0.5)


@pytest.mark.filterwarnings("ignore")  # of the tracker's own code
def test_mlflow_reads_back_what_was_written(tmp_path, monkeypatch):
    mlflow = tracker("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    experiment = mlflow.create_experiment("signals", artifact_location=str(tmp_path))
    with mlflow.start_run(experiment_id=experiment) as run:
        sink = MlflowSink()
        for signals in EPOCHS:
            sink(signals, {"val_loss": 0.5})
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "gradients/fc/norm")
    assert [(one.step, one.value) for one in history] == [(1, 1.0), (2, 2.0)]


def test_mlflow_gets_names_that_it_accepts(monkeypatch):
    logged = {}

    class Mlflow:
        @staticmethod
        def log_metrics(named, step, run_id):
            logged.update(named)

    monkeypatch.setitem(sys.modules, "mlflow", Mlflow)
    MlflowSink()(EpochSignals(1, attention={"(model)#2": {"mean": Statistic.of([0.5])}}))
    assert logged == {"attention/_model__2/mean": 0.5}


@pytest.mark.parametrize(
    ("module", "make"),
    [("torch.utils.tensorboard", lambda: TensorBoardSink("x")), ("wandb", WandbSink), ("mlflow", MlflowSink)],
)
def test_a_tracker_that_is_not_installed_is_named_with_its_pip_line(monkeypatch, module, make):
    real = builtins.__import__

    def refuse(name, *rest, **named):
        if name == module:
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match="pip install"):
        make()
