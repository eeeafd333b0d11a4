"""Many small runs in one batched model: the same numbers as single runs up to rounding, computed faster."""
