import json

import pytest

from probatum._errors import ComparisonError, RecordError
from probatum.reproduction.compare import compare_runs
from probatum.reproduction.table import report_text


def changed(folders, **values):
    return {**folders.VALUES, **values}


def test_identical_runs_pass_bit_for_bit(folders, tmp_path):
    found = compare_runs(*folders.make_pair(tmp_path))
    assert (found.verdict, found.bitwise, found.first_difference) == ("PASS", True, None)
    assert found.config_md5_match
    assert found.results_md5_match


def test_the_seeds_rows_come_first(folders, tmp_path):
    labels = [row.metric for row in compare_runs(*folders.make_pair(tmp_path)).rows]
    expected = [
        "Best Val AUC",
        "Best Val Accuracy",
        "Mastery Correlation",
        "Gain Correlation",
        "Validation loss",
    ]
    assert labels == expected


@pytest.mark.parametrize(
    ("auc", "verdict"), [(0.7410, "PASS"), (0.7414, "PASS"), (0.7409, "FAIL"), (0.74141, "FAIL")]
)
def test_the_strict_edge_passes_and_beyond_it_fails(folders, tmp_path, auc, verdict):
    found = compare_runs(*folders.make_pair(tmp_path, values=changed(folders, val_auc=auc)))
    assert found.verdict == verdict


def test_mixed_precision_has_the_standard_tolerance(folders, tmp_path):
    config = folders.make_config(mixed_precision=True)
    found = compare_runs(*folders.make_pair(tmp_path, config=config, values=changed(folders, val_auc=0.7392)))
    assert (found.mode, found.verdict) == ("standard", "PASS")


def test_a_loosened_mode_is_refused(folders, tmp_path):
    config = {**folders.make_config(), "tolerance_mode": "standard"}
    with pytest.raises(RecordError, match="mixed_precision"):
        compare_runs(*folders.make_pair(tmp_path, config=config))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.7412", True])
def test_what_is_no_number_fails(folders, tmp_path, value):
    found = compare_runs(*folders.make_pair(tmp_path, values=changed(folders, val_auc=value)))
    assert (found.rows[0].status, found.verdict) == ("FAIL", "FAIL")


def test_nan_in_both_runs_fails(folders, tmp_path):
    source, target = folders.make_pair(tmp_path)
    for paths in (source, target):
        folders.write(paths.results, folders.make_results(changed(folders, val_auc=float("nan"))))
    assert compare_runs(source, target).verdict == "FAIL"


def test_a_metric_missing_in_one_run_never_passes(folders, tmp_path):
    found = compare_runs(*folders.make_pair(tmp_path, values=changed(folders, val_auc=None)))
    assert (found.rows[0].status, found.verdict) == ("MISSING", "FAIL")


def test_a_metric_absent_from_both_runs_never_passes(folders, tmp_path):
    source, target = folders.make_pair(tmp_path)
    values = {name: value for name, value in folders.VALUES.items() if name != "gain_correlation"}
    for paths in (source, target):
        folders.write(paths.results, folders.make_results(values))
    assert compare_runs(source, target).verdict == "FAIL"


def test_a_metric_both_runs_record_as_unmeasured_never_passes(folders, tmp_path):
    source, target = folders.make_pair(tmp_path)
    for paths in (source, target):
        folders.write(paths.results, folders.make_results(changed(folders, gain_correlation=None)))
    found = compare_runs(source, target)
    assert (found.rows[3].status, found.verdict, found.within_tolerance) == ("MISSING", "FAIL", False)
    assert "Gain Correlation: measured in neither run, although both records declare it" in found.reasons


def without_gains(folders, reason="use_gain_head is false"):
    config = folders.make_config()
    config["metrics"] = [metric for metric in config["metrics"] if metric["name"] != "gain_correlation"]
    return {**config, "not_applicable": {"gain_correlation": reason}}


def test_a_metric_that_both_records_declare_not_applicable_is_no_row_and_no_obstacle(folders, tmp_path):
    source, target = folders.make_pair(tmp_path, config=without_gains(folders))
    for paths in (source, target):
        folders.write(paths.results, folders.make_results(changed(folders, gain_correlation=None)))
    found = compare_runs(source, target)
    assert "gain_correlation" not in {row.name for row in found.rows}
    assert found.verdict == "PASS"
    assert "note: Gain Correlation: not applicable in either run (use_gain_head is false)" in report_text(
        found
    )


