import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum._errors import UsageError
from probatum.signals.reading import read_artifact
from probatum.signals.show import BLOCKS, show_text, signal_rows, spark

stories = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("stories.py"))))
GOLDEN = read_artifact(Path(__file__).with_name("golden") / "artifact.json")


def test_a_spark_line_rises_with_its_values():
    assert spark([0, 1, 2, 3, 4, 5, 6, 7]) == BLOCKS


def test_an_unmeasured_epoch_is_a_gap_and_no_zero():
    assert spark([1.0, None, 2.0]) == "▁ █"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=200), st.booleans())
def test_a_spark_line_fits_its_width(values, blocks):
    line = spark(values, blocks=blocks, width=20)
    assert len(line) == min(len(values), 20)
    assert blocks or line.isascii()


def test_rows_hold_the_epochs_means():
    (row,) = signal_rows(GOLDEN, "gradient_norms", "conv1")
    means = [stories.signals(epoch).gradients["conv1"]["norm"].mean for epoch in (1, 2)]
    assert row["values"] == means
    assert (row["first"], row["last"], row["epochs"]) == (means[0], means[1], 2)


def test_an_epoch_shows_the_spread_over_its_batches():
    (row,) = signal_rows(GOLDEN, "gradient_norms", "conv1", 2)
    assert row["std"] == stories.signals(2).gradients["conv1"]["norm"].std
    assert row["n"] == 3


def test_a_beginning_means_all_of_its_parts():
    assert {row["signal"] for row in signal_rows(GOLDEN, "attention_stats")} == {
        "attention_stats.mean", "attention_stats.entropy",
    }  # fmt: skip
    assert {row["layer"] for row in signal_rows(GOLDEN, layer="block")} == {"block.fc"}


def test_strange_names_list_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'hidden_norms'"):
        signal_rows(GOLDEN, "hidden_norm")
    with pytest.raises(UsageError, match="Did you mean 'conv1'"):
        signal_rows(GOLDEN, "gradient_norms", "conv")
    with pytest.raises(UsageError, match=r"unknown epoch '7'\. Valid: 1, 2"):
        signal_rows(GOLDEN, epoch=7)


def test_the_page_tells_what_was_not_measured():
    text = show_text(GOLDEN)
    assert "landscape: not asked for" in text
    assert "parameters that no layer covers: scale" in text
    assert "epoch 2: Validation loss improving (1 -> 0.5)" in text


def test_an_artifact_without_signals_is_refused(tmp_path):
    empty = stories.artifact(tmp_path / "a.json", epochs=0)
    with pytest.raises(UsageError, match="no signal was measured in its 0 epochs"):
        signal_rows(empty)
