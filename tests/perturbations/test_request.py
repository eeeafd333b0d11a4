from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probatum._errors import UsageError
from probatum.perturbations.request import CurveRequest, numbers

RATES = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@settings(deadline=None, max_examples=60)
@given(RATES, RATES)
def test_grids_are_sorted_unique_and_begin_without_damage(rates, ratios):
    request = CurveRequest(mask_rates=tuple(rates), keep_ratios=tuple(ratios))
    assert list(request.mask_rates) == sorted({0.0, *rates})
    assert list(request.keep_ratios) == sorted({1.0, *ratios}, reverse=True)


def test_an_empty_grid_stays_empty():
    request = CurveRequest(mask_rates=(0.2,))
    assert (request.keep_ratios, request.noise_scales) == ((), ())


def test_a_grid_of_no_damage_alone_is_a_request():
    assert CurveRequest(mask_rates=(0.0,)).mask_rates == (0.0,)


def test_all_mistakes_are_named_at_once():
    with pytest.raises(UsageError) as caught:
        CurveRequest(
            mask_rates=(1.4, "x", 0.2), keep_ratios=(-0.5,), noise_scales=(float("inf"),),  # type: ignore[arg-type]
            mechanisms=("by_chanel",), ends=(), masks=3, samples=0, resamples=-1,
        )  # fmt: skip
    assert str(caught.value).splitlines() == [
        "the curves cannot be computed:",
        "  `mask_rates` must be numbers in [0, 1], got 1.4, 'x'.",
        "  `keep_ratios` must be numbers in [0, 1], got -0.5.",
        "  `noise_scales` must be numbers finite and at least 0, got inf.",
        "  unknown mechanism 'by_chanel'. Did you mean 'by_channel'?",
        "  at least one end is needed. Valid: keep_earliest, keep_latest.",
        "  `masks` must be an integer of at least 5, got 3.",
        "  `samples` must be an integer of at least 1, got 0.",
        "  `resamples` must be an integer of at least 0, got -1.",
    ]


def test_a_request_for_nothing_is_refused():
    with pytest.raises(UsageError, match="nothing to compute"):
        CurveRequest()


def test_a_name_given_twice_counts_once():
    assert CurveRequest(mask_rates=(0.2,), mechanisms=("by_block", "by_block")).mechanisms == ("by_block",)


def test_the_record_of_a_request_is_json():
    record = CurveRequest(mask_rates=(0.2,)).as_record()
    assert CurveRequest(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(json.dumps(record)).items()}
    )
    assert record["mask_rates"] == [0.0, 0.2]


@pytest.mark.parametrize(("text", "expected"), [("", ()), ("0.2", (0.2,)), ("0, .5 ,x", (0.0, 0.5, "x"))])
def test_a_list_is_read_word_by_word(text, expected):
    assert numbers(text) == expected


def test_a_request_is_made_without_numpy():
    code = "import sys, probatum.perturbations.request; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
