"""A simulated ICU cohort with known severity, irregular sampling and informative missingness.

**Severity** is an Ornstein-Uhlenbeck process per patient around a level that drifts. With time constant h hours,

    s[t+1] = m[t+1] + (s[t] - m[t]) exp(-1/h) + spread sqrt(1 - exp(-2/h)) e,    m[t] = level + slope t / 48

**Channels** follow severity with a lag: r[t] = r[t-1] + (s[t] - r[t-1]) / lag, and

    value = centre + spread (loading r + habit + noise),    exp of it where the channel is skewed

with `habit` constant per patient, the three parts weighted to unit variance at admission.

**Observation** is by panel, as orders are placed: an order of panel p arrives in an hour with probability
1 - exp(-rate), rate = base exp(urgency s + attention), with `attention` constant per patient; every channel of
the panel is then filled with its own completeness. Sicker patients are measured more: what is missing is
informative (missing not at random), as ICU data are known to be (Agniel, Kohane and Weber 2018, BMJ 361:k1479).

**Death** in hospital follows a logistic law of the mean severity of the last 12 hours and of age.

Centres, spreads and base rates are those of PhysioNet 2012 set a (Silva et al. 2012; median, interquartile
range / 1.349 and share of filled hours of its 4,000 stays, rounded), as is the mortality of 13.9%. The signs of
the loadings are those of SAPS-I and SOFA (Le Gall 1984, Vincent 1996). Time constants, lags, urgencies and
the strength of the logistic law are chosen, not fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from probatum._errors import ParameterError
from probatum.studies.concare.observations import Cohort, Floats, Truth


@dataclass(frozen=True)
class Channel:
    """How one measurement follows severity, and how it is ordered."""

    name: str
    panel: str
    centre: float  # in the channel's unit, of its logarithm where skewed
    spread: float  # standard deviation at admission
    loading: float  # correlation with the lagged severity at admission
    lag_hours: float
    completeness: float  # probability that an order of its panel fills it
    is_logarithmic: bool = False
    lowest: float = -np.inf  # physical bounds; values are clipped to them
    highest: float = np.inf


@dataclass(frozen=True)
class Panel:
    """How often a group of channels is measured."""

    rate_per_hour: float  # of a patient with severity 0
    urgency: float  # factor exp(urgency) on the rate per unit of severity


@dataclass(frozen=True)
class Ward:
    """The laws of a simulated cohort."""

    channels: tuple[Channel, ...]
    panels: dict[str, Panel]
    time_constant_hours: float  # of severity
    level_spread: float  # standard deviation over patients of the level that severity returns to
    slope_spread: float  # ... of the change of that level in 48 hours
    slope_mean: float  # treatment helps on average
    noise_spread: float  # standard deviation of severity around its level
    attention_spread: float  # ... over patients of the logarithm of the measuring rate
    death_log_odds: float  # at severity 0 and mean age
    death_per_severity: float
    death_per_decade: float
    age_mean: float  # years
    age_spread: float
    missing_height: float  # share of patients
    missing_weight: float
    icu_types: tuple[float, ...]  # shares
    female: float


MIXED_ICU = Ward(
    channels=(
        Channel("HR", "monitor", 86, 17.8, 0.45, 1.0, 0.98, lowest=15, highest=260),
        Channel("SysABP", "monitor", 116, 22.5, -0.40, 1.0, 0.85, lowest=30, highest=300),
        Channel("RespRate", "monitor", 19, 5.2, 0.40, 2.0, 0.55, lowest=2, highest=80),
        Channel("Temp", "nurse", 37.1, 0.74, 0.15, 6.0, 0.90, lowest=25, highest=45),
        Channel("GCS", "nurse", 12.0, 4.0, -0.55, 3.0, 0.80, lowest=3, highest=15),
        Channel("Urine", "nurse", 4.32, 0.93, -0.45, 4.0, 0.95, is_logarithmic=True, highest=5000),
        Channel("pH", "gas", 7.38, 0.074, -0.45, 2.0, 0.98, lowest=6.5, highest=8.0),
        Channel("PaO2", "gas", 4.80, 0.50, -0.30, 1.0, 0.95, is_logarithmic=True, highest=700),
        Channel("Lactate", "gas", 0.74, 0.66, 0.60, 3.0, 0.35, is_logarithmic=True, highest=40),
        Channel("Creatinine", "chemistry", 0.0, 0.57, 0.40, 12.0, 0.98, is_logarithmic=True, highest=30),
        Channel("BUN", "chemistry", 3.0, 0.69, 0.45, 12.0, 0.98, is_logarithmic=True, highest=300),
        Channel("Platelets", "chemistry", 5.15, 0.51, -0.25, 12.0, 0.95, is_logarithmic=True, highest=2500),
    ),
    panels={  # rates give about the shares of filled hours of set a: HR 0.90, GCS 0.32, pH 0.12, BUN 0.07
        "monitor": Panel(2.4, 0.10),
        "nurse": Panel(0.50, 0.15),
        "gas": Panel(0.10, 0.55),
        "chemistry": Panel(0.07, 0.30),
    },
    time_constant_hours=12,
    level_spread=0.85,
    slope_spread=0.8,
    slope_mean=-0.2,
    noise_spread=0.5,
    attention_spread=0.3,
    death_log_odds=-2.6,
    death_per_severity=1.7,
    death_per_decade=0.25,
    age_mean=64.2,  # set a
    age_spread=17.5,
    missing_height=0.47,
    missing_weight=0.08,
    icu_types=(0.146, 0.207, 0.365, 0.282),  # coronary, cardiac surgery, medical, surgical
    female=0.44,
)
STATIC_NAMES = (
    "age", "gender", "height", "icu_coronary", "icu_cardiac_surgery", "icu_medical", "icu_surgical",
    "admission_weight",
)  # fmt: skip
LAST_HOURS = 12  # whose mean severity decides


def simulate(*, patients: int, bins: int, seed: int, ward: Ward, second_set: float) -> Cohort:
    """Return a simulated cohort with its truth: the same for the same arguments.

    Args:
        patients: how many stays.
        bins: hours of each.
        seed: of the cohort, not of the training.
        ward: the laws that it obeys, `MIXED_ICU` for one like PhysioNet 2012.
        second_set: share of the patients, the last ones, that form the set "b"; the others are set "a".

    Raises:
        ParameterError: fewer than one patient or bin.

    Example:
        >>> cohort = simulate(patients=50, bins=48, seed=7, ward=MIXED_ICU, second_set=0.2)
        >>> cohort.values.shape, cohort.truth.severity.shape, (cohort.sets == "b").sum().item()
        ((50, 48, 12), (50, 48), 10)
    """
    if patients < 1 or bins < 1:
        raise ParameterError(f"expected at least 1 patient and 1 bin, got {patients} and {bins}.")
    draw = np.random.default_rng(seed)
    severity = draw_severity(patients, bins, ward, draw)
    values = np.stack([respond(severity, channel, draw) for channel in ward.channels], axis=-1)
    observed, rate = draw_orders(severity, ward, draw)
    static = draw_static(patients, ward, draw)
    decades = (static[:, 0] - ward.age_mean) / 10
    risk = 1 / (1 + np.exp(-(
        ward.death_log_odds
        + ward.death_per_severity * severity[:, -LAST_HOURS:].mean(axis=1)
        + ward.death_per_decade * decades
    )))  # fmt: skip
    width = len(str(patients - 1))
    return Cohort(
        ids=tuple(f"simulated:{row:0{width}d}" for row in range(patients)),
        values=np.where(observed, values, np.nan).astype(np.float32),
        channels=tuple(channel.name for channel in ward.channels),
        static=static.astype(np.float32),
        static_names=STATIC_NAMES,
        targets=(draw.random(patients) < risk).astype(np.float32),
        lengths=np.full(patients, bins, dtype=np.int64),
        sets=np.where(np.arange(patients) < patients - round(patients * second_set), "a", "b"),
        truth=Truth(severity, risk, rate),
    )


def draw_severity(patients: int, bins: int, ward: Ward, draw: np.random.Generator) -> Floats:
    """Return severity `(patients, bins)`, in standard deviations of the population at admission."""
    level = draw.normal(0, ward.level_spread, patients)
    slope = draw.normal(ward.slope_mean, ward.slope_spread, patients)
    centre = level[:, None] + slope[:, None] * np.arange(bins) / 48  # (patients, bins)
    kept = np.exp(-1 / ward.time_constant_hours)
    shocks = ward.noise_spread * draw.standard_normal((patients, bins))
    around = np.empty((patients, bins))
    around[:, 0] = shocks[:, 0]  # the process is stationary from the first hour
    for hour in range(1, bins):
        around[:, hour] = kept * around[:, hour - 1] + np.sqrt(1 - kept**2) * shocks[:, hour]
    return centre + around


def respond(severity: Floats, channel: Channel, draw: np.random.Generator) -> Floats:
    """Return the true value of a channel in every hour, `(patients, bins)`, observed or not."""
    lagged = np.empty_like(severity)
    lagged[:, 0] = severity[:, 0]
    for hour in range(1, severity.shape[1]):
        lagged[:, hour] = lagged[:, hour - 1] + (severity[:, hour] - lagged[:, hour - 1]) / channel.lag_hours
    rest = np.sqrt((1 - channel.loading**2) / 2)  # habit and noise share what severity leaves
    habit = draw.standard_normal((len(severity), 1))
    noise = draw.standard_normal(severity.shape)
    values = channel.centre + channel.spread * (channel.loading * lagged + rest * (habit + noise))
    values = np.exp(values) if channel.is_logarithmic else values
    return np.clip(values, channel.lowest, channel.highest)


def draw_orders(severity: Floats, ward: Ward, draw: np.random.Generator) -> tuple[np.ndarray, Floats]:
    """Return what was observed `(patients, bins, channels)` and the rate of orders `(patients, bins, panels)`."""
    attention = draw.normal(0, ward.attention_spread, (len(severity), 1))
    rates = {
        name: panel.rate_per_hour * np.exp(panel.urgency * severity + attention)
        for name, panel in ward.panels.items()
    }
    ordered = {name: draw.random(rate.shape) < -np.expm1(-rate) for name, rate in rates.items()}
    observed = [
        ordered[channel.panel] & (draw.random(severity.shape) < channel.completeness)
        for channel in ward.channels
    ]
    return np.stack(observed, axis=-1), np.stack(list(rates.values()), axis=-1)


def draw_static(patients: int, ward: Ward, draw: np.random.Generator) -> Floats:
    """Return the static columns `(patients, 8)`, with heights and weights missing at random."""
    age = np.clip(draw.normal(ward.age_mean, ward.age_spread, patients), 16, 90)
    male = (draw.random(patients) >= ward.female).astype(float)
    height = draw.normal(162 + 14 * male, 7)  # cm
    weight = np.clip(draw.normal(72 + 14 * male, 18), 35, 200)  # kg
    kind = draw.choice(len(ward.icu_types), patients, p=np.array(ward.icu_types) / sum(ward.icu_types))
    height[draw.random(patients) < ward.missing_height] = np.nan
    weight[draw.random(patients) < ward.missing_weight] = np.nan
    return np.column_stack([age, male, height, np.eye(len(ward.icu_types))[kind], weight])
