"""Each ablation mode changes exactly its switches."""

import pytest

from probatum.studies.gainakt.ablation_modes import ABLATION_MODES

EXPECTED = {  # alignment, global pass, retention, lag
    "none": (False, False, False, False),
    "baseline": (False, False, False, False),
    "alignment_only": (True, True, False, False),
    "align": (True, True, False, False),
    "retention": (False, True, True, False),
    "both": (True, True, True, False),
    "both_lag": (True, True, True, True),
}


def test_the_modes_are_those_of_the_seed():
    assert set(ABLATION_MODES) == set(EXPECTED)


@pytest.mark.parametrize("mode", EXPECTED)
def test_a_mode_sets_its_switches(mode):
    flags = ABLATION_MODES[mode]
    names = ("alignment_loss", "global_alignment_pass", "retention_loss", "lag_gain_loss")
    assert tuple(flags[f"enable_{name}"] for name in names) == EXPECTED[mode]
    assert len(flags) == 4
