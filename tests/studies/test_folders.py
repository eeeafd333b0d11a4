"""Where files are looked for, and parsed copies that can always be thrown away."""

import numpy as np
import pytest

from probatum._errors import UsageError
from probatum.studies import folders


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PROBATUM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_second_time_comes_from_the_copy():
    calls = []
    for _ in range(2):
        arrays = folders.cached("key", lambda: calls.append(1) or {"a": np.arange(3)})
        assert arrays["a"].tolist() == [0, 1, 2]
    assert len(calls) == 1


def test_a_torn_copy_is_made_anew(cache):
    folders.cached("key", lambda: {"a": np.arange(3)})
    (cache / "key.npz").write_bytes(b"PK torn")
    assert folders.cached("key", lambda: {"a": np.arange(2)})["a"].tolist() == [0, 1]
    assert folders.cached("key", dict)["a"].tolist() == [0, 1]


def test_a_folder_that_cannot_be_made_costs_nothing_but_time(cache):
    cache.write_text("a file where the folder should be")
    assert folders.cached("key", lambda: {"a": np.arange(2)})["a"].tolist() == [0, 1]


def test_a_copy_is_never_unpickled(cache):
    cache.mkdir()
    np.savez(cache / "key.npz", a=np.array([{}], dtype=object))
    assert folders.cached("key", lambda: {"a": np.arange(2)})["a"].tolist() == [0, 1]


def test_the_cache_follows_the_variables(monkeypatch, tmp_path):
    monkeypatch.delenv("PROBATUM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert folders.cache_folder() == tmp_path / "probatum"


def test_without_a_folder_the_message_tells_what_and_where(monkeypatch):
    monkeypatch.delenv("PROBATUM_DATA", raising=False)
    with pytest.raises(
        UsageError, match=r"'x' needs files, and PROBATUM_DATA is not set\. Expected y\..*<folder>/sub"
    ):
        folders.data_folder("x", ("sub",), lambda _: True, "Expected y.")


def test_files_that_are_not_there_are_told_with_the_folders_searched(monkeypatch, tmp_path):
    monkeypatch.setenv("PROBATUM_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=r"not found in .*sub, .*Expected y"):
        folders.data_folder("x", ("sub",), lambda _: False, "Expected y.")
