"""`SEED_INFO.md`, `README.md` and `experiment_log.yaml`: texts for people, made from the record alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from probatum._files import read_json
from probatum.runs.files import Group
from probatum.runs.paths import RunPaths
from probatum.runs.statistics import seed_statistics


def number(value: Any) -> str:
    """Return a number for a table: four decimals, `-` where it was not measured.

    Example:
        >>> number(0.71234), number(None), number(3)
        ('0.7123', '-', '3')
    """
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table; `|`, line ends and markup in cells are made harmless."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(plain(value) for value in line) + " |" for line in lines)


def plain(value: Any) -> str:
    r"""Return text without anything that Markdown or HTML would act on.

    Example:
        >>> plain("a|<b>")
        'a\\|&lt;b&gt;'
    """
    text = number(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"\s+", " ", text.replace("\\", "\\\\").replace("|", "\\|")).strip()


def seed_info(config: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    """Return `SEED_INFO.md`: each seed's values at its best epoch, then mean, deviation and interval."""
    labels = {
        metric["name"]: metric["label"]
        for metric in config["metrics"]
        if metric["name"] in results["metrics"]
    }
    per_seed = results.get("per_seed") or [{"seed": results["seeds"][0], **results}]
    rows = [[r["seed"], r["best_epoch"], *(r["metrics"][name]["best"] for name in labels)] for r in per_seed]
    lines = [
        "# Seeds",
        "",
        f"Seeds: {', '.join(map(str, results['seeds']))}. Values are those of each seed's best epoch.",
        "",
    ]
    lines += [table(["Seed", "Best epoch", *labels.values()], rows), "", "## Aggregated", ""]
    stats = {name: seed_statistics([r["metrics"][name]["best"] for r in per_seed]) for name in labels}
    if len(per_seed) == 1:
        lines.append("One seed: no deviation and no interval can be given.")
    else:
        lines.append(
            table(
                ["Metric", "Mean", "Std", "95% t-interval", "n"],
                [
                    [
                        labels[n],
                        s["mean"],
                        s["std"],
                        f"{number(s['ci_low'])} to {number(s['ci_high'])}",
                        s["n"],
                    ]
                    for n, s in stats.items()
                ],
            )
        )
    return "\n".join(lines) + "\n"


def readme(
    config: Mapping[str, Any], results: Mapping[str, Any] | None = None, *, status: str = "completed"
) -> str:
    """Return the run's `README.md`: what it is, what it gave, and how to check it."""
    experiment, overrides = config["experiment"], config["overrides"]
    parts = [
        f"# {plain(experiment['experiment_id'])}",
        plain(experiment["purpose"]) or "No purpose was given.",
        table(
            ["What", "Value"],
            [
                ["Study", experiment["study"]],
                ["Status", status],
                ["Created (UTC)", experiment["created"]],
                ["Schema version", config["schema_version"]],
                ["config_md5", config["config_md5"]],
                ["Defaults md5", config["md5"]],
                ["Seeds", ", ".join(map(str, config["seeds"]["all"]))],
                ["Tolerances", config["tolerance_mode"]],
                ["Missing parameters", ", ".join(config["missing_params"]) or "none"],
            ],
        ),
        "## Overrides",
        _overrides(config, overrides),
    ]
    if config.get("reproduction"):
        parts += [
            "## Reproduction",
            table(["What", "Value"], [[k, json.dumps(v)] for k, v in sorted(config["reproduction"].items())]),
        ]
    if results:
        parts += ["## Results", _metrics(config, results), *_check(results)]
    commands = [f"# {name}\n{command}" for name, command in sorted(config["commands"].items()) if command]
    parts += ["## Commands", "```bash\n" + "\n\n".join(commands).replace("```", "` ` `") + "\n```"]
    parts += ["## Parameters", table(["Parameter", "Value", "Default", "Category"], _parameters(config))]
    parts.append(
        "Check every byte with `probatum verify`, or every file with `sha256sum -c MANIFEST.sha256`."
    )
    return "\n\n".join(parts) + "\n"


def _overrides(config: Mapping[str, Any], overrides: Mapping[str, Any]) -> str:
    if not overrides:
        return "None: every parameter has its default."
    return table(
        ["Parameter", "Default", "Value"],
        [[k, json.dumps(config["defaults"].get(k)), json.dumps(v)] for k, v in sorted(overrides.items())],
    )


