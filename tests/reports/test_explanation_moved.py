import json
import math
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from probatum.reports.explanation.alignment import Alignment, align
from probatum.reports.explanation.moved import what_moved
from probatum.reports.explanation.sides import find_side

explained = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("explained.py"))))


def moved(root, seeds, *, child=None, alignment=None, parent=None):
    for seed in range(1, seeds + 1):
        explained.run(root, "base", seed, 0.5, signals={"spread": 0.1, **(parent or {})})
        explained.run(root, "child", seed, 0.5, signals={"spread": 0.1, **(child or {})})
    sides = find_side("*_base_*", root), find_side("*_child_*", root)
    return what_moved(*sides, alignment or Alignment()), sides


def test_the_signal_that_moved_most_stands_first(tmp_path):
    found, _ = moved(tmp_path, 3, child={"scale": 3.0})
    assert found["unit"] == "seed"
    assert {row["signal"] for row in found["signals"][:3]} <= {"gradient_norms", "totals.gradient_norm"}
    assert found["signals"][0]["same_sign"] == 3


def test_the_effect_is_the_paired_difference_over_the_spread_between_seeds(tmp_path):
    found, (parent, child) = moved(tmp_path, 4, child={"scale": 1.5})
    row = next(
        row for row in found["signals"] if (row["signal"], row["layer"]) == ("gradient_norms", "conv1")
    )

    def means(side):
        series = [side.artifacts[seed].series()["gradient_norms"]["conv1"] for seed in (1, 2, 3, 4)]
        return np.array([np.mean([own.mean for own in one.values()]) for one in series])

    first, second = means(parent), means(child)
    spread = math.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
    assert row["effect_size"] == pytest.approx((second - first).mean() / spread)
    assert row["difference"] == pytest.approx((second - first).mean())


def test_rows_stand_in_the_order_of_the_least_effect(tmp_path):
    found, _ = moved(tmp_path, 3, child={"scale": 1.3})
    least = [row["least_effect"] for row in found["signals"]]
    assert least == sorted(least, reverse=True)
    assert all(
        row["least_effect"] == 0
        for row in found["signals"]
        if (row["ci_low"] or 0) * (row["ci_high"] or 0) <= 0
    )


def test_what_is_the_same_on_both_sides_is_no_signal_that_moved(tmp_path):
    found, _ = moved(tmp_path, 3)
    assert found["signals"] == []
    assert found["likeness"]["alike_pairs"] == 3


def test_one_pair_is_compared_over_its_batches(tmp_path):
    found, _ = moved(tmp_path, 1, child={"scale": 3.0})
    assert found["unit"] == "batch"
    assert found["signals"][0]["by_epoch"]
    assert found["signals"][0]["moved_from_epoch"] == 1


def test_the_epoch_is_told_from_which_on_a_signal_stays_away(tmp_path):
    found, _ = moved(tmp_path, 3, child={"scale": 3.0})
    row = found["signals"][0]
    assert row["moved_from_epoch"] == 1
    assert row["most_at_epoch"] in {one["epoch"] for one in row["by_epoch"]}


def test_without_signals_the_reason_is_said(tmp_path):
    names = [explained.run(tmp_path, title, 1, 0.5).name for title in ("base", "child")]
    found = what_moved(*(find_side(name, tmp_path) for name in names), Alignment())
    assert (found["measured"], found["reason"]) == (False, "no signals in the parent and the child")


def test_a_child_that_pretrains_is_compared_from_its_first_epoch_of_training(tmp_path):
    parent = explained.run(tmp_path, "base", 1, 0.5, epochs=2, signals={})
    child = explained.run(tmp_path, "child", 1, 0.5, epochs=3, signals={})
    for paths, phases in ((parent, ["training"] * 2), (child, ["pretraining", "training", "training"])):
        rows = [{"epoch": epoch, "phase": phase} for epoch, phase in enumerate(phases, start=1)]
        paths.seed_trajectory(1).write_text(json.dumps(rows))
    sides = find_side(parent.name, tmp_path), find_side(child.name, tmp_path)
    assert align(*sides) == Alignment(0, 1)
    found = what_moved(*sides, align(*sides))
    assert {row["epochs"] for row in found["signals"]} == {2}


def test_sides_without_phases_are_compared_epoch_by_epoch(tmp_path):
    names = [explained.run(tmp_path, title, 1, 0.5).name for title in ("base", "child")]
    assert not align(*(find_side(name, tmp_path) for name in names)).is_shifted
