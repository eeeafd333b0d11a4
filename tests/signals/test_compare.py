import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from scipy import stats

from probatum._files import strict_json
from probatum.signals.compare import compare_artifacts
from probatum.signals.compare_text import comparison_text, notes_text, summary_text

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stories.py"))))
SAME = {"parameters": {"mask_ratio": 0.3}, "inputs": {"sha256": "a"}, "code": {"commit": "c"}}


def compare(tmp_path, *, parent=None, child=None):
    first = stories.artifact(tmp_path / "a0.json", **{"provenance": SAME, **(parent or {})})
    second = stories.artifact(tmp_path / "a3.json", **{"provenance": SAME, **(child or {})})
    return compare_artifacts(first, second)


def other(**changes):
    return {"provenance": {**SAME, **changes}}


def test_a_flag_that_cannot_act_is_found_to_be_inert(tmp_path):
    found = compare(tmp_path, child=other(parameters={"mask_ratio": 0.6}))
    assert found.change == "inert"
    assert "bit-identical" in found.change_sentence
    assert "mask_ratio" in found.change_sentence


def test_a_repetition_is_no_inert_change(tmp_path):
    assert compare(tmp_path).change == "repeated"


def test_a_tag_is_a_label_and_no_difference(tmp_path):
    found = compare(
        tmp_path,
        parent={"config": {"instrumentation_tag": "a"}},
        child={"config": {"instrumentation_tag": "b"}},
    )
    assert found.differences["config"] == []
    assert found.change == "repeated"


def test_a_change_that_acts_names_the_first_difference(tmp_path):
    found = compare(tmp_path, child={**other(parameters={"mask_ratio": 0.6}), "scale": 2.0})
    assert found.change == "acts"
    assert "epoch 1." in found.change_sentence


def test_results_that_differ_without_a_cause_are_called_unexplained(tmp_path):
    assert compare(tmp_path, child={"scale": 2.0}).change == "unexplained"


def test_unequal_inputs_and_code_are_said_before_anything_else(tmp_path):
    found = compare(tmp_path, child={**other(inputs={"sha256": "b"}, code={"commit": "d"}), "seed": 1})
    text = comparison_text(found)
    assert (
        text.index("inputs: 1 differ: sha256 a -> b") < text.index("Change:") < text.index("gradient_norms")
    )
    assert text.index("code: 1 differ: commit c -> d") < text.index("Change:")


def test_what_an_artifact_does_not_state_is_said_so(tmp_path):
    found = compare(tmp_path, child={"provenance": None})
    assert found.differences["code"] is None
    assert "code: not stated in both artifacts" in comparison_text(found)


def test_all_epochs_count_and_not_the_first_alone(tmp_path):
    def late(epoch):
        return stories.signals(epoch, scale=1.0 if epoch < 3 else 3.0)

    parent = stories.artifact(tmp_path / "a0.json", epochs=8)
    writer = stories.ArtifactWriter(tmp_path / "a3.json", {})
    for epoch in range(1, 9):
        writer.append(late(epoch))
    found = compare_artifacts(parent, stories.read_artifact(writer.path))
    cells = {e.epoch: e.verdict for e in found.cells if e.signal == "gradient_norms" and e.layer == "conv1"}
    (total,) = (e for e in found.layers if e.signal == "gradient_norms" and e.layer == "conv1")
    assert cells[1] == "identical"
    assert cells[5] == "larger"
    assert total.verdict == "larger"


def test_two_seeds_of_one_method_are_mostly_not_separated(tmp_path):
    found = compare(tmp_path, child={"seed": 1})
    moved = [effect for effect in found.layers if effect.verdict in ("larger", "smaller")]
    assert len(moved) <= 1


def test_sharpness_is_compared_by_its_spread_over_directions(tmp_path):
    found = []
    for name, sharpness in (("a0", 1.0), ("a3", 2.0)):
        writer = stories.ArtifactWriter(tmp_path / f"{name}.json", {})
        land = {"sharpness": sharpness, "sharpness_se": 0.1, "samples": 5}
        writer.append(stories.EpochSignals(1, landscape=land))
        found.append(stories.read_artifact(writer.path))
    (effect,) = compare_artifacts(*found).layers
    assert effect.effect_size == pytest.approx(1.0 / (0.1 * 5**0.5))
    assert effect.p_value == pytest.approx(2 * stats.t.sf(1.0 / (0.1 * 2**0.5), 8))


def test_diffused_attention_is_named(tmp_path):
    found = compare(tmp_path, parent={"lag": (0.8, 0.1, 0.1)}, child={"lag": (0.4, 0.3, 0.3)})
    assert [item.verdict for item in found.diffusion] == ["more diffused"]
    assert "attention attention: more diffused" in summary_text(found)


