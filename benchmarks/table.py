"""The tables of the documentation, from the files that the benchmarks wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import ablation_tables, antibody_tables, growth_tables, pack_tables, signal_tables
from benchmarks.cells import spread, table


def markdown(results_folder: Path | str) -> str:
    """Return the Markdown of every result that is there; one sentence per result that is not."""
    parts = []
    for name, (title, render) in _TABLES.items():
        file = Path(results_folder) / f"{name}.json"
        parts.append(f"## {title}\n")
        if not file.is_file():
            parts.append(f"Not measured yet: `python -m benchmarks {name}` writes `{file.name}`.\n")
            continue
        result = json.loads(file.read_text(encoding="utf-8"))
        parts += [render(result), _circumstances(result)]
    return "\n".join(filter(None, parts))


def _circumstances(result: Mapping[str, Any]) -> str:
    if "machine" not in result or "date" not in result:
        return ""
    machine, load = result["machine"], result.get("load") or {}
    place = ", ".join(
        [machine["cpu"], f"{machine['cores']} cores", f"Python {machine['python']}"]
        if "cpu" in machine
        else map(str, machine.values())
    )
    loads = f" Load {load['before']:.1f} before, {load['after']:.1f} after." if "before" in load else ""
    return f"{result['date'][:10]}, {place}.{loads} Command: `{result.get('command', '')}`.\n"


def _throughput(result: Mapping[str, Any]) -> str:
    setting = result["setting"]
    rows = [
        [
            _MODELS.get(name, name),
            spread(figure["interactions_per_second"], 0),
            spread(figure["ours_over_it"], 1, "x"),
            spread(figure["ours_over_it_by_wall_clock"], 1, "x"),
        ]
        for name, figure in _ordered(result["models"], _MODELS)
    ]
    head = ["model", "interactions per processor second", "GainAKT2Exp over it", "by wall clock"]
    said = (
        f"Real interactions in training: {setting['dataset']}, width {setting['width']}, "
        f"{setting['blocks']} blocks, {setting['heads']} heads, feed-forward width {setting['d_ff']} "
        "(at 256, AKT's own, the ratio to SAKT was 4.2x and to AKT 51x), "
        f"batches of {setting['batch']} windows of at most {setting['window']}, threads: {setting['threads']}, "
        f"pyKT {setting['pykt_toolkit']}. Median (range) of {setting['rounds']} rounds that took turns.\n"
    )
    return f"{said}\n{table(head, rows)}{_missing(result)}"


def _startup(result: Mapping[str, Any]) -> str:
    verbs, start = result["verbs"], result["first_step"]
    names = {"launch": "`probatum launch plain` to the first optimiser step"}
    rows = [
        [
            names.get(name, f"`{name}`"),
            spread(figure["milliseconds"], 0),
            spread(figure["ratio"], 1, "x"),
            base,
        ]
        for figures, base in ((verbs, "`python -c pass`"), (start, "`import torch`"))
        for name, figure in sorted(figures.items(), key=lambda item: item[1]["ratio"]["median"])
    ]
    return table(["command", "ms", "ratio", "to"], rows)


def _recording(result: Mapping[str, Any]) -> str:
    load = result["workload"]
    place = f" Stores stand in `{load['folder']}`." if "folder" in load else ""
    rows = [
        [
            _STORES.get(name, name),
            spread(figure["record_ms"], 1),
            spread(figure["ratio_to_probatum"], 1, "x"),
            f"{figure['best_ms']['median']:.2f} of {figure['best_of_runs']:,} runs"
            if "best_ms" in figure
            else "no query",
        ]
        for name, figure in _ordered(result["stores"], _STORES)
    ]
    size = f"{load['parameters']} parameters, {load['epochs']} epochs of {load['metrics']} metrics"
    said = f"One run: {size}.{place}\n"
    rendered = table(["store", "ms per run", "ratio to Probatum", "best run, ms"], rows)
    return f"{said}\n{rendered}{_missing(result)}"


def _knowledge_tracing(result: Mapping[str, Any]) -> str:
    rows = result["rows"]
    baselines = list(dict.fromkeys(name for row in rows for name in row.get("versus") or {}))
    timed = any(row.get("minutes_per_fold") is not None for row in rows)
    head = ["model", "variant", "folds", "test AUC, mean (95 % interval)"]
    head += [f"less {name}" for name in baselines] + (["minutes per fold"] if timed else [])
    body = []
    for row in rows:
        cells = [str(row["model"]), str(row.get("variant") or ""), _folds(row.get("folds")), _interval(row)]
        cells += [_difference((row.get("versus") or {}).get(name)) for name in baselines]
        if timed:
            minutes = row.get("minutes_per_fold")
            cells.append("" if minutes is None else f"{minutes:.1f}")
        body.append(cells)
    return table(head, body) + _splits(result.get("splits") or {})


def _splits(found: Mapping[str, Any]) -> str:
    """Return the test AUC by split seed: how far the choice of the test students moves the level."""
    scores = found.get("test_auc") or {}
    seeds = list(next(iter(scores.values()), {}))
    if not seeds:
        return ""
    body = [[model, *(f"{by_seed[seed]:.4f}" for seed in seeds)] for model, by_seed in scores.items()]
    text = (
        "\n\nThe same on fold 0 of other splits, by split seed: which students are held out moves the level more "
        "than any model here.\n\n"
    )
    rendered = table(["model", *(f"split seed {seed}" for seed in seeds)], body)
    difference = f"\n\nDifference over the splits: {_difference(found)}" if "mean_diff" in found else ""
    return text + rendered + difference


def _ordered(figures: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, Any]]:
    known = [name for name in names if name in figures]
    return [(name, figures[name]) for name in [*known, *(set(figures) - set(known))]]


def _folds(folds: Any) -> str:
    return str(len(folds) if isinstance(folds, list) else folds)


def _interval(row: Mapping[str, Any]) -> str:
    mean, low, high = (row.get(key) for key in ("test_auc_mean", "ci_low", "ci_high"))
    if mean is None:
        return ""
    return f"{mean:.4f}" if low is None or high is None else f"{mean:.4f} ({low:.4f} to {high:.4f})"


def _difference(found: Mapping[str, Any] | None) -> str:
    if not found:
        return ""
    p_value = found.get("p_value")
    return f"{found['mean_diff']:+.4f}" + ("" if p_value is None else f" (p = {p_value:.3g})")


def _missing(result: Mapping[str, Any]) -> str:
    missing = result.get("missing") or []
    return f"\nNot there when measured: {', '.join(missing)}.\n" if missing else ""


_MODELS = {"gainakt2exp": "GainAKT2Exp, all constraints", "akt": "AKT (pyKT)", "sakt": "SAKT (pyKT)"}
_STORES = {"probatum": "Probatum", "mlflow": "MLflow", "sacred": "Sacred", "aim": "Aim"}
_TABLES: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "knowledge_tracing": ("Knowledge tracing", _knowledge_tracing),
    "throughput": ("Training throughput", _throughput),
    "startup": ("Start-up", _startup),
    "recording": ("Recording a run", _recording),
    "probe_overhead": ("What a probe costs", signal_tables.probe_overhead),
    "landscape": ("Loss landscape", signal_tables.landscape),
    "explain": ("What an explanation takes", signal_tables.explain),
    "concare_encoder": ("Recurrent encoders in one batch", signal_tables.concare_encoder),
    "icu_mortality": ("ICU mortality", signal_tables.icu_mortality),
    "pareto": ("Pareto front", signal_tables.pareto),
    "ablations": ("Ablations: runner, plans, analysis", ablation_tables.ablations),
    "growth_episodes": ("Episodes of a growing network", growth_tables.growth_episodes),
    "growth_policies": ("Growth under learned policies", growth_tables.growth_policies),
    "antibody_properties": ("Antibodies", antibody_tables.antibody_properties),
    "abprop_throughput": ("Training throughput of AbProp", antibody_tables.abprop_throughput),
    "packs": ("Reading a pack", pack_tables.packs),
}
