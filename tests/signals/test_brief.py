import runpy
from pathlib import Path
from types import SimpleNamespace

from probatum._files import strict_json
from probatum.signals.brief import brief_markdown, decision_brief
from probatum.signals.snapshot import Snapshot

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stories.py"))))


def told():
    shots: list[Snapshot] = []
    for epoch in range(1, 5):
        shots.append(stories.tell(stories.signals(epoch), stories.metrics(epoch, val_loss=0.5), shots))
    return shots[-1]


def test_the_brief_has_the_trackers_keys():
    brief = decision_brief(told(), "GERMINATE", "plateau")
    assert list(brief)[:8] == [
        "action", "epoch", "narrative", "red_flags", "opportunities", "heuristic_reason", "gradient_health",
        "key_metrics",
    ]  # fmt: skip
    assert set(brief["key_metrics"]) == {"val_loss", "val_accuracy", "train_val_gap", "plateau_length"}
    assert strict_json(brief)


def test_brief_and_snapshot_agree():
    shot = told()
    brief = decision_brief(shot, "WAIT")
    assert brief["key_metrics"]["plateau_length"] == shot.plateau_length == 4
    assert brief["red_flags"] == ["sustained_plateau"]
    assert brief["evidence"][0]["value"] == 4


def test_what_was_not_measured_is_said_so():
    assert "| val_accuracy | not measured |" in brief_markdown(decision_brief(told(), "WAIT"))


def test_every_flag_comes_with_evidence_and_a_remedy():
    text = brief_markdown(decision_brief(told(), "WAIT", "nothing to do"))
    assert "- **sustained_plateau**: validation loss flat for 4 epochs" in text
    assert "  - evidence: plateau_length 4 at least 3" in text
    assert "Reason: nothing to do" in text


def test_names_cannot_open_a_tag_or_a_cell():
    text = brief_markdown(decision_brief(Snapshot(1, narrative="<script> | x"), "<b>"))
    assert "<" not in text
    assert "\\| x" in text
