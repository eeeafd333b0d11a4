"""A page as a file, or as plain values."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from probatum._errors import UsageError
from probatum._files import write_whole
from probatum.reports.page.blocks import Block, Figure
from probatum.reports.page.embedding import title_of
from probatum.reports.page.page import Page

SCHEMA_VERSION = 1


def write_page(page: Page, path: Path) -> Path:
    """Write the page whole and return its path; the folder is made where it is missing.

    Raises:
        UsageError: the file is no HTML file by its name, or cannot be written.
    """
    if path.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(f"--output {path}: expected a name that ends with .html.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page.html())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}. Choose another --output.") from None
    return path


def page_record(page: Page) -> dict[str, Any]:
    """Return what the page says as plain values: no markup, charts as Vega-Lite specifications."""
    return {
        "schema_version": SCHEMA_VERSION,
        "title": page.title,
        "kind": page.kind,
        "made_at": page.made_at,
        "sections": [
            {"id": own.id, "title": own.title, "blocks": [_block(block) for block in own.blocks]}
            for own in page.sections
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Figure):
        chart = block.chart.to_dict(validate=False)
        own = {"name": block.name, "title": title_of(chart)[0], "alt": block.alt, "vega_lite": chart}
    else:
        own = asdict(block)
    return {"kind": block.kind, **own}
