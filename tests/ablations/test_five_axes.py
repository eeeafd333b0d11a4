"""The shipped example, from the dry run to the findings: killed half-way, resumed, analysed, on every engine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "abprop"
PLAN = "configs/ablations/plan.yaml"
RUNS, PATIENCE_SECONDS = 33, 1800.0


@contextlib.contextmanager
def local():
    yield ("--engine", "local", "--jobs", "2")


@contextlib.contextmanager
def slurm():
    import slurm_cluster

    if slurm_cluster.missing():
        pytest.skip(slurm_cluster.missing())
    with slurm_cluster.slurm_cluster(cpus=2):
        yield ("--engine", "slurm", "--jobs", "2", "--engine-option", "poll_seconds=0.5")


@contextlib.contextmanager
def ray():
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'probatum[ray]'")
    import ray_nodes

    with ray_nodes.nodes(head_cpus=1) as cluster:
        ray_nodes.add_node(cluster, num_cpus=1)
        yield ("--engine", "ray", "--jobs", "2", "--engine-option", f"address={cluster.address}")


def probatum(folder, *words):
    """Start the command line in the folder and return its process."""
    command = [sys.executable, "-m", "probatum", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def completed(folder):
    """Return how many runs the records call completed."""
    records = (folder / "outputs").rglob("metadata.json")
    return sum('"status": "completed"' in path.read_text(encoding="utf-8") for path in records)


@pytest.mark.timeout(int(2 * PATIENCE_SECONDS))
@pytest.mark.parametrize("engine", [local, slurm, ray])
def test_five_axes_are_killed_half_way_resumed_and_analysed(engine, tmp_path):
    folder = tmp_path / "abprop"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("outputs"))
    steps = ("--max-steps", os.environ.get("FIVE_AXES_STEPS", "4"))
    dry = probatum(folder, "ablate", "--plan", PLAN, "--dry-run", *steps)
    assert f"five_axes: {RUNS} runs" in dry.communicate()[0]
    assert not (folder / "outputs").exists()
    with engine() as words:
        first = probatum(folder, "ablate", "--plan", PLAN, *steps, *words)
        end = time.monotonic() + PATIENCE_SECONDS
        while completed(folder) < RUNS // 2 and first.poll() is None and time.monotonic() < end:
            time.sleep(0.5)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        before = completed(folder)
        second = probatum(folder, "ablate", "--plan", PLAN, "--skip-existing", *steps, *words)
        said = second.communicate()[0]
    assert second.returncode == 0, said
    assert RUNS // 2 <= before < RUNS
    assert completed(folder) == RUNS
    analysis = probatum(
        folder, "analyze", "outputs/ablations", "--summary-csv", "s.csv", "--summary-json", "s.json",
        "--findings", "findings.md", "--plot", "front.png",
    )  # fmt: skip
    assert analysis.communicate()[0]
    assert analysis.returncode == 0
    assert len((folder / "s.csv").read_text().splitlines()) == RUNS + 1
    summary = json.loads((folder / "s.json").read_text())
    assert summary["num_runs"] == RUNS
    text = (folder / "findings.md").read_text()
    assert all(axis in text.lower() for axis in ("model", "task weights", "data", "masking", "optimiser"))
    assert (folder / "front.png").stat().st_size > 10_000
