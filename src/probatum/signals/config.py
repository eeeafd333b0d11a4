"""What a probe records: `TelemetryConfig`, its profiles, and how both are read (seed 004)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from probatum._errors import UnknownNameError, UsageError
from probatum._names import unknown
from probatum.parameters.documents import Document, read_document
from probatum.parameters.mistakes import Mistakes

PROFILES_FILE = Path(__file__).with_name("telemetry_profiles.yaml")


def _in_percent(percentiles: list[int]) -> list[int]:
    if any(not 0 <= value <= 100 for value in percentiles):
        raise ValueError("percentiles must lie in 0..100")
    if sorted(set(percentiles)) != percentiles:
        raise ValueError("percentiles must ascend without repetition")
    return percentiles


Percentiles = Annotated[list[int], AfterValidator(_in_percent)]


class _Config(BaseModel):
    """A frozen model that refuses unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class GradientConfig(_Config):
    """What is read from the gradients of each chosen layer, before clipping."""

    enabled: bool = False
    layers: list[str] | Literal["all"] = "all"  # names, globs or class names; for every signal of a layer
    track_norm: bool = True
    track_std: bool = True  # and the mean
    percentiles: Percentiles = [1, 50, 99]  # of |gradient|
    detect_vanishing: bool = True
    detect_exploding: bool = True
    vanishing_threshold: float = Field(default=1e-7, gt=0)
    exploding_threshold: float = Field(default=1e3, gt=0)
    full_histogram: bool = False  # of |gradient|, in fixed half-decade bins
    noise_scale: bool = False


class LossLandscapeConfig(_Config):
    """How the loss around the present weights is measured."""

    enabled: bool = False
    perturbation_samples: int = Field(default=5, ge=1, le=20)
    perturbation_scale: float = Field(default=0.01, gt=0, lt=1)  # relative to the norm of each filter
    estimate_sharpness: bool = True
    curvature: bool = False  # top eigenvalue and trace of the Hessian
    slice_points: int = Field(default=0, ge=0)  # of the loss along one filter-normalised direction


class PerClassConfig(_Config):
    """What is reported for each class."""

    enabled: bool = False
    track_accuracy: bool = True
    track_loss: bool = False
    track_confusion: bool = False


class TelemetryConfig(_Config):
    """Everything that a probe is told to record.

    Example:
        >>> TelemetryConfig(gradients={"enabled": True}).gradients.vanishing_threshold
        1e-07
    """

    profile_name: str = "standard"
    history_length: int = Field(default=10, ge=5, le=100)  # snapshots kept in memory
    probe_batches: int = Field(default=2, ge=1)  # training batches per epoch that are recorded in detail

    gradients: GradientConfig = Field(default_factory=GradientConfig)
    loss_landscape: LossLandscapeConfig = Field(default_factory=LossLandscapeConfig)
    per_class: PerClassConfig = Field(default_factory=PerClassConfig)

    track_weight_norms: bool = False  # and update-to-weight ratios
    track_activation_stats: bool = False
    track_attention: bool = False
    track_head_statistics: bool = False


def profile_names(path: Path = PROFILES_FILE) -> list[str]:
    """Return the names of the profiles, from the least to the most detailed.

    Example:
        >>> profile_names()
        ['minimal', 'standard', 'diagnostic', 'research']
    """
    return list(_profiles(path))


def load_profile(
    name: str, overrides: Mapping[str, Any] | None = None, *, path: Path = PROFILES_FILE
) -> TelemetryConfig:
    """Return the profile called `name`, with `overrides` merged in at any depth.

    Args:
        name: minimal, standard, diagnostic, research, or one of the file `path`.
        overrides: differences from the profile; a nested mapping changes only what it names.
        path: a YAML file with a mapping `profiles`, of the form of `telemetry_profiles.yaml`.

    Raises:
        UnknownNameError: there is no such profile.
        UsageError: the settings have mistakes; all are named, with the nearest valid names.

    Example:
        >>> load_profile("standard", {"gradients": {"percentiles": [50]}}).gradients.percentiles
        [50]
    """
    profiles = _profiles(path)
    if name not in profiles:
        raise UnknownNameError(unknown("telemetry profile", name, profiles))
    settings = _merged({"profile_name": name, **profiles[name]}, overrides or {})
    return _validated(settings, f"telemetry profile {name!r}")