@pytest.mark.parametrize("reason", [None, "another reason"])
def test_a_metric_that_one_record_alone_declares_not_applicable_is_not_comparable(folders, tmp_path, reason):
    source, target = folders.make_pair(tmp_path, config=without_gains(folders))
    folders.write(target.config, without_gains(folders, reason) if reason else folders.make_config())
    with pytest.raises(ComparisonError, match=r"metric definition: not_applicable\.gain_correlation"):
        compare_runs(source, target)
    assert compare_runs(source, target, force=True).verdict == "NOT COMPARABLE"


def test_a_missing_results_file_makes_every_metric_missing(folders, tmp_path):
    source, target = folders.make_pair(tmp_path)
    target.results.unlink()
    found = compare_runs(source, target)
    assert {row.status for row in found.rows} == {"MISSING"}
    assert found.verdict == "FAIL"


def test_a_torn_results_file_is_named(folders, tmp_path):
    source, target = folders.make_pair(tmp_path)
    target.results.write_text('{"best')
    with pytest.raises(RecordError, match=r"results\.json: expected whole JSON"):
        compare_runs(source, target)


def test_other_seeds_are_not_comparable_unless_forced(folders, tmp_path):
    source = folders.make_run(tmp_path / "a")
    target = folders.make_run(tmp_path / "b", seeds=(21,))
    with pytest.raises(ComparisonError, match=r"seeds: \[42\] -> \[21\]"):
        compare_runs(source, target)
    found = compare_runs(source, target, force=True)
    assert (found.verdict, found.comparable) == ("NOT COMPARABLE", False)
    assert "NOT COMPARABLE" in report_text(found)


def test_other_data_are_not_comparable(folders, tmp_path):
    with pytest.raises(ComparisonError, match="sha256"):
        compare_runs(*folders.make_pair(tmp_path, data="b" * 64))


def test_another_tolerance_is_another_metric_definition(folders, tmp_path):
    source, target = folders.make_pair(tmp_path)
    config = folders.make_config()
    config["metrics"][1]["strict_tolerance"] = 0.5
    folders.write(target.config, config)
    with pytest.raises(ComparisonError, match=r"metrics\.val_auc\.strict_tolerance: 0.0002 -> 0.5"):
        compare_runs(source, target)


def test_another_configuration_fails_and_names_the_parameter(folders, tmp_path):
    source, target = folders.make_pair(tmp_path)
    folders.write(target.config, folders.make_config(learning_rate=0.01))
    found = compare_runs(source, target)
    assert found.verdict == "FAIL"
    assert "parameters.learning_rate: 0.001 -> 0.01" in found.reasons[0]


def test_the_difference_over_seeds_is_the_largest(folders, tmp_path):
    seeds = (21, 42)
    values = [changed(folders, val_auc=0.7412), changed(folders, val_auc=0.7411)]
    found = compare_runs(*folders.make_pair(tmp_path, seeds=seeds, values=values)).rows[0]
    assert (found.diff, found.seed_diffs) == (0.0001, {"21": 0.0, "42": 0.0001})


def test_opposite_drifts_of_two_seeds_do_not_cancel(folders, tmp_path):
    values = [changed(folders, val_auc=0.7512), changed(folders, val_auc=0.7312)]
    assert compare_runs(*folders.make_pair(tmp_path, seeds=(21, 42), values=values)).rows[0].status == "FAIL"


def test_the_first_differing_byte_and_cell_are_named(folders, tmp_path):
    found = compare_runs(*folders.make_pair(tmp_path, auc_cell="0.7413"))
    assert not found.bitwise
    assert found.first_difference == "metrics_epoch.csv: seed 42, epoch 2, val_auc: 0.7412 -> 0.7413"
    assert found.epochs.largest_deviation == pytest.approx(0.0001)


def test_another_environment_is_named(folders, tmp_path):
    found = compare_runs(*folders.make_pair(tmp_path, environment={"torch_version": "2.12.0"}))
    assert "environment: torch_version: 2.13.0 -> 2.12.0" in report_text(found)


def test_times_do_not_change_the_results_md5(folders, tmp_path):
    source, target = folders.make_pair(tmp_path)
    results = json.loads(target.results.read_text()) | {"completed_at": "2030-01-01T00:00:00Z"}
    folders.write(target.results, results)
    found = compare_runs(source, target)
    assert found.results_md5_match
    assert found.source_hashes.results_raw_md5 != found.target_hashes.results_raw_md5
