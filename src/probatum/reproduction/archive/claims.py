"""What a person says about an archive: author, licence, citation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from probatum._errors import UsageError

_ORCID = re.compile(r"(?:https://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])")


@dataclass(frozen=True)
class Claims:
    """What a person says about an archive; nothing of it is ever taken from the machine."""

    author: str | None = None
    orcid: str | None = None
    licence: str | None = None  # an SPDX name or an address
    citation: str | None = (
        None  # the publication that the run belongs to: a text, or an address such as a DOI
    )

    def __post_init__(self) -> None:
        """Check the ORCID.

        Raises:
            UsageError: it is not one, or stands without an author.
        """
        if self.orcid is None:
            return
        if self.author is None:
            raise UsageError("--orcid needs --author NAME: whose ORCID is it?")
        object.__setattr__(self, "orcid", orcid_address(self.orcid))


def orcid_address(text: str) -> str:
    """Return an ORCID as an address.

    Raises:
        UsageError: it is not sixteen digits in fours whose last one is their check (ISO 7064, mod 11-2).

    Example:
        >>> orcid_address("0000-0002-1825-0097")
        'https://orcid.org/0000-0002-1825-0097'
    """
    match = _ORCID.fullmatch(text.strip())
    if not match:
        raise UsageError(f"--orcid {text}: expected four groups of four digits, such as 0000-0002-1825-0097.")
    digits, total = match[1].replace("-", ""), 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    if digits[-1] != ("X" if check == 10 else str(check)):
        raise UsageError(f"--orcid {text}: its last digit does not fit the others. Is one mistyped?")
    return f"https://orcid.org/{match[1]}"