def load_config(source: str | Path | Mapping[str, Any] | TelemetryConfig) -> TelemetryConfig:
    """Return the configuration that `source` means.

    Args:
        source: a configuration (returned as it is); a profile's name; a YAML or JSON file; or a mapping. A file
            or mapping may name the profile that it changes as `profile`; otherwise it changes the defaults of
            `TelemetryConfig`.

    Raises:
        UnknownNameError: there is no such profile.
        ParameterError: the file is missing or malformed, or settings have mistakes (a `UsageError`).

    Example:
        >>> load_config({"profile": "diagnostic", "history_length": 30}).per_class.enabled
        True
    """
    if isinstance(source, TelemetryConfig):
        return source
    if isinstance(source, Mapping):
        return _from_mapping(source, "telemetry settings")
    if isinstance(source, str) and not _looks_like_file(source):
        return load_profile(source)
    document = read_document(Path(source))
    if not isinstance(document.content, dict):
        raise UsageError(f"{source}: expected a mapping of telemetry settings, got {document.content!r}.")
    return _from_mapping(document.content, str(source), document)


def _looks_like_file(source: str) -> bool:
    return "/" in source or Path(source).suffix.lower() in (".yaml", ".yml", ".json")


def _from_mapping(
    settings: Mapping[str, Any], subject: str, document: Document | None = None
) -> TelemetryConfig:
    rest = {name: value for name, value in settings.items() if name != "profile"}
    if "profile" not in settings:
        return _validated(rest, subject, document)
    name = settings["profile"]
    base = _profiles(PROFILES_FILE)
    if name not in base:
        raise UnknownNameError(f"{subject}: {unknown('telemetry profile', str(name), base)}")
    return _validated(_merged({"profile_name": name, **base[name]}, rest), subject, document)


@lru_cache(maxsize=8)
def _profiles(path: Path) -> dict[str, dict[str, Any]]:
    """Return the settings of each profile as they stand in the file."""
    content = read_document(path).content
    profiles = content.get("profiles") if isinstance(content, dict) else None
    if not isinstance(profiles, dict):
        raise UsageError(f"{path}: expected a mapping `profiles` of telemetry profiles, found none.")
    return profiles


def _merged(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `overrides`, mappings merged at every depth, neither argument changed."""
    merged = dict(base)
    for name, value in overrides.items():
        old = merged.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[name] = _merged(old, value) if both else value  # pyright: ignore[reportArgumentType]
    return merged


def _validated(
    settings: Mapping[str, Any], subject: str, document: Document | None = None
) -> TelemetryConfig:
    """Return the typed configuration, or raise all mistakes at once."""
    try:
        return TelemetryConfig.model_validate(settings)
    except ValidationError as error:
        mistakes = Mistakes(subject)
        told: set[tuple[str, ...]] = set()  # pydantic tells of each alternative of a union
        for detail in error.errors(include_url=False):
            if (path := _path(detail)) not in told:
                mistakes.add(_sentence(path, detail, document))
            told.add(path)
        mistakes.raise_if_any()
        raise


def _path(detail: Any) -> tuple[str, ...]:
    """Return the names that lead to a setting, without what pydantic adds to say which type it tried."""
    return tuple(part for part in detail["loc"] if isinstance(part, str) and "[" not in part)


def _sentence(path: tuple[str, ...], detail: Any, document: Document | None) -> str:
    """Return what is wrong with one setting, where, and the nearest valid names."""
    where = f" ({document.where(*path)})" if document else ""
    if detail["type"] == "extra_forbidden":
        return unknown("setting", ".".join(path), _siblings(path)) + where
    if path == ("gradients", "layers"):
        return f'`gradients.layers`: expected "all" or a list of names, got {detail["input"]!r}{where}.'
    message = detail["msg"].removeprefix("Value error, ")
    return f"`{'.'.join(path)}`: {message[:1].lower()}{message[1:]}, got {detail['input']!r}{where}."


def _siblings(path: tuple[str, ...]) -> list[str]:
    """Return the full names of the settings beside the last of `path`."""
    model: type[BaseModel] = TelemetryConfig
    for name in path[:-1]:
        model = model.model_fields[name].annotation  # pyright: ignore[reportAssignmentType]
    return [".".join((*path[:-1], name)) for name in model.model_fields]
