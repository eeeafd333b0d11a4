"""Nearest valid names, for messages about unknown ones."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, valid: Iterable[str], count: int = 3) -> list[str]:
    """Return up to `count` of the `valid` names that look most like `name`, nearest first.

    Example:
        >>> nearest("learning_rat", ["learning_rate", "epochs"])
        ['learning_rate']
    """
    return get_close_matches(name, list(valid), n=count, cutoff=0.5)


def unknown(kind: str, name: str, valid: Iterable[str]) -> str:
    """Return the sentence that tells a person which names were valid.

    Example:
        >>> unknown("study", "gainakt2", ["gainakt2exp", "dkt"])
        "unknown study 'gainakt2'. Did you mean 'gainakt2exp'?"
    """
    names = sorted(valid)
    close = nearest(name, names)
    if close:
        return f"unknown {kind} {name!r}. Did you mean {' or '.join(repr(c) for c in close)}?"
    return f"unknown {kind} {name!r}. Valid: {', '.join(names) or 'none'}."
