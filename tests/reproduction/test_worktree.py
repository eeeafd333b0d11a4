import subprocess

import pytest

from probatum._errors import RecordError
from probatum.reproduction.worktree import recorded_code
from probatum.runs.paths import RunPaths


def git(folder, *words):
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(
        ["git", "-C", folder, *identity, *words], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "code"
    (folder / "src").mkdir(parents=True)
    git(folder, "init", "-q")
    for text in ("old\n", "new\n"):
        (folder / "src" / "a.py").write_text(text)
        git(folder, "add", ".")
        git(folder, "commit", "-qm", text.strip())
    return folder


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run").mkdir()
    return RunPaths(tmp_path / "run")


def test_the_recorded_commit_is_restored_beside_the_tree_and_removed(repository, run):
    old = git(repository, "rev-parse", "HEAD~1").strip()
    with recorded_code(run, {"git_commit": old}, repository=repository) as code:
        kept = code.source
        assert (kept / "a.py").read_text() == "old\n"
        assert (repository / "src" / "a.py").read_text() == "new\n"
    assert not kept.exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_the_recorded_changes_are_applied(repository, run):
    (repository / "src" / "a.py").write_text("dirty\n")
    run.code_patch.write_text(git(repository, "diff"))
    git(repository, "checkout", "-q", "--", ".")
    head = git(repository, "rev-parse", "HEAD").strip()
    with recorded_code(run, {"git_commit": head}, repository=repository) as code:
        assert (code.source / "a.py").read_text() == "dirty\n"


def test_the_same_code_needs_no_worktree(repository, run):
    head = git(repository, "rev-parse", "HEAD").strip()
    with recorded_code(run, {"git_commit": head}, repository=repository) as code:
        assert code.source is None


@pytest.mark.parametrize("commit", ["a" * 40, "--output=x"])
def test_an_unknown_commit_is_named(repository, run, commit):
    with (
        pytest.raises(RecordError, match="is not in code"),
        recorded_code(run, {"git_commit": commit}, repository=repository),
    ):
        pass


def test_outside_a_repository_the_identity_is_said_to_be_unchecked(run):
    with recorded_code(run, {}, repository=None) as code:
        assert "could not be checked" in code.note
