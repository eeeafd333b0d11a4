"""The folder that a name becomes: harmless, and never the folder of another name."""

from __future__ import annotations

import re
from collections.abc import Iterable

_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
LONGEST = 120  # below what file systems allow, with room for a suffix


def folder_name(name: str) -> str:
    """Return `name` with everything but ASCII letters, digits, `-` and `_` replaced by `-`.

    Source: AbProp fact sheet, section 9. No dot and no slash survives, so no name leaves its folder.

    Example:
        >>> folder_name("lr 1e-3"), folder_name("../x")
        ('lr-1e-3', '---x')
    """
    return _FOREIGN.sub("-", name)


def name_fault(name: str) -> str | None:
    """Return what is wrong with a name, or None.

    Example:
        >>> name_fault("..")
        "a name needs a letter or a digit, got '..'."
    """
    if not any(character.isalnum() for character in folder_name(name)):
        return f"a name needs a letter or a digit, got {name!r}."
    if len(name) > LONGEST:
        return f"a name has at most {LONGEST} characters, got {len(name)}. Tell the rest in `description`."
    return None


def collisions(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return each name that would share its folder with an earlier one, after that one.

    Capitals count as equal: some file systems do not tell them apart.

    Example:
        >>> collisions(["lr 1e-3", "b", "lr:1e-3"])
        [('lr 1e-3', 'lr:1e-3')]
    """
    first: dict[str, str] = {}
    found = []
    for name in names:
        key = folder_name(name).lower()
        if key in first:
            found.append((first[key], name))
        first.setdefault(key, name)
    return found
