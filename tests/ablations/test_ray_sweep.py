"""Whole sweeps on a real Ray cluster: a node dies, a runner dies, and every run is completed once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from ray_nodes import actors, add_node, nodes, nowhere_near_a_cluster, until

from probatum._files import read_json
from probatum.ablations import SweepOptions, run_plan
from probatum.ablations.engines.ray.engine import RayEngine

pytestmark = pytest.mark.slow
# Each run notes its process, holds until the test says so, and notes that it came to its end.
LINE = 'echo $$ >> "$1/../started"; until [ -e "$1/../../go" ]; do sleep 0.05; done; echo $$ >> "$1/../ended"'


@pytest.fixture(scope="module")
def cluster():
    with nodes(head_cpus=1) as cluster:
        yield cluster


@pytest.fixture
def node(cluster):
    """Return a second node, which is gone at the end if it is not before."""
    node = add_node(cluster)
    yield node
    if node in cluster.list_all_nodes():
        cluster.remove_node(node, allow_graceful=True)


@pytest.fixture
def plan(plan_of):
    runs = "".join(f"  - {{name: {name}}}\n" for name in "abcdef")
    script = json.dumps(["/bin/sh", "-c", LINE, "run", "{output_dir}"])
    return plan_of(f"plan_name: p\ndefaults: {{train_script: {script}}}\nexperiments:\n{runs}")


def numbers(plan, name: str, where: str = "*/") -> list[int]:
    """Return the process numbers that runs noted."""
    return [int(word) for path in plan.folder.glob(f"{where}{name}") for word in path.read_text().split()]


def attempts(plan) -> dict[str, list[str]]:
    """Return how the attempts of each run ended."""
    records = {path.parent.name: read_json(path) for path in plan.folder.glob("*/metadata.json")}
    return {name: [end["status"] for end in record["attempts"]] for name, record in records.items()}


def start(plan, log, *options: str, env=None) -> subprocess.Popen:
    """Return a runner in a process of its own."""
    words = [sys.executable, "-m", "probatum", "ablate", str(plan.path), "--engine", "ray", *options]
    return subprocess.Popen(words, stdout=log, stderr=log, env=env)


def go_on(plan) -> None:
    """Let the runs end."""
    (plan.folder / "go").touch()


def test_a_node_dies_in_mid_sweep_and_its_runs_are_completed_elsewhere(cluster, node, plan):
    said = []

    def kill_the_node() -> None:
        until(lambda: len(numbers(plan, "started")) == 2)  # one on each node
        cluster.remove_node(node, allow_graceful=False)
        until(lambda: any("started again" in line for line in said))
        go_on(plan)

    thread = threading.Thread(target=kill_the_node, daemon=True)
    with RayEngine(2, {"grace_seconds": "0.5"}) as engine:
        thread.start()
        result = run_plan(plan, engine, SweepOptions(), said.append)
    thread.join()
    assert sorted(result.completed) == list("abcdef")
    assert sorted(attempts(plan).values()) == [["completed"]] * 5 + [["interrupted", "completed"]]
    assert sum("its process vanished; it is started again" in line for line in said) == 1
    assert actors() == []


def test_what_was_left_of_a_lost_run_never_comes_to_its_end(cluster, node, plan):
    said = []

    def kill_the_node() -> None:
        until(lambda: len(numbers(plan, "started")) == 2)
        first = set(numbers(plan, "started"))
        cluster.remove_node(node, allow_graceful=False)
        until(lambda: any("started again" in line for line in said))
        alive.extend(number for number in first if Path("/proc", str(number)).exists())
        go_on(plan)

    alive: list[int] = []
    thread = threading.Thread(target=kill_the_node, daemon=True)
    with RayEngine(2, {"grace_seconds": "0.5"}) as engine:
        thread.start()
        run_plan(plan, engine, SweepOptions(max_runs=2), said.append)
    thread.join()
    assert len(alive) == 1  # that of the other node
    assert len(numbers(plan, "ended", "**/")) == 2


def test_a_runner_is_killed_and_the_next_takes_its_runs_over(cluster, node, plan):
    said = []
    with Path("log").open("wb") as log:
        runner = start(plan, log, "--jobs", "2", "--engine-option", f"address={cluster.address}")
    until(lambda: runner.poll() is not None or len(numbers(plan, "started")) == 2)
    runner.kill()
    runner.wait()
    threading.Timer(2.0, go_on, [plan]).start()
    with RayEngine(2) as engine:
        result = run_plan(plan, engine, SweepOptions(), said.append)
    assert sorted(result.completed) == list("abcdef"), Path("log").read_text()
    assert sum("taken over, ray node" in line for line in said) == 2
    assert set(map(tuple, attempts(plan).values())) == {("completed",)}
    assert len(numbers(plan, "started")) == 6


def test_an_interrupt_stops_the_runs_and_leaves_no_actor(cluster, plan):
    options = ("--engine-option", f"address={cluster.address}", "--engine-option", "grace_seconds=0.5")
    with Path("log").open("wb") as log:
        runner = start(plan, log, "--jobs", "1", *options)
    until(lambda: runner.poll() is not None or numbers(plan, "started"))
    runner.terminate()
    runner.wait(30)
    assert attempts(plan) == {"a": ["interrupted"]}, Path("log").read_text()
    assert actors() == []
    assert not any(Path("/proc", str(number)).exists() for number in numbers(plan, "started"))


def test_a_ray_of_this_machine_ends_with_a_killed_runner_and_its_runs_with_it(plan):
    pytest.importorskip("ray", reason="the engine ray needs the extra: pip install 'probatum[ray]'")
    with nowhere_near_a_cluster() as environment, Path("log").open("wb") as log:
        runner = start(plan, log, "--jobs", "1", env=environment)
        until(lambda: runner.poll() is not None or numbers(plan, "started"), 60.0)
        runner.kill()
        runner.wait()
        until(lambda: not any(Path("/proc", str(number)).exists() for number in numbers(plan, "started")))
    assert len(numbers(plan, "started")) == 1, Path("log").read_text()
    assert numbers(plan, "ended") == []
