from __future__ import annotations

import json

import pytest

from probatum._errors import UsageError
from probatum._files import read_json, write_json
from probatum.ablations import describe_plan, plan_status
from probatum.ablations.runner.folder import PlanFolder
from probatum.ablations.runner.lock import plan_lock
from probatum.runs.ledger import read_ledger, verify_ledger


def record(plan, key):
    return read_json(plan.folder / key / "metadata.json")


def index(plan):
    return {entry["experiment"]: entry for entry in read_json(plan.folder / "plan_index.json")["experiments"]}


def test_a_dry_run_writes_nothing(shell_plan, tmp_path):
    plan = shell_plan(a="exit 0")
    before = sorted(tmp_path.rglob("*"))
    lines = list(describe_plan(plan))
    assert "    train.line:(absent)->exit 0" in lines
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dry_run_tells_what_would_be_skipped_and_what_is_left_out(shell_plan, sweep):
    sweep(shell_plan(a="exit 0"))
    lines = list(
        describe_plan(shell_plan(a="exit 0", b="exit 0", c="exit 0"), skip_existing=True, max_runs=1)
    )
    assert "a: would be skipped, completed with the same hash" in lines
    assert "c: left out by --max-runs" in lines


def test_what_a_run_prints_is_captured(shell_plan, sweep):
    plan = shell_plan(a="echo good; echo bad >&2")
    sweep(plan)
    assert (plan.folder / "a/stdout.log").read_text() == "good\n"
    assert (plan.folder / "a/stderr.log").read_text() == "bad\n"


def test_a_failed_run_shows_its_last_lines_and_the_rest_goes_on(shell_plan, sweep):
    plan = shell_plan(a="echo 'loss is nan' >&2; exit 3", b="exit 0")
    result, said = sweep(plan)
    assert (result.failed, result.completed) == (["a"], ["b"])
    assert "a FAILED: ended with exit code 3 (outputs/ablations/p/a)\n    loss is nan" in "\n".join(said)
    assert record(plan, "a")["last_lines"] == ["loss is nan"]
    assert record(plan, "a")["status"] == "failed"


def test_fail_fast_starts_nothing_more_and_stops_what_runs(shell_plan, sweep):
    plan = shell_plan(a="exit 1", b="sleep 30", c="exit 0", d="exit 0")
    result, _ = sweep(plan, fail_fast=True)
    assert (result.failed, result.interrupted) == (["a"], ["b"])
    assert "d" in result.left
    assert record(plan, "b")["status"] == "interrupted"


def test_existing_means_completed_with_the_same_hash(shell_plan, sweep):
    sweep(shell_plan(a="exit 0", b="exit 1", c="exit 0"))
    result, _ = sweep(shell_plan(a="exit 0", b="exit 1", c="exit 0; :"), skip_existing=True)
    assert result.skipped == ["a"]
    assert (result.failed, result.completed) == (["b"], ["c"])


def test_without_skip_existing_a_run_is_done_again_and_the_earlier_one_is_kept(shell_plan, sweep):
    plan = shell_plan(a="date +%N")
    sweep(plan)
    first = (plan.folder / "a/stdout.log").read_text()
    sweep(plan)
    assert (plan.folder / "a/earlier/001/stdout.log").read_text() == first
    assert (plan.folder / "a/stdout.log").read_text() != first


def test_a_failed_run_leaves_no_number_of_an_earlier_one(plan_of, sweep):
    text = r"""
defaults: {{train_script: [sh, -c, 'printf "step,loss\n1,2\n" > $0/r; exit {}', '{{output_dir}}']}}
results: {{file: r, format: wide}}
experiments: [{{name: a}}]
"""
    sweep(plan_of(text.format(0)))
    plan = plan_of(text.format(1))
    assert (plan.folder / "a/summary.json").exists()
    sweep(plan)
    assert not (plan.folder / "a/summary.json").exists()
    assert index(plan)["a"]["summary"] is None


def test_max_runs_counts_what_is_started_whatever_becomes_of_it(shell_plan, sweep):
    result, _ = sweep(shell_plan(a="exit 1", b="exit 1", c="exit 0"), max_runs=2)
    assert (sorted(result.failed), result.left) == (["a", "b"], ["c"])


def test_a_hanging_run_is_stopped_and_the_rest_goes_on(shell_plan, sweep):
    plan = shell_plan(a="sleep 30", b="exit 0")
    result, _ = sweep(plan, timeout_seconds=0.3)
    assert (result.failed, result.completed) == (["a"], ["b"])
    assert record(plan, "a")["error"].startswith("timed out after 0.")


def test_a_failure_is_tried_again_and_every_attempt_is_recorded(shell_plan, sweep):
    plan = shell_plan(a="[ -e mark ] || { touch mark; exit 9; }", b="exit 4")
    result, _ = sweep(plan, retries=1)
    assert (result.completed, result.failed) == (["a"], ["b"])
    assert [attempt["returncode"] for attempt in record(plan, "a")["attempts"]] == [9, 0]
    assert [attempt["returncode"] for attempt in record(plan, "b")["attempts"]] == [4, 4]