def test_layers_that_one_run_lacks_are_named(tmp_path):
    parent = stories.artifact(tmp_path / "a0.json")
    writer = stories.ArtifactWriter(tmp_path / "a3.json", {})
    writer.append(stories.EpochSignals(1, gradients={"new": stories.statistics(norm=[1.0, 2.0])}))
    found = compare_artifacts(parent, stories.read_artifact(writer.path))
    assert found.only_in_one["gradient_norms"] == {"parent": ["block.fc", "conv1"], "child": ["new"]}
    assert "only in the child: gradient_norms of new" in comparison_text(found)


def test_overlapping_curves_are_named_in_the_notes(tmp_path):
    curves = {"missingness_curve": stories.curve([0.8, 0.7, 0.6], half_width=0.05)}
    found = compare(tmp_path, parent={"perturbations": curves}, child={"perturbations": curves})
    assert "missingness auroc: curves overlap" in notes_text(found)
    assert "truncation_curve: not measured in parent and child" in notes_text(found)


def test_convergence_is_compared(tmp_path):
    def better(epoch):
        return stories.metrics(epoch, primary=stories.PrimaryMetric("val_auprc", 0.6 + 0.01 * epoch, True))

    found = compare(tmp_path, child={"told": better})
    assert found.convergence is not None
    assert round(found.convergence["best_val_auprc"]["difference"], 6) == 0.1
    assert "best_val_auprc 0.54 -> 0.64 (+0.1000)" in summary_text(found)


def test_the_record_is_strict_json(tmp_path):
    record = compare(tmp_path, child={"seed": 1}).as_record()
    assert json.loads(strict_json(record))["epochs"] == {"parent": 4, "child": 4, "common": 4}


def test_the_summary_says_what_one_run_each_cannot_say(tmp_path):
    assert "takes several seeds" in summary_text(compare(tmp_path, child={"seed": 1}))


def test_what_moved_stands_first_and_the_rest_is_counted(tmp_path):
    found = compare(tmp_path, child={**other(parameters={"mask_ratio": 0.6}), "scale": 9.0})
    text = comparison_text(found)
    head, tail = text.split("Signals that did not move")
    rows = [line.split()[0] for line in head.splitlines() if line.endswith("larger")]
    sizes = {own.signal: abs(own.effect_size) for own in found.layers if own.verdict == "larger"}
    assert set(rows) == {"gradient_norms", "totals.gradient_norm"}
    assert max(sizes, key=lambda name: sizes[name]) == rows[0]
    assert "identical: gradient_stats.vanishing_share (2)" in tail
    assert "vanishing_share" in comparison_text(found, every=True).split("Robustness")[0]


def test_artifacts_of_one_tag_are_named_by_their_folders(tmp_path):
    for name in ("20260101_000000_dkt_old_123456", "20260102_000000_dkt_new_654321"):
        stories.artifact(tmp_path / name / "instrumentation" / "signals.json")
    paths = sorted(tmp_path.glob("*/instrumentation/*.json"))
    found = compare_artifacts(*map(stories.read_artifact, paths))
    assert (found.parent, found.child) == ("dkt_old_123456", "dkt_new_654321")


def test_a_layer_that_one_run_lacks_is_named_once_for_all_its_signals(tmp_path):
    parent = stories.artifact(tmp_path / "a0.json", epochs=1)
    writer = stories.ArtifactWriter(tmp_path / "a3.json", {})
    new = {"new": stories.statistics(norm=[1.0, 2.0], p1=[0.1], p50=[0.2])}
    writer.append(stories.EpochSignals(1, gradients=new))
    text = comparison_text(compare_artifacts(parent, stories.read_artifact(writer.path)))
    assert "only in the child: gradient_norms, gradient_stats.{p1, p50} of new" in text


def test_best_and_last_epoch_are_both_given(tmp_path):
    convergence = compare(tmp_path, child={"seed": 1}).convergence
    assert convergence is not None
    assert list(convergence) == ["best_epoch", "best_val_auprc", "last_epoch", "last_val_auprc"]


def test_the_ends_of_the_curves_stand_side_by_side(tmp_path):
    curves = {"missingness_curve": stories.curve([0.8, 0.7, 0.6], half_width=0.05)}
    text = comparison_text(
        compare(tmp_path, parent={"perturbations": curves}, child={"perturbations": curves})
    )
    (line,) = [line.split() for line in text.splitlines() if line.strip().startswith("auroc")]
    assert line[:5] == ["auroc", "mask_rate", "0", "mask_rate", "0.4"]
    assert line[5:11] == ["0.8000", "->", "0.6000", "0.8000", "->", "0.6000"]
