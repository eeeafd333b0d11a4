from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from probatum.cli.perturb import command
from probatum.perturbations.rank_metrics import auroc
from probatum.perturbations.requested import requested_curves
from probatum.perturbations.task import PerturbationTask


@pytest.fixture
def perturb(monkeypatch, capsys):
    """Return a function that runs the verb on a run of which a small task is known."""
    import probatum.runs.folder

    asked = SimpleNamespace(request=None)

    def add_curves(paths, request):
        asked.request = request
        values = np.random.default_rng(0).normal(size=(30, 6, 2))
        task = PerturbationTask(
            values, np.arange(30) % 2, lambda left: np.nansum(left, axis=(1, 2)), {"auroc": auroc},
            np.full(30, 6), ("a", "b"), "patients",
        )  # fmt: skip
        return {42: requested_curves(task, request)}

    monkeypatch.setitem(sys.modules, "probatum.training.robustness", SimpleNamespace(add_curves=add_curves))
    monkeypatch.setattr(probatum.runs.folder, "find_run", lambda run, root: run)

    def run(*arguments):
        code = command.main(args=["123456", "--resamples", "5", *arguments], standalone_mode=False)
        return code, capsys.readouterr().out, asked.request

    return run


def test_perturb_prints_a_table_per_seed(perturb):
    code, out, _ = perturb()
    assert code == 0
    assert out.startswith("seed 42\nmissingness, completely at random: n = 30 patients")


def test_perturb_prints_the_record_as_json(perturb):
    _, out, _ = perturb("--format", "json", "--mask_rates", "0.5")
    assert [point["mask_rate"] for point in json.loads(out)["42"]["missingness_curve"]] == [0.0, 0.5]


def test_the_options_become_the_request(perturb):
    _, _, request = perturb(
        "--mask-rates", "0.4,0.2", "--truncation_keep_ratios", "0.5", "--noise", "1", "--seed", "21",
        "--mechanism", "by_block,informative", "--end", "keep_latest", "--split", "test", "--masks", "6",
    )  # fmt: skip
    assert request.mask_rates == (0.0, 0.2, 0.4)
    assert request.keep_ratios == (1.0, 0.5)
    assert request.noise_scales == (0.0, 1.0)
    assert request.mechanisms == ("by_block", "informative")
    assert (request.ends, request.split, request.masks, request.seed) == (("keep_latest",), "test", 6, 21)


def test_an_empty_list_asks_for_no_curve_of_that_kind(perturb):
    _, out, request = perturb("--mask_rates", "")
    assert request.mask_rates == ()
    assert "missingness" not in out


def test_help_loads_neither_numpy_nor_torch():
    code = (
        "import sys\nfrom probatum.cli.perturb import command\n"
        "command.main(['--help'], standalone_mode=False)\n"
        "sys.exit(bool({'torch', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