def test_a_program_that_is_not_there_is_a_failed_run_and_not_the_end(plan_of, sweep):
    plan = plan_of("defaults: {train_script: [nowhere-to-be-found, '{train.x}']}\nmatrix: {train.x: [1, 2]}")
    result, _ = sweep(plan)
    assert result.failed == ["x-1", "x-2"]
    assert record(plan, "x-1")["returncode"] == 127


def test_a_run_that_leaves_no_declared_results_is_no_success(plan_of, sweep):
    plan = plan_of("""
defaults: {train_script: ['true']}
results: {file: r.csv, format: wide}
experiments: [{name: a}]
""")
    assert sweep(plan)[0].failed == ["a"]
    assert "expected r.csv in artifacts/" in record(plan, "a")["error"]


def test_the_index_never_forgets(shell_plan, sweep):
    sweep(shell_plan(a="exit 0", b="exit 0"))
    plan = shell_plan(c="exit 0")
    sweep(plan)
    assert set(index(plan)) == {"a", "b", "c"}


def test_an_entry_of_the_index_stays_when_its_folder_is_gone(shell_plan, sweep):
    plan = shell_plan(a="exit 0")
    sweep(plan)
    content = read_json(plan.folder / "plan_index.json")
    content["experiments"].append({"experiment": "old", "run_root": "outputs/ablations/p/old"})
    write_json(plan.folder / "plan_index.json", content)
    sweep(plan)
    assert index(plan)["old"]["folder"] == "gone"


def test_the_plan_is_sealed_before_its_first_run(shell_plan, sweep):
    plan = shell_plan(
        "baseline: a\nprimary_metric: eval_loss\n", a="grep -c plan_sealed outputs/ablations/ledger.jsonl"
    )
    sweep(plan)
    sweep(plan)
    assert (plan.folder / "a/stdout.log").read_text() == "1\n"
    (line,) = read_ledger(plan.output)
    assert (line["event"], line["baseline"], line["primary_metric"]) == ("plan_sealed", "a", "eval_loss")
    sealed = read_json(plan.folder / f".probatum/seals/{line['plan_sha256']}.json")
    assert sealed["runs"] == {"a": plan.runs[0].config_hash}
    assert verify_ledger(plan.output) == []


def test_a_baseline_chosen_after_the_results_is_seen_as_such(shell_plan, sweep):
    sweep(shell_plan(a="exit 0", b="exit 0"))
    plan = shell_plan("baseline: b\n", a="exit 0", b="exit 0")
    sweep(plan, skip_existing=True)
    assert [line["completed_before"] for line in read_ledger(plan.output)] == [0, 2]


def test_a_second_runner_is_refused(shell_plan, sweep):
    plan = shell_plan(a="exit 0")
    folder = PlanFolder(plan.folder)
    folder.make()
    with plan_lock(folder), pytest.raises(UsageError, match="another runner"):
        sweep(plan)


def test_a_secret_of_the_environment_stays_out_of_the_record(plan_of, sweep):
    plan = plan_of("""
defaults: {train_script: [sh, -c, 'echo $API_KEY $DEPTH'], env: {API_KEY: abc, DEPTH: 3}}
experiments: [{name: a}]
""")
    sweep(plan)
    assert (plan.folder / "a/stdout.log").read_text() == "abc 3\n"
    assert record(plan, "a")["env"] == {"API_KEY": "(hidden)", "DEPTH": "3"}


def test_an_experiments_environment_wins_over_the_plans(plan_of, sweep):
    plan = plan_of("""
defaults: {train_script: [sh, -c, 'echo $X $Y'], env: {X: 1, Y: 1}}
experiments: [{name: a, env: {Y: 2}}]
""")
    sweep(plan)
    assert (plan.folder / "a/stdout.log").read_text() == "1 2\n"


def test_the_progress_tells_how_far_and_how_long(shell_plan, sweep):
    _, said = sweep(shell_plan(a="exit 0", b="exit 0", c="exit 0"))
    assert [line.split("]")[0].split(",")[0] for line in said] == ["[1/3", "[2/3", "[3/3"]
    assert "left]" in said[0]


def test_the_status_is_read_from_the_files(shell_plan, sweep):
    plan = shell_plan(a="exit 0", b="exit 2", c="exit 0")
    sweep(plan, max_runs=2)
    status = plan_status(plan)
    assert [run.status for run in status.runs] == ["completed", "failed", "planned"]
    assert "b  failed       ended with exit code 2" in status.lines()
    assert "no runner works on it" in status.lines()[-1]
    json.dumps(status.as_record(), allow_nan=False)


def test_every_record_is_strict_json(shell_plan, sweep):
    plan = shell_plan(a="exit 0")
    sweep(plan)
    for path in plan.folder.rglob("*.json"):
        json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(name))
