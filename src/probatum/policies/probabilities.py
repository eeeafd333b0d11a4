"""Probabilities of simple choices among the actions that are allowed."""

from __future__ import annotations

from collections.abc import Sequence

from probatum._errors import UsageError


def uniform(allowed: Sequence[bool]) -> tuple[float, ...]:
    """Return equal probabilities over what is allowed.

    Raises:
        UsageError: nothing is allowed.

    Example:
        >>> uniform((True, False, True))
        (0.5, 0.0, 0.5)
    """
    count = sum(allowed)
    if not count:
        raise UsageError(
            "a decision needs at least one allowed action, got none; WAIT should always be allowed."
        )
    return tuple(1 / count if own else 0.0 for own in allowed)


def certain(action: int, count: int) -> tuple[float, ...]:
    """Return the probabilities of a choice without chance.

    Example:
        >>> certain(1, 3)
        (0.0, 1.0, 0.0)
    """
    return tuple(float(index == action) for index in range(count))
