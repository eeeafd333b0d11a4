"""The tables of the benchmarks on antibodies: what is reached beside every baseline, and how fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.cells import spread, table

MODELS = {
    "peer": "`nn.TransformerEncoder`, padded random batches", "ours": "AbProp",
    "ours_by_mkl": "AbProp, matrix products by MKL",
}  # fmt: skip
LABELS = {
    "numbered": "Labels `numbered`",
    "abprop": "Labels `abprop`, the rules of the code behind the study",
}
RULES = "motif_rules"  # a program, not a guess: it stands in a column of its own


def antibody_properties(result: Mapping[str, Any]) -> str:
    """Return the test metrics of each label set with the baselines beside them."""
    near, parts = result["near"], []
    for labels, rows in result["tables"].items():
        runs = result["runs"][labels]
        test, seconds = runs["splits"]["test"], list(runs["seconds"].values())
        hashes = ", ".join(f"`{value[:8]}`" for value in runs["config_md5"].values())
        parts.append(
            f"{LABELS[labels]}: {len(seconds)} training seed{'s' if len(seconds) > 1 else ''}, test "
            f"{test['sequences']:,} sequences of {test['clonotypes']:,} clonotypes, at most {max(seconds):.0f} "
            f"seconds of training a seed; config_md5 {hashes}.\n"
        )
        body = [[f"`{row['metric']}`", _measured(row), _beside(row, RULES), _by_rule(row)] for row in rows]
        head = ["test metric", "mean (95 % t-interval over seeds)", "baselines", "motif rules, CDRs by place"]
        parts.append(table(head, body))
    parts.append(
        f"Of the test sequences {near['near_share']:.1%} have a training sequence of the same length that is equal "
        f"at {near['identity']:.0%} of the places or more (median of the nearest: "
        f"{near['median_identity']:.1%}), and "
        "none shares its CDR3, by the rule of the split. Clonotypes are held apart, germline genes are not. The "
        "baseline `template` copies from that nearest sequence.\n"
    )
    return "\n".join(parts)


def abprop_throughput(result: Mapping[str, Any]) -> str:
    """Return real residues per second by size and model."""
    body = []
    for size, found in result["sizes"].items():
        own = found["setting"]
        shape = f"{size}: {own['d_model']}/{own['nhead']}/{own['num_layers']}/{own['dim_feedforward']}"
        for name, figure in found["models"].items():
            body.append(
                [
                    f"{shape}, dropout {own['dropout']:g}, batch {own['batch_size']}", MODELS[name],
                    spread(figure["residues_per_second"], 0), spread(figure["over_peer"], 2, "x"),
                    spread(figure["over_peer_by_wall_clock"], 2, "x"), f"{figure['product_share']:.0%}",
                ]
            )  # fmt: skip
    head = [
        "size (width/heads/layers/feed-forward)",
        "model",
        "residues per processor second",
        "over the peer",
        "by wall clock",
        "share of products and attention",
    ]
    own = result["setting"]
    said = (
        f"Real residues in training: {own['dataset']}, {own['sequences']:,} sequences, one thread, torch "
        f"{own['torch']}. Median (range) of {own['rounds']} rounds that took turns.\n"
    )
    return f"{said}\n{table(head, body)}"


def _measured(row: Mapping[str, Any]) -> str:
    if row["mean"] is None:
        return "undefined"
    low_high = row.get("interval")
    return f"{row['mean']:.4f}" + (f" ({low_high[0]:.4f} to {low_high[1]:.4f})" if low_high else "")


def _beside(row: Mapping[str, Any], without: str) -> str:
    known = [
        (name, value) for name, value in row["baselines"].items() if name != without and value is not None
    ]
    return ", ".join(f"{name} {value:.4f}" for name, value in known)


def _by_rule(row: Mapping[str, Any]) -> str:
    value = row["baselines"].get(RULES)
    return "" if value is None else f"{value:.4f}"
