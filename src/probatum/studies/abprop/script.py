"""`python -m probatum.studies.abprop.script`: takes the flags of AbProp's trainer and leaves its files.

An ablation plan written for AbProp's repository runs where `scripts/train.py` is absent: this module stands in.
Below `--output-dir` it leaves `logs/abprop-train.csv` in the old long format, rows of tag `test` with the best
epoch's test metrics at the end, `params.json`, and the whole run with its record below `run/`.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from probatum._errors import ParameterError, ProbatumError
from probatum._files import read_json, write_json, write_whole

EXAMPLES = """\b
Example:
  python -m probatum.studies.abprop.script --config-path configs/train.yaml \\
      --model-config configs/model.yaml --data-config configs/data.yaml --output-dir outputs/first --synthetic"""


@click.command(epilog=EXAMPLES)
@click.option("--config-path", type=Path, default="configs/train.yaml", show_default=True, help="Train file.")
@click.option(
    "--model-config", type=Path, default="configs/model.yaml", show_default=True, help="Model file."
)
@click.option("--data-config", type=Path, default="configs/data.yaml", show_default=True, help="Data file.")
@click.option("--output-dir", type=Path, required=True, help="Where logs/ and run/ are written.")
@click.option("--seed", type=int, help="Instead of the train file's.")
@click.option("--synthetic", is_flag=True, help="Embedded sequences instead of the data file's table.")
@click.option("--dry-run-steps", type=click.IntRange(1), help="Train this many steps on embedded sequences.")
def command(
    output_dir: Path, seed: int | None, synthetic: bool, dry_run_steps: int | None, **files: Path
) -> None:
    """Train AbProp's encoder as three configuration files say."""
    configs = {
        block: _document(files[key])
        for block, key in (("train", "config_path"), ("model", "model_config"), ("data", "data_config"))
    }
    if dry_run_steps is not None:
        configs["train"] = {**configs["train"], "max_steps": dry_run_steps, "eval_interval": dry_run_steps}
    options, left_out = _options(configs, seed, is_embedded=synthetic or dry_run_steps is not None)
    if left_out:
        click.echo(f"note: without meaning here: {', '.join(left_out)}", err=True)
    _train(options, output_dir)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of the trainer called with `arguments`: as the command line's."""
    try:
        command.main(args=arguments, standalone_mode=False)
    except ProbatumError as error:
        click.echo(f"probatum: {error}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    return 0


def _document(path: Path) -> Mapping[str, Any]:
    from probatum.parameters.documents import read_document

    content = read_document(path).content
    if not isinstance(content, dict | None):
        raise ParameterError(f"{path}: expected names and values, got {type(content).__name__}.")
    return content or {}


def _options(
    configs: Mapping[str, Mapping[str, Any]], seed: int | None, *, is_embedded: bool
) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    from probatum.studies.abprop.old_configs import translate

    translation = translate(configs)
    chosen = configs["train"].get("seed") if seed is None else seed
    own = {"dataset": "simulated" if is_embedded else str(_table(configs["data"])), "labels": "abprop"}
    if chosen is not None:
        own["seeds"] = str(chosen)
    return {name: [word] for name, word in {**translation.options, **own}.items()}, translation.left_out


def _table(data: Mapping[str, Any]) -> Path:
    """Return the table that a data file names."""
    place = data.get("parquet") or {}
    parts = (data.get("processed_dir"), place.get("output_dir"), place.get("filename"))
    if not any(parts):
        raise ParameterError("data: names no table. Give processed_dir and parquet, or --synthetic.")
    return Path(*(str(part) for part in parts if part))


def _train(options: Mapping[str, Sequence[str]], output: Path) -> None:
    from probatum.studies.abprop.training_log import write_training_log
    from probatum.training.carry_out import carry_out
    from probatum.training.launch import LaunchRequest, plan_launch
    from probatum.training.recorded import load_recorded_run
    from probatum.training.reproduction_files import write_reproduction_files

    words = [word for name, values in options.items() for word in (f"--{name}", *values)]
    argv = ("probatum", "launch", "abprop", *words)
    request = LaunchRequest("abprop", "script", "AbProp's trainer", options, (), (), None, {}, argv)
    paths = plan_launch(request).prepare(output / "run", folder=None, force=False)
    run = load_recorded_run(paths)
    carry_out(run)
    write_reproduction_files(paths)
    seed = run.parameters.seeds[0]
    log = write_training_log(paths.folder, seed, output / "logs" / "abprop-train.csv")
    _append_test_metrics(log, read_json(paths.seed_result(seed))["evaluation"]["test"])
    write_json(output / "params.json", run.config["parameters"])


def _append_test_metrics(log: Path, metrics: Mapping[str, float | None]) -> None:
    """Add the test metrics of the best epoch, read once, after the last step."""
    text = log.read_text(encoding="utf-8")
    last = text.rstrip().rpartition("\n")[2].partition(",")[0]
    rows = io.StringIO()
    measured = ((name, value) for name, value in metrics.items() if value is not None)
    csv.writer(rows, lineterminator="\n").writerows((last, "test", name, value) for name, value in measured)
    write_whole(log, (text + rows.getvalue()).encode())


if __name__ == "__main__":
    sys.exit(main())
