from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probatum.ablations.plan.names import collisions, folder_name, name_fault


@given(st.text(min_size=1))
def test_no_name_leaves_its_folder(name):
    folder = Path("plan") / folder_name(name)
    assert folder.parent == Path("plan")
    assert folder.name not in ("", ".", "..")
    assert not folder.name.startswith(".")


@given(st.lists(st.text(min_size=1), unique=True))
def test_names_without_a_collision_have_folders_of_their_own(names):
    folders = {folder_name(name).lower() for name in names}
    assert (len(folders) == len(names)) == (not collisions(names))


def test_what_abprop_keeps_is_kept():
    assert folder_name("Lr_1e-3") == "Lr_1e-3"


@pytest.mark.parametrize("name", ["..", "", "---", "x" * 121])
def test_a_name_that_makes_no_folder_is_refused(name):
    assert name_fault(name)
