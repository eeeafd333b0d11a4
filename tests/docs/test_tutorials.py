"""The tutorials as a reader follows them: files written, commands executed, the output held against the page."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
TUTORIALS = REPOSITORY / "docs" / "tutorials"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```', re.DOTALL | re.MULTILINE)
MARK = "@@ block "
SLOW = {  # more than 20 seconds: the extras that a page needs, which may be none
    "study.md": (),
    "trainers.md": ("lightning", "transformers", "accelerate"),
}
PAGES = [
    pytest.param(page.name, marks=pytest.mark.slow if page.name in SLOW else ())
    for page in sorted(TUTORIALS.glob("*.md"))
    if "```bash" in page.read_text(encoding="utf-8")
]


@dataclass
class Step:
    """One bash block, and the lines that the page shows after it."""

    number: int
    commands: str
    shown: tuple[str, ...] = ()


def read_page(text, folder):
    """Write the page's files into the folder, and return its steps."""
    steps = []
    for language, title, body in BLOCK.findall(text):
        if title:
            (folder / title).write_text(body, encoding="utf-8")
        elif language == "bash":
            steps.append(Step(len(steps), body))
        elif language == "text" and steps:
            steps[-1].shown = tuple(line for line in body.splitlines() if line.strip())
    return steps


def execute(steps, folder):
    """Return the output of each step: all of them in one shell, as a reader has one."""
    script = ["set -eu -o pipefail"]
    script += [f"echo '{MARK}{step.number}'\n{step.commands}" for step in steps]
    home = folder / ".home"
    home.mkdir()
    environment = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1",
        "HOME": str(home), "COLUMNS": "120", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    environment.pop("PROBATUM_RUNS", None)
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    parts = re.split(rf"^{MARK}\d+\n", done.stdout, flags=re.MULTILINE)
    return parts[1:]


def missing_lines(shown, output):
    """Return the shown lines that the output does not hold, in their order; `…` stands for anything."""
    lines, at, missing = [line.rstrip() for line in output.splitlines()], 0, []
    for wanted in shown:
        pattern = ".*".join(re.escape(part) for part in wanted.rstrip().split("…"))
        found = next((n for n in range(at, len(lines)) if re.fullmatch(pattern, lines[n])), None)
        if found is None:
            missing.append(wanted)
        else:
            at = found + 1
    return missing


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", PAGES)
def test_a_tutorial_works_as_it_stands(name, tmp_path):
    for package in SLOW.get(name, ()):
        pytest.importorskip(package, reason=f"{name} needs it; the extra is named on the page")
    if shutil.which("bash") is None:
        pytest.skip("no bash: the tutorials are shell sessions")
    steps = read_page((TUTORIALS / name).read_text(encoding="utf-8"), tmp_path)
    for step, output in zip(steps, execute(steps, tmp_path), strict=True):
        assert not missing_lines(step.shown, output), f"{step.commands}\n{output}"


def test_every_page_with_commands_shows_what_comes_out(tmp_path):
    for parameter in PAGES:
        steps = read_page((TUTORIALS / parameter.values[0]).read_text(encoding="utf-8"), tmp_path)
        assert all(step.shown for step in steps)


def test_a_line_that_did_not_come_out_is_found():
    output = "epoch 1: loss 2.30\nepoch 2: loss 1.10\n"
    assert missing_lines(("epoch 1: loss 2.30", "epoch 2: loss …"), output) == []
    assert missing_lines(("epoch 2: …", "epoch 1: …"), output) == ["epoch 1: …"]
    assert missing_lines(("epoch 1: loss 2.3",), output) == ["epoch 1: loss 2.3"]


def test_there_are_five_tutorials():
    assert len(PAGES) == 5
