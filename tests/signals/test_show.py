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


def rows_of(text):
    """Return (signal, layer) of the table's rows."""
    table = [*text.splitlines()[3:], ""]
    return [tuple(line.split()[:2]) for line in table[: table.index("")]]


def with_zeros(tmp_path):
    """Return an artifact with a signal that is zero everywhere and one that is so in one layer."""
    writer = stories.ArtifactWriter(tmp_path / "zeros.json", {})
    for epoch in (1, 2):
        gradients = {
            "conv1": stories.statistics(norm=[1.0], inf_count=[0.0], nan_count=[0.0], p50=[0.1]),
            "fc": stories.statistics(norm=[2.0], inf_count=[0.0], nan_count=[float(epoch)], p50=[0.3]),
        }
        totals = stories.statistics(loss=[1.0 / epoch])
        writer.append(stories.EpochSignals(epoch, gradients=gradients, totals=totals))
    return stories.read_artifact(writer.path)


def test_telling_signals_come_first_and_others_in_one_line(tmp_path):
    shown = rows_of(show_text(with_zeros(tmp_path)))
    assert shown == [
        ("gradient_norms", "conv1"), ("gradient_norms", "fc"), ("totals.loss", "run"),
        ("gradient_stats.nan_count", "median"), ("gradient_stats.p50", "median"),
    ]  # fmt: skip


def test_one_line_for_all_layers_holds_their_median_and_range(tmp_path):
    (line,) = [
        text for text in show_text(with_zeros(tmp_path)).splitlines() if text.startswith("gradient_stats.p")
    ]
    assert line.split()[1:9] == ["median", "of", "2", "layers", "0.2", "0.2", "0.1", "0.3"]


def test_the_end_names_what_was_left_out_and_how_to_see_it(tmp_path):
    *_, zero, folded, how = show_text(with_zeros(tmp_path)).splitlines()
    assert zero == "Zero in every layer and epoch: gradient_stats.inf_count."
    assert folded.endswith("gradient_stats.{nan_count, p50}.")
    assert "--signal NAME" in how
    assert "--all" in how


def test_a_signals_name_or_all_shows_everything(tmp_path):
    found = with_zeros(tmp_path)
    assert rows_of(show_text(found, "gradient_stats.inf_count")) == [
        ("gradient_stats.inf_count", "conv1"), ("gradient_stats.inf_count", "fc"),
    ]  # fmt: skip
    every = show_text(found, every=True)
    assert len(rows_of(every)) == len(signal_rows(found))
    assert "--all" not in every


def test_zeros_beside_values_that_are_not_finite_are_shown(tmp_path):
    writer = stories.ArtifactWriter(tmp_path / "a.json", {})
    writer.append(
        stories.EpochSignals(1, gradients={"fc": stories.statistics(p50=[0.0, float("nan")], norm=[1.0])})
    )
    assert ("gradient_stats.p50", "fc") in rows_of(show_text(stories.read_artifact(writer.path)))


def test_one_layer_or_one_epoch_is_shown_without_medians(tmp_path):
    found = with_zeros(tmp_path)
    assert ("gradient_stats.p50", "fc") in rows_of(show_text(found, layer="fc"))
    assert ("gradient_stats.p50", "conv1") in rows_of(show_text(found, epoch=2))
    assert "gradient_stats.inf_count  " not in show_text(found, epoch=2)


def test_rounding_is_drawn_flat():
    assert spark([0.1, 0.1 + 1e-9, 0.1 - 1e-9]) == "▁▁▁"


def test_an_artifact_without_signals_is_refused(tmp_path):
    empty = stories.artifact(tmp_path / "a.json", epochs=0)
    with pytest.raises(UsageError, match="no signal was measured in its 0 epochs"):
        signal_rows(empty)
