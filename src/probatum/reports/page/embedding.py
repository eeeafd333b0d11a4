"""Charts inside a page: specifications as harmless JSON, rows in columns, and the JavaScript that draws them.

Nothing of a run can end a script element or open another: `<`, `>`, `&` and the two line separators of Unicode
are escaped in every block of JSON. Vega's expressions are interpreted, not compiled, so that the page's policy
needs no `unsafe-eval`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from probatum._files import write_whole

DIGITS = 6  # that count in a chart's numbers: more than any screen shows
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def script_json(value: Any) -> str:
    r"""Return strict JSON that may stand in a script element.

    Example:
        >>> script_json({"title": "</script><script>"})
        '{"title":"\\u003c/script\\u003e\\u003cscript\\u003e"}'
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False).translate(_ESCAPES)


def chart_json(specification: dict[str, Any]) -> str:
    """Return a chart's specification and its rows, apart, for a script element.

    Title and subtitle stay in the specification: downloads show them, the page shows its own.
    """
    rows: dict[str, Any] = {}
    bare = _without_rows(specification, rows)
    return script_json({"spec": bare, "rows": rows})


def title_of(specification: dict[str, Any]) -> tuple[str, list[str]]:
    """Return a chart's title and its subtitle's lines.

    Example:
        >>> title_of({"title": {"text": "Loss", "subtitle": "one seed"}})
        ('Loss', ['one seed'])
    """
    title = specification.get("title") or ""
    if isinstance(title, str):
        return title, []
    subtitle = title.get("subtitle") or []
    return str(title.get("text", "")), [subtitle] if isinstance(subtitle, str) else list(subtitle)


def _without_rows(node: Any, rows: dict[str, Any]) -> Any:
    """Return a specification whose inline rows were moved to `rows` by name."""
    if isinstance(node, list):
        return [_without_rows(item, rows) for item in node]
    if not isinstance(node, dict):
        return node
    found = {}
    for name, value in node.items():
        if name == "data" and isinstance(value, dict) and isinstance(value.get("values"), list):
            found[name] = {"name": _keep(value["values"], rows)}
        elif name == "datasets":
            for own, values in value.items():
                rows[own] = packed(values)
        else:
            found[name] = _without_rows(value, rows)
    return found


def _keep(values: Sequence[Mapping[str, Any]], rows: dict[str, Any]) -> str:
    name = f"rows{len(rows)}"
    rows[name] = packed(values)
    return name


def packed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return rows by column; words that repeat stand once, as `words`, and are counted from 0 in `at`.

    Example:
        >>> packed([{"run": "a", "x": 1}, {"run": "a", "x": 0.1234567891}])
        {'run': {'words': ['a'], 'at': [0, 0]}, 'x': [1, 0.123457]}
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: _column([row.get(name) for row in rows]) for name in names}


def _column(values: Sequence[Any]) -> Any:
    if any(isinstance(value, str) for value in values):
        words = {word: place for place, word in enumerate(dict.fromkeys(values))}
        return {"words": list(words), "at": [words[value] for value in values]}
    return [_rounded(value) for value in values]


def _rounded(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def vega_bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script; making it takes seconds, so it is kept.

    Everything in the cache can be deleted at any time; the name holds what the script was made from.
    """
    import altair
    import vl_convert

    from probatum.studies.folders import cache_folder

    wanted = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    dialect = wanted if wanted in vl_convert.get_vegalite_versions() else None  # None: the newest
    path = cache_folder() / f"vega-lite-{dialect or 'newest'}-vl-convert-{version('vl-convert-python')}.js"
    with suppress(OSError, UnicodeDecodeError):
        return _checked(path.read_text("utf-8"))
    script = vl_convert.javascript_bundle("window.embedChart = vegaEmbed;", vl_version=dialect)
    # Inside a script element these begin other states of the parser; in JavaScript the escapes mean the same.
    script = script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, f"{script}\n//# {_digest(script)}")
    return script


def _checked(content: str) -> str:
    """Return a kept script; OSError where it is torn: it is then made again."""
    script, _, digest = content.rpartition("\n//# ")
    if digest != _digest(script):
        raise OSError("torn")
    return script


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """Return the Content-Security-Policy that lets these texts run and nothing else, and no request leave."""
    allowed = {kind: " ".join(f"'sha256-{_digest(text)}'" for text in own) for kind, own in
               (("script-src", scripts), ("style-src", styles))}  # fmt: skip
    rules = ["default-src 'none'", *(f"{kind} {hashes}" for kind, hashes in allowed.items())]
    return "; ".join([*rules, "img-src data: blob:", "base-uri 'none'", "form-action 'none'"])


def own_file(name: str) -> str:
    """Return a file that stands beside this module."""
    return Path(__file__).with_name(name).read_text("utf-8")
