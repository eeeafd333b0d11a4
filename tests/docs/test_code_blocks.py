"""The Python blocks of the documentation run, in order, in one namespace per page."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = [
    page.relative_to(REPOSITORY).as_posix()
    for page in sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
    if BLOCK.search(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("name", PAGES)
def test_the_python_blocks_of_a_page_run_as_they_stand(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    namespace = {"__name__": "__main__"}
    for block in BLOCK.finditer(text):
        lines_before = text.count("\n", 0, block.start(1))  # so that an error names the page's own line
        exec(compile("\n" * lines_before + block[1], name, "exec"), namespace)
    assert capsys.readouterr().out


def test_the_probe_is_among_the_pages_that_run():
    assert {"README.md", "docs/signals.md"} <= set(PAGES)
