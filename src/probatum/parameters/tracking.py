"""Which parameters a run really reads: the dynamic half of the two-way check.

Source: DESIGN "Two-way parameter check"; `missing_params` of seed 003 section 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, cast

from probatum._names import unknown
from probatum.parameters.model import Parameters, field_specs

P = TypeVar("P", bound=Parameters)


class ReadLog:
    """Which parameters were read through its views, and which were asked for but never recorded.

    The first read of a name costs one Python call, every later one a plain attribute access.

    Example:
        >>> from probatum.parameters.model import parameter
        >>> class Small(Parameters):
        ...     epochs: int = parameter("training", "passes over the data")
        ...     patience: int = parameter("training", "epochs without progress")
        >>> log, small = ReadLog(), Small(epochs=3, patience=1)
        >>> view = log.track(small)
        >>> view.epochs, hasattr(view, "epoch"), log.unread(small), sorted(log.missing)
        (3, False, ['patience'], ['epoch'])
    """

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.missing: set[str] = set()

    def track(self, parameters: P) -> P:
        """Return a view that behaves as `parameters` and writes every read into this log."""
        return cast(P, _View(parameters, self))

    def unread(self, parameters: Parameters) -> list[str]:
        """Return the names that were recorded but never read, in the order of declaration."""
        return [name for name in field_specs(_plain_type(parameters)) if name not in self.read]


class _View:
    """Stands for the parameters: reads are noted, writes refused, copies and pickles harmless."""

    def __init__(self, target: Parameters, log: ReadLog) -> None:
        object.__setattr__(self, "_target", target)
        object.__setattr__(self, "_log", log)

    @property
    def __class__(self) -> Any:
        """Return the parameters' class, so that `isinstance` holds."""
        return type(object.__getattribute__(self, "_target"))

    def __getattr__(self, name: str) -> Any:
        """Return an attribute that is not yet known here, and note that it was asked for."""
        target, log = self.__dict__["_target"], self.__dict__["_log"]
        if name in field_specs(_plain_type(target)):
            log.read.add(name)
            value = getattr(target, name)
            self.__dict__[name] = value
            return value
        if name.startswith("_") or hasattr(type(target), name):
            return getattr(target, name)
        log.missing.add(name)
        raise AttributeError(unknown("parameter", name, field_specs(_plain_type(target))))

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse: parameters are frozen."""
        raise AttributeError(f"`{name}` cannot be set: parameters are frozen. Give it as an override.")

    def __delattr__(self, name: str) -> None:
        """Refuse: parameters are frozen."""
        raise AttributeError(f"`{name}` cannot be deleted: parameters are frozen.")

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Return names and values; recording a whole set is not a use of its members."""
        return iter(self.__dict__["_target"])

    def __eq__(self, other: object) -> bool:
        """Return whether the parameters behind are equal."""
        return self.__dict__["_target"] == (other.__dict__["_target"] if type(other) is _View else other)

    def __hash__(self) -> int:
        """Return the hash of the parameters behind."""
        return hash(self.__dict__["_target"])

    def __repr__(self) -> str:
        """Return the parameters as they print themselves."""
        return repr(self.__dict__["_target"])

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a pickle or copy needs: the parameters behind, untracked."""
        return _itself, (self.__dict__["_target"],)


def _itself(parameters: Parameters) -> Parameters:
    """Return the parameters: a worker process has no use for this process's log."""
    return parameters


def _plain_type(parameters: Any) -> type[Parameters]:
    """Return the class of parameters or of a view of them."""
    return type(parameters.__dict__["_target"]) if type(parameters) is _View else type(parameters)
