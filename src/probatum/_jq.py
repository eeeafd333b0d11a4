"""JSON printed as `jq -S .` (1.5, 1.6) prints it: sorted keys, two spaces, every number a double.

The tests hold this against a real jq 1.5 or 1.6, and are skipped beside any other. Of jq 1.7 and later only
their documentation is known here, nothing was run: they keep a number that no filter has changed as the file
has it, in the notation of decNumber. By that, `1.0` stays `1.0` (here `1`), 1.7571e-05 becomes `0.000017571`,
1e-07 becomes `1E-7`, 1e16 becomes `1E+16`, and an integer beyond 2**53 keeps all its digits. Both should agree
on integers up to 2**53 and on fractions from 0.0001 up to 1e16 that have digits after the point; a file with
any other number may give another hash in such a shell, which says nothing about the file.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_DIGITS_BEFORE_EXPONENT = 15
_SMALLEST_PLAIN_POINT = -4


def jq_text(value: Any, indent: str = "") -> str:
    """Return `value` as `jq -S .` prints it, without the final newline.

    Example:
        >>> print(jq_text({"b": 1.0, "a": [1e-05, {}]}))
        {
          "a": [
            1e-05,
            {}
          ],
          "b": 1
        }
    """
    inner = indent + "  "
    if isinstance(value, Mapping):
        entries = [f"{inner}{_string(name)}: {jq_text(value[name], inner)}" for name in sorted(value)]
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}" if entries else "{}"
    if isinstance(value, list | tuple):
        entries = [inner + jq_text(element, inner) for element in value]
        return "[\n" + ",\n".join(entries) + f"\n{indent}]" if entries else "[]"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return _string(value) if isinstance(value, str) else jq_number(value)


def jq_number(value: float) -> str:
    """Return a number as jq 1.6 prints it: the shortest digits that give back the double.

    Example:
        >>> jq_number(1e15), jq_number(1e16), jq_number(0.0001), jq_number(0.00001)
        ('1000000000000000', '1e+16', '0.0001', '1e-05')
    """
    try:
        number = float(value)
    except OverflowError:
        number = math.copysign(math.inf, value)
    if math.isnan(number):
        return "null"
    number = max(-sys.float_info.max, min(sys.float_info.max, number))
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    if not isinstance(exponent, int):
        raise TypeError("a finite number has an integer exponent")
    minus = "-" if sign else ""
    if not number:
        return minus + "0"
    figures = "".join(map(str, digits))
    point = len(figures) + exponent
    if point <= _SMALLEST_PLAIN_POINT or point > len(figures) + _DIGITS_BEFORE_EXPONENT:
        fraction = f".{figures[1:]}" if len(figures) > 1 else ""
        return f"{minus}{figures[0]}{fraction}e{point - 1:+03d}"
    if point <= 0:
        return f"{minus}0.{'0' * -point}{figures}"
    padded = figures.ljust(point, "0")
    return minus + padded[:point] + (f".{padded[point:]}" if padded[point:] else "")


def _string(text: str) -> str:
    """Return a string as jq escapes it: like JSON, and DEL escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
