import pytest

from probatum._errors import UsageError
from probatum.analysis.chart import pareto_chart, write_chart
from probatum.analysis.leaderboard import analyse


@pytest.mark.parametrize(("name", "start"), [("front.png", b"\x89PNG"), ("front.svg", b"<svg")])
def test_the_ending_decides_the_format(sweep, tmp_path, name, start):
    write_chart(analyse(sweep), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


def test_every_experiment_is_drawn_and_the_notable_are_named(sweep):
    specification = pareto_chart(analyse(sweep)).to_dict()
    rows = specification["data"]["values"]
    assert len(rows) == 6
    labels = {row["experiment"]: row["label"] for row in rows}
    assert labels["baseline_reference"] == "baseline_reference (baseline)"
    assert labels["opt_sgd"] == ""


@pytest.mark.parametrize(
    ("objectives", "name"), [(["loss"], "a.png"), (["loss", "training_seconds"], "a.pdf")]
)
def test_what_cannot_be_drawn_is_explained(sweep, tmp_path, objectives, name):
    with pytest.raises(UsageError, match=r"two objectives|ends with \.png"):
        write_chart(analyse(sweep, objectives=objectives), tmp_path / name)
