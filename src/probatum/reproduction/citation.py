"""The sentence to cite a reproduction with, made from the comparison and from nothing else.

Source: seed 003, sections 6.a.K and 15.10.
"""

from __future__ import annotations

from probatum.reproduction.compare import Comparison, Row

_SHORT = {
    "val_auc": "AUC", "val_accuracy": "accuracy", "mastery_correlation": "mastery corr",
    "gain_correlation": "gain corr",
}  # fmt: skip


def citation(comparison: Comparison) -> str:
    """Return one or two sentences that state schema, hash, deltas, tolerances, environment and seeds."""
    source = comparison.source
    outcome = {
        "PASS": "was reproduced",
        "FAIL": "was not reproduced",
        "NOT COMPARABLE": "was compared with a run that is not comparable",
    }[comparison.verdict]
    matched = "matched" if comparison.config_md5_match else "not matched"
    target = comparison.target.paths.name
    overrides = source.config.get("overrides") or {}
    parts = [
        f"schema v{source.config.get('schema_version')}",
        f"config_md5 {_short(source.config_md5)} {matched}",
        f"overrides n={len(overrides)}",
        f"deltas ({'; '.join(_delta(row) for row in comparison.rows)}) "
        f"{'within' if comparison.within_tolerance else 'NOT within'} the {comparison.mode} tolerances",
        f"environment {'identical' if not comparison.environment_differences else 'differs'}",
        f"seeds {source.seeds} {'identical' if source.seeds == comparison.target.seeds else 'differ'}",
        f"missing_params={source.config.get('missing_params')}",
    ]
    exact = " The runs agree bit for bit." if comparison.bitwise else ""
    return f"Experiment `{source.paths.name}` {outcome} as `{target}`: {', '.join(parts)}.{exact}"


def _delta(row: Row) -> str:
    name = _SHORT.get(row.name, row.metric)
    if row.diff is None or row.original is None or row.repro is None:
        return f"{name} not available"
    return f"{name} {'+' if row.repro >= row.original else '-'}{row.diff:.4f}"


def _short(digest: str | None) -> str:
    return f"{digest[:4]}...{digest[-2:]}" if digest else "none"
