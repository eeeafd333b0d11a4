"""The explanation as a record: names, numbers and units, for programs and for language models.

`explanation.schema.json` beside this file is its published schema.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from probatum._errors import UsageError
from probatum.analysis.ablation_folders import INDEX
from probatum.reports.explanation.alignment import align
from probatum.reports.explanation.changes import what_changed
from probatum.reports.explanation.curves import robustness, trajectories
from probatum.reports.explanation.doubts import what_to_doubt
from probatum.reports.explanation.effects import what_it_did
from probatum.reports.explanation.moved import what_moved
from probatum.reports.explanation.sides import Side, find_side
from probatum.reports.explanation.suggestions import what_to_try
from probatum.runs.folder import runs_root
from probatum.runs.lenient import as_map, read_leniently

SCHEMA_VERSION = 1
SCHEMA_PATH = Path(__file__).with_name("explanation.schema.json")


def build_explanation(
    parent: Side | str | Path,
    child: Side | str | Path,
    *,
    root: str | Path | None = None,
    plan: str | Path | None = None,
    tag: str | None = None,
    metric: str | None = None,
) -> dict[str, Any]:
    """Return the explanation of a change as strict JSON takes it.

    Args:
        parent: The runs without the change, as `find_side` names them.
        child: The runs with it.
        root: Where runs stand; else `PROBATUM_RUNS`, else `runs`.
        plan: The folder of the plan whose experiments `parent` and `child` are.
        tag: Which artifact counts where a run has several.
        metric: The metric to judge by, where it is not the one that was sealed first.

    Raises:
        UnknownNameError: a side is called by no known name.
        UsageError: both sides share a run, or a side has several runs of one seed.
        RecordError: no run of a side completed.
    """
    place = runs_root(root)
    sides = [
        own if isinstance(own, Side) else find_side(own, place, plan=plan, tag=tag) for own in (parent, child)
    ]
    first, second = sides
    _check_apart(first, second)
    alignment = align(first, second)
    did = what_it_did(first, second, metric or _declared(first))
    did["is_declared"] = metric is None and did["primary"] is not None
    if metric is not None and did["primary"] is None:
        raise UsageError(f"--metric {metric}: not a metric of both sides. {_metrics(did)}")
    found: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "parent": first.as_record(),
        "child": second.as_record(),
        "paired_seeds": sorted(set(first.seeds) & set(second.seeds)),
        "changed": what_changed(first, second),
        "did": did,
        "why": {
            "kind": "association",
            "alignment": alignment.as_record(),
            "signals": what_moved(first, second, alignment),
            "trajectories": trajectories(first, second, alignment),
            "robustness": robustness(first, second),
        },
    }
    found["doubts"] = what_to_doubt(first, second, found)
    found["next"] = what_to_try(first, second, found)
    return found


@cache
def explanation_schema() -> dict[str, Any]:
    """Return the JSON Schema of the record."""
    return json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))


def _check_apart(parent: Side, child: Side) -> None:
    own, other = ({Path(run.run_root).resolve() for run in side.group.runs} for side in (parent, child))
    if shared := own & other:
        raise UsageError(f"{sorted(shared)[0].name} would be compared with itself: it is on both sides.")


def _declared(side: Side) -> str | None:
    """Return the primary metric that the side's plan sealed before its first run."""
    if not side.metadata:
        return None
    folder = Path(side.metadata[0]["folder"])
    for place in (folder.parent, folder.parent.parent):
        if (place / INDEX).is_file():
            declared = read_leniently(place / INDEX, []).get("primary_metric")
            return declared if isinstance(declared, str) else as_map(declared).get("name")
    return None


def _metrics(did: dict[str, Any]) -> str:
    names = list(dict.fromkeys(row["metric"] for row in did["metrics"]))
    return f"There are: {', '.join(names[:12])}."
