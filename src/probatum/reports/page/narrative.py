"""The story of a run: what each stretch of epochs was like, and which flags were up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probatum.reports.page.blocks import Block, Figure, Heading, Moment, Section, Timeline, missing
from probatum.reports.page.measured import Measured
from probatum.reports.trajectories import flags_by_epoch
from probatum.signals.reading import Artifact

NONE = "No narrative: it is told of runs that were trained with `--instrument_signals`."
_LONGEST = 400  # epochs of one run


def build(seen: Measured) -> Section:
    """Return a time line per run, consecutive epochs with the same flags as one moment."""
    section = Section("narrative", "Narrative")
    stories: list[Block] = []
    for index, (name, artifact) in enumerate(seen.artifacts.items()):
        told = _told(artifact)
        if not told:
            continue
        stories += [Heading(name if len(seen.artifacts) > 1 else "Epoch by epoch"), Timeline(_moments(told))]
        rows = [(epoch, shot["red_flags"], shot["opportunities"]) for epoch, shot in told]
        flags = dict.fromkeys(flag for _, red, good in rows for flag in (*red, *good))
        if flags:
            chart = flags_by_epoch(rows, name)
            alt = f"Flags of {name} by epoch: {', '.join(flags)}. The time line tells when."
            section.blocks.append(Figure(f"flags_{index + 1}", chart, alt))
    section.blocks += stories or [missing(NONE)]
    return section


def _told(artifact: Artifact) -> list[tuple[int, dict[str, Any]]]:
    """Return (epoch, story and flags) of every epoch that tells something."""
    found = []
    for record in artifact.epochs[:_LONGEST]:
        shot = record.get("snapshot") or {}
        story = record.get("narrative") or shot.get("narrative")
        if story:
            flags = {name: list(shot.get(name) or []) for name in ("red_flags", "opportunities")}
            found.append((record["epoch"], {"story": str(story), **flags}))
    return found


def _moments(told: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Moment]:
    groups: list[list[tuple[int, Mapping[str, Any]]]] = []
    for epoch, shot in told:
        same = groups and all(
            sorted(groups[-1][-1][1][name]) == sorted(shot[name]) for name in ("red_flags", "opportunities")
        )
        if same:
            groups[-1].append((epoch, shot))
        else:
            groups.append([(epoch, shot)])
    return [_moment(group) for group in groups]


def _moment(group: Sequence[tuple[int, Mapping[str, Any]]]) -> Moment:
    (first, _), (last, shot) = group[0], group[-1]
    when = f"epoch {first}" if first == last else f"epochs {first} to {last}"
    return Moment(when, shot["story"], shot["red_flags"], shot["opportunities"])
