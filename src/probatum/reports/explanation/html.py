"""The explanation as one HTML file that needs nothing else: light and dark, no script, no outside request.

The Markdown page is the source, so that both say the same; only the few forms that `markdown` writes are known.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from probatum.reports.explanation.markdown import markdown

STYLE = """\
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --line: #c9ced6; --soft: #f2f4f7; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --paper: #14171b; --line: #3c434d; --soft: #1f242b; }
}
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; border-bottom: 1px solid var(--line); margin-top: 2rem; }
.wide { overflow-x: auto; } caption { text-align: left; opacity: .75; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .7rem .3rem 0; text-align: left;
  vertical-align: top; }
code, pre { font-family: ui-monospace, monospace; font-size: .92em; background: var(--soft); }
pre { padding: .6rem; overflow-x: auto; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_ITEM = re.compile(r"(-|\d+\.) ")


def html_page(record: Mapping[str, Any]) -> str:
    """Return the whole page of an explanation; every name and value is shown as text.

    Args:
        record: As `build_explanation` gives it.
    """
    lines = markdown(record).splitlines()
    title = html.escape(lines[0].removeprefix("# "))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(_blocks(lines))
        + "\n</main>\n</body>\n</html>\n"
    )


def _blocks(lines: Sequence[str]) -> Iterator[str]:
    heading, position = "", 0
    while position < len(lines):
        line = lines[position]
        end = position + 1
        if line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            heading = line[level + 1 :]
            yield f"<h{level}>{_inline(heading)}</h{level}>"
        elif line.startswith("| "):
            while end < len(lines) and lines[end].startswith("| "):
                end += 1
            yield _table(lines[position:end], heading)
        elif _ITEM.match(line):
            while end < len(lines) and (
                _ITEM.match(lines[end]) or lines[end].startswith("   ") or _goes_on(lines, end)
            ):
                end += 1
            yield _list(lines[position:end])
        elif line:
            yield f"<p>{_inline(line)}</p>"
        position = end


def _goes_on(lines: Sequence[str], position: int) -> bool:
    """Return whether an empty line stands within a list: its next line is indented or a further number."""
    following = lines[position + 1] if not lines[position] and position + 1 < len(lines) else ""
    return following.startswith("   ") or bool(re.match(r"\d+\. ", following))


def _table(lines: Sequence[str], caption: str) -> str:
    head, *rows = ([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines)
    top = "".join(f'<th scope="col">{_inline(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{_inline(row[0])}</th>'
        + "".join(f"<td>{_inline(cell)}</td>" for cell in row[1:])
        + "</tr>\n"
        for row in rows[1:]
    )
    label = html.escape(f"{caption}, by {head[0]}")
    return (
        f'<div class="wide" role="region" aria-label="{label}" tabindex="0"><table><caption>{label}</caption>\n'
        f"<thead><tr>{top}</tr></thead>\n<tbody>\n{body}</tbody></table></div>"
    )


def _list(lines: Sequence[str]) -> str:
    name = "ul" if lines[0].startswith("- ") else "ol"
    items: list[str] = []
    code: list[str] | None = None
    for line in lines:
        if line.strip().startswith("```"):
            if code is not None:
                items[-1] += f"<pre><code>{html.escape(chr(10).join(code))}</code></pre>"
            code = [] if code is None else None
        elif code is not None:
            code.append(line[3:])
        elif found := _ITEM.match(line):
            items.append(_inline(line[found.end() :]))
    return f"<{name}>\n" + "".join(f"<li>{item}</li>\n" for item in items) + f"</{name}>"


def _inline(text: str) -> str:
    r"""Return a line with its code and bold marks as elements, everything else as text.

    Example:
        >>> _inline("**a** `b<c>` d")
        '<strong>a</strong> <code>b&lt;c&gt;</code> d'
    """
    parts = re.split(r"`([^`]*)`", text.replace("\\|", "|"))
    found = []
    for number, part in enumerate(parts):
        escaped = html.escape(part)
        bold = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", escaped)
        found.append(f"<code>{escaped}</code>" if number % 2 else bold)
    return "".join(found)
