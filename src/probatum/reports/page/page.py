"""The page: sections in their order, rendered into one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from probatum.reports.page import (
    differences,
    explanation,
    landscape,
    leaderboard,
    learning_curves,
    narrative,
    provenance,
    robustness,
    signals,
    summary,
    trajectory,
)
from probatum.reports.page.blocks import Figure, Section
from probatum.reports.page.embedding import chart_json, own_file, policy, title_of, vega_bundle
from probatum.reports.page.measured import measured
from probatum.reports.page.subject import Subject
from probatum.runs.status import utc_now

KINDS = {"run": "Run", "pair": "Child against parent", "plan": "Experiments"}


@dataclass(frozen=True)
class Page:
    """A report before it is HTML.

    Args:
        title: The heading and the window's title.
        kind: What it is about, in words.
        sections: In the order of the page.
        made_at: The time, UTC.
    """

    title: str
    kind: str
    sections: Sequence[Section]
    made_at: str

    @cached_property
    def figures(self) -> dict[str, Any]:
        """Every chart by the name of its file."""
        return {figure.name: figure.chart for section in self.sections for figure in section.figures}

    def html(self) -> str:
        """Return the whole file."""
        scripts, style = [vega_bundle(), own_file("page.js")], own_file("style.css")
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        environment.filters |= {"prose": prose, "breakable": breakable}
        environment.globals["picture"] = _picture
        template = environment.get_template("template.html.j2")
        return template.render(
            page=self, style=_ours(style), scripts=[_ours(script) for script in scripts],
            policy=policy(scripts, [style]), version=version("probatum"),
        )  # fmt: skip


def build_page(subject: Subject, title: str | None = None) -> Page:
    """Return the report about a subject.

    Args:
        subject: From `read_subject`.
        title: The heading; else the subject's own.
    """
    seen = measured(subject)
    compared = signals.compare_pair(subject, seen)
    sections = [
        summary.build(subject), leaderboard.build(subject), leaderboard.build_pareto(subject),
        explanation.build(subject), learning_curves.build(subject), signals.build(subject, seen, compared),
        robustness.build(subject, seen, compared), landscape.build(seen), trajectory.build(subject),
        narrative.build(seen), differences.build(subject), provenance.build(subject),
    ]  # fmt: skip
    return Page(title or subject.title, KINDS[subject.kind], [own for own in sections if own], utc_now())


def prose(text: str) -> Markup:
    """Return a sentence as HTML: escaped, what stands between back quotes as code.

    Example:
        >>> str(prose("`a<b>` & c"))
        '<code>a&lt;b&gt;</code> &amp; c'
    """
    parts = re.split(r"`([^`]+)`", text)
    pieces = [
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    ]
    return Markup("").join(pieces)


def breakable(text: str) -> Markup:
    """Return a name that may be broken after its `_`, `.` and `/`, and nowhere else.

    Example:
        >>> str(breakable("gradient_norms <b>"))
        'gradient_<wbr>norms &lt;b&gt;'
    """
    pieces = re.split(r"(?<=[_./])(?=[^\W\d_])", text)
    return Markup("<wbr>").join(escape(piece) for piece in pieces)


def _ours(text: str) -> Markup:
    """Return a text that no run has a part in, or whose every `<`, `>` and `&` was escaped where it was made."""
    return Markup(text)  # noqa: S704 - see above


def _picture(figure: Figure) -> dict[str, Any]:
    """Return what the template needs of a figure."""
    specification = figure.chart.to_dict(validate=False)
    title, about = title_of(specification)
    return {"title": title, "about": about, "json": _ours(chart_json(specification))}