def _metrics(config: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    rows = [
        [
            m["label"],
            results["metrics"][m["name"]]["best"],
            results["metrics"][m["name"]]["last"],
            "higher" if m["higher_is_better"] else "lower",
        ]
        for m in config["metrics"]
        if m["name"] in results["metrics"]
    ]
    which = "mean over the seeds" if results["multi_seed"] else f"best epoch {results['best_epoch']}"
    return f"Values at the best epoch ({which}) and at the last.\n\n" + table(
        ["Metric", "Best epoch", "Last epoch", "Better"], rows
    )


def _check(results: Mapping[str, Any]) -> list[str]:
    check = results.get("parameter_check") or {}
    return [
        f"{words}: {', '.join(map(plain, check[key]))}."
        for key, words in (
            ("missing_params", "Read without being recorded"),
            ("unread_params", "Recorded but never read"),
        )
        if check.get(key)
    ]


def _parameters(config: Mapping[str, Any]) -> list[list[Any]]:
    return [
        [name, json.dumps(config["parameters"][name]), json.dumps(config["defaults"].get(name)), category]
        for category, names in sorted(config["types"].items())
        for name in names
    ]


def experiment_log(
    config: Mapping[str, Any],
    results: Mapping[str, Any] | None = None,
    artifacts: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Return `experiment_log.yaml`, where people note what they conclude; JSON scalars are YAML scalars.

    Args:
        config: the content of `config.json`.
        results: the content of `results.json`, once there is one.
        artifacts: the content of each signal artifact by its name in the folder.
    """
    experiment = config["experiment"]
    lines = [
        "# Yours to edit: `probatum verify` shows changes here as a note, never as a failure.",
        *(
            f"{key}: {json.dumps(value)}"
            for key, value in (
                ("experiment_id", experiment["experiment_id"]),
                ("study", experiment["study"]),
                ("title", experiment["short_title"]),
                ("purpose", experiment["purpose"]),
                ("created", experiment["created"]),
                ("config_md5", config["config_md5"]),
                ("seeds", config["seeds"]["all"]),
            )
        ),
        f"overrides: {json.dumps(config['overrides'], sort_keys=True)}",
        "metrics:" if results else "metrics: {}",
    ]
    if results:
        lines += [
            f"  {json.dumps(k)}: {json.dumps(v, sort_keys=True)}"
            for k, v in sorted(results["metrics"].items())
        ]
    lines += _instrumentation(artifacts or {})
    return "\n".join([*lines, 'hypothesis: ""', 'observation: ""', 'conclusion: ""', 'next: ""']) + "\n"


def _instrumentation(artifacts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the block that tells reviewers where the signals are; `signals compare` fills summary and notes."""
    if not artifacts:
        return []
    path = json.dumps(next(iter(artifacts)) if len(artifacts) == 1 else list(artifacts))
    curves = [content.get("perturbations") or {} for content in artifacts.values()]
    drawn = {
        name: json.dumps(curves[0].get(name)) if len(curves) == 1 else "null"
        for name in ("missingness_curve", "truncation_curve")
    }
    return [
        "instrumentation:",
        "  signal_check:",
        f"    path: {path}",
        '    status: "recorded"',
        '    summary: ""',
        "  perturbations:",
        f"    path: {path}",
        *(f"    {name}: {curve}" for name, curve in drawn.items()),
        '    notes: ""',
    ]


def _artifacts(paths: RunPaths) -> dict[str, Any]:
    files = sorted(paths.instrumentation_folder.glob("*.json"))
    return {file.relative_to(paths.folder).as_posix(): read_json(file) for file in files}


def write_summaries(paths: RunPaths, config: Mapping[str, Any], results: Mapping[str, Any]) -> None:
    """Write the three texts; an experiment log that somebody annotated already is kept."""
    with Group(paths.folder) as group:
        group.add(paths.seed_info.name, seed_info(config, results))
        group.add(paths.readme.name, readme(config, results))
        if not paths.experiment_log.exists():
            group.add(paths.experiment_log.name, experiment_log(config, results, _artifacts(paths)))
