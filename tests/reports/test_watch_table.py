import io
from dataclasses import replace

from rich.console import Console

from probatum.reports.watch import terminal
from probatum.reports.watch.state import PlanView, RunView, View
from probatum.reports.watch.table import HEAD, lines, rich_view, run_line, shown_columns

RUN = RunView(
    "20260101_000000_toy_a_123456", "123456", "toy", "a", "running", "", "2026-01-01T00:00:00+00:00", 2, 1, 5, 20,
    "val_auc", True, (0.5, None, 0.7), 0.7, 0.7, 1234.5, 90.0,
)  # fmt: skip
PLAN = PlanView("sweep", "out/sweep", True, 4, {"running": 1, "completed": 3}, 30.0, None)
VIEW = View("runs", "2026-01-01T00:00:00+00:00", (RUN,), (PLAN,), 2)


def drawn(view, width):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(rich_view(view, width))
    return console.file.getvalue()


def test_plain_lines_hold_every_column_in_ascii():
    found = lines(VIEW)
    assert found[1].split() == list(HEAD)
    assert "5/20 (1/2 seeds)" in found[2]
    assert "1 min 30 s" in found[2]
    assert all(line.isascii() for line in found)


def test_a_plan_is_one_line_with_its_counts():
    assert (
        lines(VIEW)[0] == "plan sweep: 3 completed, 1 running of 4; a runner works on it, about 30.0 s left"
    )


def test_older_runs_are_counted():
    assert lines(VIEW)[-1].startswith("and 2 older runs")


def test_a_narrow_terminal_loses_columns_and_not_the_status():
    wide, narrow = drawn(VIEW, 160), drawn(VIEW, 60)
    assert "val_auc" in wide
    assert "toy" in wide
    assert "running" in narrow
    assert "val_auc" not in narrow
    assert max(map(len, narrow.splitlines()[2:4])) <= 60


def test_columns_that_fit_all_stay():
    assert shown_columns([HEAD], 200) == list(range(len(HEAD)))


def test_a_title_cannot_drive_the_terminal_or_the_markup():
    view = replace(VIEW, runs=(replace(RUN, title="[red]x[/]\x1b[2J\n"),))
    assert "\x1b[2J" not in "\n".join(lines(view))
    assert "[red]x[/]?[2J?" in drawn(view, 200)


def test_what_is_unknown_is_a_dash():
    empty = replace(
        RUN, metric=None, curve=(), best=None, last=None, rate=None, seconds_left=None, epochs_total=None
    )
    assert "5/?" in run_line(empty)
    assert "no metric" in run_line(empty)


class Told:
    """A watcher that gives prepared views."""

    def __init__(self, *views):
        self.views = list(views)

    def look(self):
        return self.views.pop(0)


def test_without_a_terminal_each_change_is_a_line_and_the_end_ends_it():
    later = replace(VIEW, runs=(replace(RUN, epochs_done=6, last=0.8, best=0.8),))
    over = replace(
        later, runs=(replace(later.runs[0], status="completed"),), plans=(replace(PLAN, is_running=False),)
    )
    said, slept = [], []
    terminal.watch_lines(Told(VIEW, VIEW, later, over), 3.0, said.append, slept.append)
    changes = said[len(lines(VIEW)) :]
    assert [line.split(": ", 1)[1].split(",")[0] for line in changes] == [
        "running",
        "completed",
        "3 completed",
    ]
    assert slept == [3.0] * 3
