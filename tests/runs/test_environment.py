import subprocess

import pytest

from probatum.runs.environment import (
    capture_environment,
    environment_text,
    without_credentials,
    write_environment,
)
from probatum.runs.paths import RunPaths


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    folder = tmp_path / "code"
    folder.mkdir()
    for words in (
        ["init", "-q", "-b", "main"],
        ["config", "user.email", "a@example.org"],
        ["config", "user.name", "a"],
    ):
        subprocess.run(["git", "-C", folder, *words], check=True)
    (folder / "model.py").write_text("a = 1\n")
    subprocess.run(["git", "-C", folder, "add", "."], check=True)
    subprocess.run(["git", "-C", folder, "commit", "-qm", "x"], check=True)
    return folder


def test_a_clean_repository_leaves_commit_branch_and_no_patch(repository):
    environment = capture_environment(code=repository)
    assert len(environment["git_commit"]) == 40
    assert (environment["git_branch"], environment["git_dirty"], environment["code_patch"]) == (
        "main",
        False,
        "",
    )


def test_the_patch_restores_changed_and_untracked_source(repository, tmp_path):
    (repository / "model.py").write_text("a = 2\n")
    (repository / "läufer.py").write_text("b = 1")
    patch = capture_environment(code=repository)["code_patch"]
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", repository, other], check=True)
    subprocess.run(["git", "-C", other, "apply", "-"], input=patch.encode(), check=True)
    assert (other / "model.py").read_text() == "a = 2\n"
    assert (other / "läufer.py").read_text() == "b = 1"


def test_a_folder_outside_git_says_so(tmp_path):
    environment = capture_environment(code=tmp_path)
    assert environment["git"] == "absent: not a git repository"
    assert "git_commit" not in environment


def test_a_machine_without_git_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert capture_environment(code=tmp_path)["git"] == "absent: git is not installed"


def test_no_secret_of_the_environment_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("API_TOKEN", "s3cr3t-value")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    environment = capture_environment(code=tmp_path)
    assert "s3cr3t-value" not in str(environment)
    assert environment["variables"]["OMP_NUM_THREADS"] == "3"


@pytest.mark.parametrize(
    "url", ["https://me:s3cr3t@example.org/a.git", "https://s3cr3t@example.org/a.git?t=s3cr3t#s3cr3t"]
)
def test_credentials_are_stripped_from_addresses(url):
    assert without_credentials(url) == "https://example.org/a.git"


def test_the_text_has_the_lines_that_the_seed_names(tmp_path):
    text = environment_text(capture_environment({"torch_version": "2.13.0"}, code=tmp_path))
    keys = [line.partition(": ")[0] for line in text.splitlines()]
    assert {
        "python",
        "platform",
        "cuda_available",
        "torch_version",
        "cuda_version",
        "git_commit",
        "git_branch",
    } <= set(keys)
    assert "torch_version: 2.13.0" in text


def test_the_patch_is_a_file_of_its_own(repository, tmp_path):
    (repository / "model.py").write_text("a = 2\n")
    paths = RunPaths(tmp_path / "run")
    paths.folder.mkdir()
    write_environment(paths, capture_environment(code=repository))
    assert "+a = 2" in paths.code_patch.read_text()
    assert 'code_patch"' not in paths.environment_json.read_text()
