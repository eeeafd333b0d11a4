"""Attention heads that do not divide the width: refused, or mended by a rule that the plan declares."""

from __future__ import annotations

from typing import Any

from probatum._errors import ParameterError
from probatum.ablations.plan.model import Accommodation, Configs

HEAD_DIMENSION = 64  # AbProp's 384 / 6


def mend_heads(configs: dict[str, dict[str, Any]], rule: str, base: Configs) -> tuple[Accommodation, ...]:
    """Return what was mended in `configs["model"]["nhead"]`, which is changed where the rule asks for it.

    `keep_dimension` keeps the size of a head as in the base model: d_model / nhead.

    Raises:
        ParameterError: the heads do not divide the width and no rule is declared.
    """
    width, heads = configs["model"].get("d_model"), configs["model"].get("nhead")
    if not (isinstance(width, int) and isinstance(heads, int)) or heads < 1 or width % heads == 0:
        return ()
    size = _base_size(base)
    if rule != "keep_dimension":
        raise ParameterError(
            f"`nhead` must divide `d_model` {width}, got {heads}. Valid: {_divisors(width)}. Override "
            f"model.nhead, or declare `rules: {{heads: keep_dimension}}` (or --rule heads=keep_dimension) for "
            f"heads of size {size}."
        )
    if width % size:
        raise ParameterError(f"keep_dimension: heads of size {size} do not divide `d_model` {width}.")
    configs["model"]["nhead"] = width // size
    reason = f"{heads} heads do not divide a width of {width}; the plan keeps heads of size {size}"
    return (Accommodation("heads", f"nhead {heads}", f"nhead {width // size}", reason),)


def _base_size(base: Configs) -> int:
    width, heads = base["model"].get("d_model"), base["model"].get("nhead")
    if isinstance(width, int) and isinstance(heads, int) and heads > 0 and width % heads == 0:
        return width // heads
    return HEAD_DIMENSION


def _divisors(width: int) -> str:
    found = [count for count in range(1, width + 1) if width % count == 0]
    return ", ".join(map(str, found))
