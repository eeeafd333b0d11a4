"""`probatum perturb`: add robustness curves to a finished run."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from probatum.perturbations.names import ENDS, MECHANISMS

EXAMPLES = """\b
Examples:
  probatum perturb 123456
  probatum perturb 123456 --mask_rates 0.0,0.2,0.4,0.6,0.8 --mechanism completely_at_random,informative
  probatum perturb 123456 --truncation_keep_ratios 1.0,0.75,0.5 --end keep_earliest,keep_latest
  probatum perturb 123456 --noise 0.5,1.0 --format json

What is dropped is dropped from the raw observations, before imputation and normalisation. Masks and
bootstrap resamples come from the data, so that two runs on the same data can be compared in pairs."""


@click.command(epilog=EXAMPLES)
@click.argument("run")
@click.option(
    "--mask_rates", "--mask-rates", default="0.0,0.2,0.4,0.6,0.8", show_default=True, metavar="LIST",
    help="Shares of the observed values to drop; an empty list for none.",
)  # fmt: skip
@click.option(
    "--truncation_keep_ratios", "--truncation-keep-ratios", "keep_ratios", default="1.0,0.75,0.5",
    show_default=True, metavar="LIST", help="Shares of each record to keep; an empty list for none.",
)  # fmt: skip
@click.option(
    "--noise", "noise_scales", default="", metavar="LIST",
    help="Standard deviations of noise, in robust standard deviations of the channel.",
)  # fmt: skip
@click.option(
    "--mechanism", "mechanisms", default=MECHANISMS[0], show_default=True, metavar="LIST",
    help=f"How observations go missing: {', '.join(MECHANISMS)}.",
)  # fmt: skip
@click.option(
    "--end", "ends", default=ENDS[0], show_default=True, metavar="LIST",
    help=f"Which end of a record stays: {', '.join(ENDS)}.",
)  # fmt: skip
@click.option("--split", default="valid", show_default=True, metavar="NAME", help="Which split of the data.")
@click.option("--masks", type=int, default=5, show_default=True, help="Random masks, at least 5.")
@click.option("--samples", type=int, metavar="N", help="Use N samples at most; all where not given.")
@click.option("--seed", type=int, metavar="N", help="Which seed's model; every seed's where not given.")
@click.option("--mask_seed", "--mask-seed", type=int, default=0, show_default=True, help="Of the masks.")
@click.option("--resamples", type=int, default=400, show_default=True, help="Of the bootstrap.")
@click.option(
    "--runs_root",
    "--runs-root",
    metavar="FOLDER",
    help="Where run folders stand; else PROBATUM_RUNS, else ./runs.",
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", help="What to print."
)
def command(run: str, runs_root: str | None, form: str, **options: Any) -> int:
    """Add robustness curves to RUN (a path, folder name or 6-digit id), which must be finished.

    A curve is a metric of the best checkpoint against the strength of a perturbation, with intervals over
    samples and masks, and the mean drop.
    """
    from probatum.perturbations.request import CurveRequest, numbers

    for name in ("mask_rates", "keep_ratios", "noise_scales"):
        options[name] = numbers(options[name])
    for name in ("mechanisms", "ends"):
        options[name] = tuple(word.strip() for word in options[name].split(",") if word.strip())
    request = CurveRequest(**options)  # before anything slow is loaded

    from probatum.perturbations.record import curves_record
    from probatum.perturbations.table import curves_table
    from probatum.runs.folder import find_run
    from probatum.runs.folder import runs_root as root_of
    from probatum.training.robustness import add_curves

    by_seed = add_curves(find_run(run, root_of(runs_root)), request)
    if form == "json":
        records = {str(seed): curves_record(curves) for seed, curves in by_seed.items()}
        json.dump(records, sys.stdout, indent=2, allow_nan=False)
        click.echo()
    else:
        click.echo("\n\n".join(f"seed {seed}\n{curves_table(curves)}" for seed, curves in by_seed.items()))
    return 0
