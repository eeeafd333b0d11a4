"""Charts as files: PNG and SVG without a browser."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from probatum._errors import RecordError, UsageError
from probatum._files import write_whole
from probatum.signals.reading import Artifact, pick

PIXELS_PER_INCH = 216  # of the PNG: three pixels a point, so that cells end where pixels do
HEAT_MAPS = (
    "gradient_norms",
    "weights.update_ratio",
    "activation_stats.std",
    "attention_stats.entropy_normalised",  # comparable between layers that see more or fewer keys
)
_LONGEST_NAME = 120  # characters of a file's name


def write_figures(charts: Mapping[str, Any], folder: Path | str) -> list[Path]:
    """Return the files written: `NAME.png` and `NAME.svg` of each chart.

    Raises:
        UsageError: the folder cannot be made or written.
    """
    import vl_convert

    folder = Path(folder)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, chart in charts.items():
            specification = chart.to_dict()
            images = {
                "png": vl_convert.vegalite_to_png(specification, ppi=PIXELS_PER_INCH),
                "svg": vl_convert.vegalite_to_svg(specification),
            }
            for suffix, image in images.items():
                path = folder / f"{name}.{suffix}"
                write_whole(path, image)
                written.append(path)
    except OSError as error:
        raise UsageError(
            f"cannot write figures into {folder}: {error.strerror}. Choose another --dir."
        ) from None
    return written


def signal_charts(
    artifacts: Mapping[str, Artifact],
    signals: Sequence[str] = (),
    added: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return every chart that the artifacts have data for, by its file name.

    Heat maps stand beside each other, curves in one frame. A curve is drawn where every artifact has it.

    Args:
        artifacts: By the name that the charts show.
        signals: Signals, or the beginnings of several, that get a heat map beside `HEAT_MAPS`.
        added: Curves that `probatum perturb` added later, by the same names; they go before the artifact's own.

    Raises:
        UsageError: a signal is in none of the artifacts; the nearest are listed.
        RecordError: there is nothing to draw.
    """
    from probatum.reports import charts

    found: dict[str, Any] = {}
    measured = list(dict.fromkeys(name for artifact in artifacts.values() for name in artifact.series()))
    further = [name for wanted in signals for name in pick(wanted, measured, "signal")]
    for signal in dict.fromkeys([*(own for own in HEAT_MAPS if own in measured), *further]):
        _add(found, f"heat_map_{signal}", charts.heat_map(artifacts, signal))
    for layer in in_all([list(artifact.lag_curves()) for artifact in artifacts.values()]):
        _add(found, f"lag_curve_{layer}", charts.lag_curves(artifacts, layer))
    records = {
        name: with_added(artifact.document["perturbations"] or {}, (added or {}).get(name) or {})
        for name, artifact in artifacts.items()
    }
    choices = [charts.robustness_choices(record) for record in records.values()]
    for kind, name in in_all(choices):
        points = [own[kind, name] for own in choices]
        for metric in in_all([list(own[0]["metrics"]) for own in points]):
            chart = charts.robustness_curves(records, kind, name, metric)
            _add(found, f"{kind}_{name}_{metric}" if name else f"{kind}_{metric}", chart)
    if not found:
        raise RecordError(
            f"{', '.join(artifacts)}: nothing that a chart could show was measured"
            f"{' in every one of them' if len(artifacts) > 1 else ''}. Train with --instrument_signals."
        )
    return found


def with_added(own: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """Return a `perturbations` block with the curves of both; of two with one name the one added later."""
    curves = {(curve["kind"], curve["name"]): curve for curve in own.get("curves") or []}
    curves |= {(curve["kind"], curve["name"]): curve for curve in added.get("curves") or []}
    return {**own, "curves": list(curves.values())}


def in_all(groups: Sequence[Iterable[Any]]) -> list[Any]:
    """Return what is in every group, in the order of the first."""
    return [item for item in groups[0] if all(item in group for group in groups)]


def _add(found: dict[str, Any], name: str, chart: Any) -> None:
    """Add a chart under a harmless file name that no other has."""
    plain = file_name(name)
    free = next(f"{plain}{end}" for end in _endings() if f"{plain}{end}".lower() not in map(str.lower, found))
    found[free] = chart


def file_name(name: str) -> str:
    """Return `name` with nothing in it that a file system, a shell or a path could take for more than a letter.

    Example:
        >>> file_name("heat_map_weights.update_ratio"), file_name("lag_curve_../<script>")
        ('heat_map_weights_update_ratio', 'lag_curve_script')
    """
    return re.sub(r"[^A-Za-z0-9-]+", "_", name).strip("_")[:_LONGEST_NAME] or "chart"


def _endings() -> Iterable[str]:
    yield ""
    number = 2
    while True:
        yield f"_{number}"
        number += 1
