"""The words of an action's name: its family, and the blueprint of a germination."""

from __future__ import annotations

WAIT, GERMINATE, ADVANCE, CULL, FOSSILIZE = "WAIT", "GERMINATE", "ADVANCE", "CULL", "FOSSILIZE"


def family(name: str) -> str:
    """Return what kind of action a name means.

    Example:
        >>> family("GERMINATE_NORM"), family("RAISE_LEARNING_RATE")
        ('GERMINATE', 'RAISE_LEARNING_RATE')
    """
    return GERMINATE if name.startswith(GERMINATE) else name


def blueprint(name: str) -> str | None:
    """Return the blueprint that a germination names, None for every other action.

    Example:
        >>> blueprint("GERMINATE_CONV_ENHANCE"), blueprint("CULL")
        ('conv_enhance', None)
    """
    return name.removeprefix(f"{GERMINATE}_").lower() if name.startswith(f"{GERMINATE}_") else None
