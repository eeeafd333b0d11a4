import pytest

from probatum.analysis.records import RunRecord, columns_of, numeric_columns


def _run(**more):
    return RunRecord("p", "a", "completed", "p/a", **more)


def test_start_up_is_the_rest_of_the_duration():
    assert _run(duration_seconds=10.0, training_seconds=7.5).startup_seconds == 2.5


@pytest.mark.parametrize(
    "times", [{"duration_seconds": 1.0}, {"duration_seconds": 1.0, "training_seconds": 2.0}]
)
def test_start_up_that_cannot_be_known_is_none(times):
    assert _run(**times).startup_seconds is None


def test_every_row_fits_the_columns():
    runs = [
        _run(tags={"axis": "x"}, values={"metrics_loss": 1.0}),
        _run(values={"loss_min": None, "depth": 3}),
    ]
    columns = columns_of(runs)
    assert all(run.as_row().keys() <= set(columns) for run in runs)
    assert len(columns) == len(set(columns))


def test_a_column_that_was_never_finite_is_no_metric():
    assert numeric_columns([_run(values={"loss": None, "depth": 3})]) == ["depth"]
