"""Links of the documentation to files outside it: the site gets a copy of each, so that nothing leads nowhere.

MkDocs calls `on_files` and `on_page_markdown` (mkdocs.yml, `hooks`). In the repository the same links lead to the
files themselves.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

COPIES = "repository"  # the folder of the site that holds them
_LINK = re.compile(r"(\]\()((?:\.\./)+[^)\s#]+)(#[^)\s]*)?(\))")


def on_files(files: Any, config: Any) -> Any:
    """Return the site's files with a copy of every file that a page names outside docs/."""
    root = Path(config["docs_dir"]).parent
    for page in [file for file in files if file.src_uri.endswith(".md")]:
        text = Path(page.abs_src_path).read_text(encoding="utf-8")
        for match in _LINK.finditer(text):
            name = outside(page.src_uri, match[2])
            copy = name and copied(name)
            if copy and files.get_file_from_path(copy) is None:
                files.append(File.generated(config, copy, content=(root / name).read_bytes()))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Return a page whose links outside docs/ lead to the copies."""
    own = page.file.src_uri

    def lead(match: re.Match[str]) -> str:
        name = outside(own, match[2])
        if name is None:
            return match[0]
        return f"{match[1]}{posixpath.relpath(copied(name), posixpath.dirname(own) or '.')}{match[4]}"

    return _LINK.sub(lead, markdown)


def outside(page: str, link: str) -> str | None:
    """Return the file's path in the repository where a page's link leaves docs/, else None."""
    target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), link))
    return None if target.startswith("docs/") else target


def copied(name: str) -> str:
    """Return where the copy stands in the site; as text, so that a browser shows it."""
    return f"{COPIES}/{name}.txt" if name.endswith((".py", ".md", ".yaml")) else f"{COPIES}/{name}"
