"""What the study itself followed: shares of the loss, correlations, and whatever else its epochs state."""

from __future__ import annotations

from probatum._errors import RecordError
from probatum.reports.figures import file_name
from probatum.reports.learning_curves import learning_curves
from probatum.reports.page.blocks import Figure, Section, missing
from probatum.reports.page.subject import Subject
from probatum.reports.trajectories import followed, is_constant, loss_shares, values_of

MOST = 8  # charts; a trajectory may hold dozens of numbers
_TELLING = ("correlation", "corr", "gain", "mastery", "growth", "reward")  # first, where there are too many
NONE = "No trajectory: the study follows nothing but its metrics."


def build(subject: Subject) -> Section:
    """Return the shares of the loss and a chart of each number that moves."""
    section = Section("trajectory", "Trajectories")
    runs = {run.name: run.trajectories for run in subject.runs if run.trajectories}
    try:
        alt = f"Share of each term in the loss by epoch: {', '.join(runs)}."
        section.blocks.append(Figure("loss_shares", loss_shares(runs), alt, is_wide=len(runs) > 1))
    except RecordError:
        pass
    numbers = {}
    for name in followed(runs):
        values = values_of(runs, name)
        if not name.startswith("loss_shares.") and not is_constant(values):
            numbers[name] = values
    ordered = sorted(numbers, key=lambda name: not any(word in name for word in _TELLING))
    for name in ordered[:MOST]:
        chart = learning_curves(numbers[name], name)
        section.blocks.append(Figure(f"trajectory_{file_name(name)}", chart, f"{name} by epoch."))
    if len(ordered) > MOST:
        rest = ", ".join(f"`{name}`" for name in ordered[MOST:])
        section.blocks.append(
            missing(f"Also recorded, in `artifacts/semantic_trajectory_seed*.json`: {rest}.")
        )
    if not section.blocks:
        section.blocks.append(missing(NONE))
    return section
