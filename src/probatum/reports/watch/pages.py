"""The pages of `watch --web`: the list, and one page per run; every name and value is shown as text."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from urllib.parse import quote

from probatum.reports.watch.state import RunView, View
from probatum.reports.watch.table import HEAD, cells, plan_line
from probatum.runs.paths import RunPaths

STYLE = """\
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --line: #c9ced6; --link: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8eb; --paper: #14171b; --line: #3c434d; --link: #56b4e9; }
}
body { margin: 0 auto; max-width: 80rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
a { color: var(--link); }
h1 { font-size: 1.4rem; } h2 { font-size: 1.15rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .8rem .25rem 0; text-align: left;
  white-space: nowrap; }
pre { overflow-x: auto; }
"""
_LOG_BYTES = 8_192  # of the end of a run's output
Report = Callable[[RunPaths], str]


def list_page(view: View, refresh_seconds: float) -> str:
    """Return the page that lists plans and runs, and loads itself again."""
    plans = "".join(f"<li>{html.escape(plan_line(plan))}</li>\n" for plan in view.plans)
    parts = [f"<h2>Plans</h2>\n<ul>\n{plans}</ul>" if plans else "", "<h2>Runs</h2>", _runs(view.runs)]
    if view.hidden:
        parts.append(f"<p>And {view.hidden} older runs.</p>")
    title = f"Runs in {view.place}"
    said = f"<p>At {html.escape(view.time)}; loads itself again every {refresh_seconds:g} s.</p>"
    return page(title, "\n".join([said, *filter(None, parts)]), refresh_seconds)


def run_page(view: RunView, paths: RunPaths, refresh_seconds: float) -> str:
    """Return a run's own page: where it stands, its curve, and the end of what it printed."""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(cell)}</td></tr>\n'
        for name, cell in zip(HEAD, cells(view), strict=True)
    )
    table = (
        f'<div class="wide"><table><caption>Where it stands</caption>\n<tbody>\n{rows}</tbody></table></div>'
    )
    note = f"<p>{html.escape(view.note)}</p>" if view.note else ""
    log = f'<h2>The end of its output</h2>\n<pre tabindex="0">{html.escape(_tail(paths))}</pre>'
    body = f'<p><a href="/">All runs</a></p>\n{table}\n{note}\n{log}'
    return page(view.name, body, refresh_seconds if view.status == "running" else None)


def page(title: str, body: str, refresh_seconds: float | None = None) -> str:
    """Return a whole page around a body that is HTML already."""
    refresh = f'<meta http-equiv="refresh" content="{refresh_seconds:g}">\n' if refresh_seconds else ""
    shown = html.escape(title)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{refresh}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{shown}</title>\n<link rel="stylesheet" href="/style.css">\n</head>\n'
        f"<body>\n<main>\n<h1>{shown}</h1>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def _runs(runs: Sequence[RunView]) -> str:
    if not runs:
        return "<p>No runs yet.</p>"
    head = "".join(f'<th scope="col">{name}</th>' for name in HEAD)
    rows = "".join(_row(run) for run in runs)
    return (
        '<div class="wide" role="region" aria-label="Runs" tabindex="0"><table>'
        "<caption>What runs stands first</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>"
    )


def _row(run: RunView) -> str:
    first, *rest = cells(run)
    link = f'<a href="/runs/{quote(run.name, safe="")}">{html.escape(first)}</a>'
    return (
        f'<tr><th scope="row">{link}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in rest)
        + "</tr>\n"
    )


def _tail(paths: RunPaths) -> str:
    try:
        with paths.stdout.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LOG_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return "nothing yet"
    return (
        "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)
        or "nothing yet"
    )
