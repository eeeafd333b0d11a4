"""The tables of the benchmarks on signals, on ICU stays, and on the front of many experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.cells import spread, table

WATCHERS = {
    "minimal": "probe, minimal", "standard": "probe, standard", "diagnostic": "probe, diagnostic",
    "research": "probe, research", "recorder": "the recorder of seed 000, 2 steps an epoch",
    "tracker": "the old tracker, diagnostic", "wandb.watch": "wandb.watch(all), every step, offline",
}  # fmt: skip
PUBLISHED = "published, three sets (Yu et al. 2024)"


def probe_overhead(result: Mapping[str, Any]) -> str:
    """Return the ratio of an epoch with each watcher to one without."""
    models = {"network": "convolutional, 0.19 M", "transformer": "transformer, 3.2 M"}
    found = [name for name in models if name in result["ratios"]]
    body = [
        [
            words,
            *(spread(result["ratios"][model].get(name), 3) for model in found),
            f"{result['limits'][name]:.2f}" if name in result["limits"] else "",
        ]
        for name, words in WATCHERS.items()
        if any(name in result["ratios"][model] for model in found)
    ]
    said = (
        f"Epochs of {result['steps']} steps and 10 validation batches with a watcher over epochs without, "
        "processor time of one thread, median (range). 1.00 is free.\n\n"
    )
    return said + table(["watcher", *(models[name] for name in found), "limit"], body)


def landscape(result: Mapping[str, Any]) -> str:
    """Return cost and error of sharpness and top eigenvalue by model and epoch."""
    body = []
    for model, states in result["models"].items():
        for state, own in states.items():
            costs = own["epochs"]
            body.append(
                [
                    f"{model}, {state}",
                    spread(costs.get("eigenvalue"), 2),
                    spread(costs.get("pyhessian_eigenvalue"), 2),
                    _percent(own.get("off_pyhessian")),
                    spread(costs.get("sharpness_5"), 3),
                    _percent(own.get("sharpness_5_relative_se")),
                ]
            )
    head = [
        "state",
        "top eigenvalue, epochs",
        "PyHessian, epochs",
        "apart",
        "sharpness, 5 pairs, epochs",
        "its error",
    ]
    said = "Cost in epochs of 40 training steps, processor time of one thread, median (range).\n\n"
    return said + table(head, body)


def concare_encoder(result: Mapping[str, Any]) -> str:
    """Return how much faster the batched computation is than the loop."""
    body = [
        [name, spread(own["loop_milliseconds"], 0), spread(own["batched_milliseconds"], 0),
         spread(own["ratio"], 1, "x"), spread(own["ratio_by_processor_time"], 1, "x"), f"{own['target']:g}x",
         f"{own['largest_relative_deviation']:.0e}"]
        for name, own in result["comparisons"].items()
    ]  # fmt: skip
    head = ["what", "loop, ms", "batched, ms", "ratio", "by processor time", "goal", "largest deviation"]
    said = "Forward and backward of 76 recurrent encoders over 48 steps, hidden 64, against a loop of `nn.GRU`.\n\n"
    return said + table(head, body)


def pareto(result: Mapping[str, Any]) -> str:
    """Return how long a front takes here and in Optuna."""
    body = [
        [name, f"{own['on_front']:,}", spread(own["milliseconds"]["optuna"], 0),
         spread(own["milliseconds"]["probatum"], 0), spread(own["times_as_fast"], 1, "x"),
         "yes" if own["is_equal"] else "no"]
        for name, own in result["clouds"].items()
    ]  # fmt: skip
    head = ["points", "on the front", "Optuna, ms", "Probatum, ms", "times as fast", "equal"]
    return f"The Pareto front of {result['points']:,} points in 3 objectives.\n\n" + table(head, body)


def icu_mortality(result: Mapping[str, Any]) -> str:
    """Return test metrics by protocol and model, then how both variants degrade."""
    body = [
        [row["protocol"], row["model"], str(len(row["seeds"])), _measured(row["auroc"]), _measured(row["auprc"]),
         _measured(row["min_se_ppv"]), _compared(row.get("versus_baseline"))]
        for row in result["rows"]
    ]  # fmt: skip
    for name, (auroc, auprc) in result["published"].items():
        shown = ["" if value is None else f"{value:.4f}" for value in (auroc, auprc)]
        body.append([PUBLISHED, name, "3", *shown, "", ""])
    head = [
        "protocol",
        "model",
        "seeds",
        "test AUROC",
        "test AUPRC",
        "min(Se, P+)",
        "AUROC less the baseline variant",
    ]
    return table(head, body) + _robustness(result.get("robustness") or [])


def _robustness(found: Sequence[Mapping[str, Any]]) -> str:
    curves = [row for row in found if "verdict" in row]
    if not curves:
        return ""
    body = []
    for key in dict.fromkeys((row["protocol"], row["curve"]) for row in curves):
        mine = [row for row in curves if (row["protocol"], row["curve"]) == key]
        verdicts = [row["verdict"] for row in mine]
        told = ", ".join(f"{verdicts.count(word)}x {word}" for word in dict.fromkeys(verdicts))
        means = [_mean([row[side] for row in mine]) for side in ("parent", "child")]
        body.append([*key, str(len(mine)), *("; ".join(f"{x:.3f}" for x in line) for line in means), told])
    strengths = "; ".join(f"{x:g}" for x in curves[0]["strengths"])
    head = [
        "protocol",
        "curve",
        "seeds",
        "AUROC, baseline",
        "AUROC, missing-aware",
        "verdicts of the paired tests",
    ]
    said = (
        "\nRobustness on validation patients, mean over seeds, by share of observations dropped "
        f"({strengths}) or of the stay kept (1; 0.75; 0.5; 0.25):\n\n"
    )
    return said + table(head, body)


def _mean(rows: Sequence[Sequence[float]]) -> list[float]:
    return [sum(column) / len(column) for column in zip(*rows, strict=True)]


def _measured(own: Mapping[str, Any]) -> str:
    low, high = own["interval"] or (None, None)
    return f"{own['mean']:.4f}" + ("" if low is None else f" ({low:.4f} to {high:.4f})")


def _compared(found: Mapping[str, Any] | None) -> str:
    return f"{found['auroc']['mean_diff']:+.4f} (p = {found['auroc']['p_value']:.3g})" if found else ""


def _percent(values: Mapping[str, float] | None) -> str:
    return "" if not values else f"{100 * values['median']:.2g} %"


def explain(result: Mapping[str, Any]) -> str:
    """Return how long an explanation takes, beside an interpreter that does nothing."""
    rows = [
        [f"`{name}`", spread(own["wall_seconds"], 2), spread(own["processor_seconds"], 2)]
        for name, own in result["commands"].items()
    ]
    said = (
        f"Two runs of {result['epochs']} epochs with the signals of {result['layers']} layers "
        f"({result['artifact_bytes'] / 1e6:.0f} MB each), a fresh process each time, median (range) of "
        f"{result['rounds']} rounds. Goal: {result['goal_seconds']:g} s.\n\n"
    )
    return said + table(["command", "seconds", "processor seconds"], rows)
