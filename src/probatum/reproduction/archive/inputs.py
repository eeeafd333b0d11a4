"""The inputs of a run as entities: named by their content, since the data do not come along.

A file is `ni:///sha-256;...` (RFC 6920): the same file is the same name everywhere, wherever it lies.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from probatum.reproduction.archive.contents import RunContents

Entity = dict[str, Any]


def inputs_of(run: RunContents) -> list[Entity]:
    """Return the input files and splits by their checksums; the data do not come along."""
    files = [_input(each, run.data) for each in run.data.get("files") or [] if each.get("sha256")]
    splits = run.data.get("splits") or {}
    made = [
        _input({"name": f"split {name}", **each}, run.data)
        for name, each in splits.items()
        if isinstance(each, Mapping) and each.get("sha256")
    ]
    return files + made


def _input(recorded: Mapping[str, Any], data: Mapping[str, Any]) -> Entity:
    digest = str(recorded["sha256"])
    facts = {"citation": data.get("citation"), "license": recorded.get("licence") or data.get("licence")}
    size = {"contentSize": str(recorded["bytes"])} if recorded.get("bytes") is not None else {}
    counts = "; ".join(
        f"{key} {value}"
        for key, value in sorted(recorded.items())
        if isinstance(value, int) and key != "bytes"
    )
    source = recorded.get("source") or data.get("source") or "unknown"
    return {
        "@id": named_information(digest),
        "@type": "CreativeWork",
        "name": str(recorded.get("name")),
        "description": f"Input, not in this archive; source: {source}{f'; {counts}' if counts else ''}",
        "sha256": digest,
        **size,
        **{key: str(value) for key, value in facts.items() if value},
    }


def named_information(digest: str) -> str:
    """Return the address of a content by its SHA-256 (RFC 6920, section 3).

    Example:
        >>> named_information("00" * 32)
        'ni:///sha-256;AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    """
    try:
        encoded = base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip("=")
    except ValueError:
        return f"#input-{quote(digest)}"
    return f"ni:///sha-256;{encoded}"
