"""The loss around the weights: a slice, and the sharpness over the epochs."""

from __future__ import annotations

from probatum._errors import RecordError
from probatum.reports.landscape_charts import loss_slices, sharpness_curves
from probatum.reports.page.blocks import Figure, Section, missing
from probatum.reports.page.measured import Measured

NO_SLICE = (
    "No slice of the loss landscape. `loss_landscape: {enabled: true, slice_points: 21}` in a telemetry file "
    "records one every epoch: `--instrument_signals --telemetry_profile FILE`."
)
NO_SHARPNESS = "No sharpness was measured: `--telemetry_profile diagnostic` does."


def build(seen: Measured) -> Section:
    """Return the section; what was not measured is said in a line."""
    section = Section("landscape", "Loss landscape")
    try:
        alt = "Loss along one filter-normalised direction through the weights, from -1 to 1."
        section.blocks.append(Figure("loss_slice", loss_slices(seen.artifacts), alt))
    except RecordError:
        section.blocks.append(missing(NO_SLICE))
    try:
        chart = sharpness_curves(seen.artifacts)
        section.blocks.append(
            Figure("sharpness", chart, "Sharpness of the loss around the weights by epoch.")
        )
    except RecordError:
        section.blocks.append(missing(NO_SHARPNESS))
    return section
