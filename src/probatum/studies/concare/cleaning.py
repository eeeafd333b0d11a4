"""Values that no patient can have: repaired where the slip is evident, dropped otherwise.

The rules are bounds and units. They look at one value at a time, at no outcome and at no other patient, so
they may be applied before the split. The bounds are wide: they remove disconnected lines, empty fields typed
as 0 and misplaced decimal points, not the very ill. The forms of error are those visible in PhysioNet 2012
set a; that challenge left such values in on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from probatum.studies.concare.observations import Floats, Integers


@dataclass(frozen=True)
class Repair:
    """Values from `low` to `high` were written in another unit; `factor` brings them back."""

    low: float
    high: float
    factor: float
    reason: str


PLAUSIBLE: dict[str, tuple[float, float]] = {  # smallest and largest value that is kept
    "Age": (15, 120),  # years; above 89 recorded as 90
    "Gender": (0, 1),
    "Height": (120, 230),  # cm
    "ICUType": (1, 4),
    "Weight": (20, 300),  # kg
    "Albumin": (0.5, 8),  # g/dL
    "ALP": (5, 5000),  # IU/L
    "ALT": (1, 20000),  # IU/L
    "AST": (1, 20000),  # IU/L
    "Bilirubin": (0.05, 80),  # mg/dL
    "BUN": (1, 300),  # mg/dL
    "Cholesterol": (20, 1000),  # mg/dL
    "Creatinine": (0.1, 30),  # mg/dL
    "DiasABP": (10, 200),  # mmHg; a line that is flushed or disconnected reads 0 or off scale
    "FiO2": (0.2, 1),  # room air is 0.21
    "GCS": (3, 15),
    "Glucose": (10, 2000),  # mg/dL
    "HCO3": (2, 60),  # mmol/L
    "HCT": (5, 75),  # %
    "HR": (15, 260),  # 1/min
    "K": (1, 12),  # mEq/L
    "Lactate": (0.1, 40),  # mmol/L
    "MAP": (15, 220),  # mmHg
    "MechVent": (0, 1),
    "Mg": (0.3, 12),  # mmol/L as labelled, in fact mg/dL
    "Na": (90, 190),  # mEq/L
    "NIDiasABP": (10, 200),  # mmHg
    "NIMAP": (15, 220),  # mmHg
    "NISysABP": (30, 300),  # mmHg
    "PaCO2": (8, 180),  # mmHg
    "PaO2": (15, 700),  # mmHg
    "pH": (6.5, 8.0),
    "Platelets": (1, 2500),  # 1000/uL
    "RespRate": (2, 80),  # 1/min
    "SaO2": (20, 100),  # %
    "SysABP": (30, 300),  # mmHg
    "Temp": (25, 45),  # deg C; -17.8 is an empty field of 0 deg F
    "TroponinI": (0.01, 300),  # ug/L
    "TroponinT": (0.005, 100),  # ug/L
    "Urine": (0, 5000),  # mL per entry
    "WBC": (0.05, 500),  # 1000/uL
}
REPAIRS: dict[str, tuple[Repair, ...]] = {
    "pH": (
        Repair(65, 80, 0.1, "decimal point one place too far right"),
        Repair(650, 800, 0.01, "decimal point missing"),
    ),
    "FiO2": (Repair(21, 100, 0.01, "percent"),),
    "Height": (
        Repair(1.2, 2.3, 100, "metres"),
        Repair(305, 584, 1 / 2.54, "centimetres taken for inches and converted again"),
    ),
}


def clean(
    names: tuple[str, ...], columns: Integers, values: Floats
) -> tuple[Floats, Mapping[str, dict[str, int]]]:
    """Return the values with slips repaired and impossible ones NaN, and the counts of both by name.

    Args:
        names: of the parameters.
        columns: `(events,)`, index into `names`.
        values: `(events,)`; NaN stays NaN. A parameter without a rule passes unchanged.

    Example:
        >>> values, counts = clean(("pH", "HR"), np.array([0, 0, 1, 1]), np.array([735, 7.3, 0, 80]))
        >>> values.round(2).tolist(), counts
        ([7.35, 7.3, nan, 80.0], {'pH': {'repaired': 1, 'dropped': 0}, 'HR': {'repaired': 0, 'dropped': 1}})
    """
    cleaned = np.array(values, dtype=np.float64)
    counts: dict[str, dict[str, int]] = {}
    for column, name in enumerate(names):
        if name not in PLAUSIBLE:
            continue
        rows = np.flatnonzero(columns == column)
        mine = cleaned[rows]
        factor = np.ones_like(mine)
        for repair in REPAIRS.get(name, ()):
            factor[(mine >= repair.low) & (mine <= repair.high)] = repair.factor
        mine *= factor
        low, high = PLAUSIBLE[name]
        with np.errstate(invalid="ignore"):
            impossible = (mine < low) | (mine > high)
        mine[impossible] = np.nan
        cleaned[rows] = mine
        found = {"repaired": int(((factor != 1) & ~impossible).sum()), "dropped": int(impossible.sum())}
        if any(found.values()):
            counts[name] = found
    return cleaned, counts
