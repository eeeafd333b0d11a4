"""The engine on a real Ray cluster of this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from engine_conformance import EngineConformance
from ray_nodes import actors, add_node, nodes, nowhere_near_a_cluster

from probatum._errors import MissingExtraError, UsageError
from probatum.ablations.engines import make_engine
from probatum.ablations.engines.ray.actor import RayJob
from probatum.ablations.engines.ray.engine import RayEngine, RayOptions
from probatum.ablations.engines.task import job_to_json

OPTIONS = {"cpus_per_run": "1", "grace_seconds": "0.3"}


@pytest.fixture(scope="module")
def cluster():
    with nodes(head_cpus=2) as cluster:
        yield cluster


@pytest.mark.slow
class TestRayEngine(EngineConformance):
    @pytest.fixture(autouse=True)
    def opened(self, cluster):
        self.engines = []
        yield
        for engine in self.engines:
            engine.close()
        assert actors() == []

    @pytest.fixture
    def engine(self):
        return self.another()

    def another(self, jobs=2, **options):
        self.engines.append(RayEngine(jobs, {**OPTIONS, **options}))
        return self.engines[-1]

    def test_the_package_of_the_engines_name_is_not_this_module(self, engine):
        assert engine._ray.__name__ == "ray"
        assert callable(engine._ray.init)

    def test_a_job_has_the_threads_of_its_cores(self, tmp_path):
        engine = self.another(cpus_per_run="2")
        engine.submit(self.job(tmp_path, 'echo "$OMP_NUM_THREADS $MKL_NUM_THREADS"'))
        self.outcomes(engine)
        assert (tmp_path / "a/out").read_text() == "2 2\n"

    def test_nothing_of_rays_worker_reaches_the_job(self, engine, tmp_path):
        engine.submit(self.job(tmp_path, "env; grep -E 'SigBlk' /proc/self/status"))
        self.outcomes(engine)
        lines = (tmp_path / "a/out").read_text().splitlines()
        assert [line for line in lines if line.startswith(("RAY_", "SPT_", "PYTHONBREAKPOINT"))] == []
        assert lines[-1].split() == ["SigBlk:", "0" * 16]

    def test_each_job_has_its_own_devices(self, cluster, tmp_path):
        node = add_node(cluster, num_cpus=2, num_gpus=2)
        engine = self.another(2, gpus_per_run="1")
        for key in "ab":
            engine.submit(self.job(tmp_path, 'echo "$CUDA_VISIBLE_DEVICES"', key))
        self.outcomes(engine, 2)
        cluster.remove_node(node, allow_graceful=True)
        assert {(tmp_path / key / "out").read_text() for key in "ab"} == {"0\n", "1\n"}

    def test_a_job_that_asked_for_no_device_sees_none(self, cluster, tmp_path):
        node = add_node(cluster, num_gpus=1, resources={"gpu_node": 1})
        engine = self.another(1, resources="gpu_node:1")
        engine.submit(self.job(tmp_path, 'echo "[$CUDA_VISIBLE_DEVICES]${CUDA_VISIBLE_DEVICES+set}"'))
        self.outcomes(engine)
        cluster.remove_node(node, allow_graceful=True)
        assert (tmp_path / "a/out").read_text() == "[]set\n"

    def test_slots_are_what_the_nodes_can_hold(self):
        assert self.another(None).slots == 2
        assert self.another(None, cpus_per_run="2").slots == 1

    def test_a_run_that_no_node_can_hold_is_refused(self):
        with pytest.raises(UsageError, match="No node of the Ray cluster can hold a run that needs 3 CPU"):
            RayEngine(1, {"cpus_per_run": "3"})

    def test_a_job_that_waits_for_room_starts_when_there_is(self, tmp_path):
        engine = self.another(2, cpus_per_run="2")
        engine.submit(self.job(tmp_path, "sleep 0.2", "a"))
        engine.submit(self.job(tmp_path, "exit 0", "b"))
        assert list(self.outcomes(engine, 2)) == ["a", "b"]

    def test_a_job_that_waits_for_room_is_cancelled_without_ever_starting(self, tmp_path):
        engine = self.another(2, cpus_per_run="2")
        engine.submit(self.job(tmp_path, "touch here; sleep 30", "a"))
        place = engine.submit(self.job(tmp_path, "touch here", "b"))
        self.until((tmp_path / "a/here").exists)
        assert engine.describe(place) == "ray, no node yet"
        engine.cancel(["b"])
        assert self.outcomes(engine)["b"].reason == "cancelled"
        assert not (tmp_path / "b/here").exists()

    def test_people_are_told_the_node(self, engine, tmp_path):
        place = engine.submit(self.job(tmp_path, "touch here; sleep 30"))
        self.until((tmp_path / "a/here").exists)
        ip, _, node = engine.describe(place).removeprefix("ray node ").partition("/")
        known = {(node["NodeManagerAddress"], node["NodeID"][:8]) for node in engine._ray.nodes()}
        assert (ip, node) in known

    def test_a_place_tells_whether_its_job_runs(self, engine, tmp_path):
        place = json.loads(json.dumps(engine.submit(self.job(tmp_path, "touch here; sleep 30"))))
        self.until((tmp_path / "a/here").exists)
        assert RayEngine.is_alive(place) is True
        engine.cancel()
        self.outcomes(engine)
        self.until(lambda: RayEngine.is_alive(place) is False)

    def test_a_later_runner_in_another_process_takes_over(self, engine, cluster, tmp_path):
        job = self.job(tmp_path, "touch here; until [ -e go ]; do sleep 0.05; done; exit 6")
        place = engine.submit(job)
        self.until((tmp_path / "a/here").exists)
        program = (
            "import json, pathlib, sys; from probatum.ablations.engines.ray.engine import RayEngine;"
            "from probatum.ablations.engines.task import job_from_json;"
            "engine = RayEngine(2, {'address': sys.argv[3]}); job = job_from_json(sys.argv[1]);"
            "assert engine.attach(job, json.loads(sys.argv[2])); (job.cwd / 'go').touch();"
            "print(engine.wait(30.0)[0].returncode); engine.close()"
        )
        words = [sys.executable, "-c", program, job_to_json(job), json.dumps(place), cluster.address]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        assert (done.stdout, done.returncode) == ("6\n", 0), done.stderr

    def test_an_actor_that_dies_is_a_lost_job_and_takes_it_along(self, engine, tmp_path):
        place = engine.submit(self.job(tmp_path, "echo $$; while :; do sleep 0.05; done"))
        self.until(lambda: (tmp_path / "a/out").read_text())
        engine._ray.kill(engine._ray.get_actor(place["actor"], namespace="probatum"))
        assert self.outcomes(engine)["a"].reason == "lost"
        assert not Path("/proc", (tmp_path / "a/out").read_text().strip()).exists()

    def test_an_actor_that_nobody_collects_leaves_by_itself(self, engine, tmp_path):
        job = self.job(tmp_path, "exit 5")
        options = {"name": "alone", "namespace": "probatum", "lifetime": "detached", "num_cpus": 0}
        kind = engine._ray.remote(RayJob).options(**options)
        alone = kind.remote(job_to_json(job), 1, 1.0, False, linger_seconds=0.1)
        self.until(lambda: (tmp_path / "a/code").read_text() == "5\n")
        self.until(lambda: actors() == [])
        del alone

    def test_a_node_that_dies_loses_its_jobs_and_no_others(self, cluster, tmp_path):
        node = add_node(cluster, resources={"doomed": 1})
        doomed, safe = self.another(1, resources="doomed:1"), self.another(1)
        doomed.submit(self.job(tmp_path, "echo $$; touch here; sleep 60", "a"))
        safe.submit(self.job(tmp_path, "until [ -e ../gone ]; do sleep 0.05; done", "b"))
        self.until((tmp_path / "a/here").exists)
        cluster.remove_node(node, allow_graceful=False)
        outcome = self.outcomes(doomed)["a"]
        (tmp_path / "gone").touch()
        assert (outcome.reason, outcome.returncode) == ("lost", None)
        assert not Path("/proc", (tmp_path / "a/out").read_text().strip()).exists()
        assert self.outcomes(safe)["b"].is_success

    def test_slots_follow_the_nodes(self, cluster, monkeypatch):
        monkeypatch.setattr("probatum.ablations.engines.ray.engine._CAPACITY_SECONDS", 0.0)
        engine = self.another(None)
        node = add_node(cluster)
        self.until(lambda: engine.wait(0.0) == [] and engine.slots == 3)
        cluster.remove_node(node, allow_graceful=True)
        self.until(lambda: engine.wait(0.0) == [] and engine.slots == 2)

    def test_files_that_the_node_cannot_write_are_told(self, engine, tmp_path):
        job = self.job(tmp_path, "exit 0")
        job.stdout.parent.rmdir()
        engine.submit(job)
        outcome = self.outcomes(engine)["a"]
        assert "its files cannot be written on node" in outcome.reason
        assert not outcome.is_success


@pytest.mark.slow
def test_without_a_cluster_one_is_started_here_and_ends_with_the_engine(tmp_path):
    pytest.importorskip("ray", reason="the engine ray needs the extra: pip install 'probatum[ray]'")
    program = (
        "import pathlib, sys; from probatum.ablations.engines import make_engine, Job;"
        "folder = pathlib.Path(sys.argv[1]);"
        "files = [folder / name for name in ('out', 'err', 'code')];"
        "engine = make_engine('ray', 1, {}).__enter__();"
        "engine.submit(Job('a', ('/bin/sh', '-c', 'exit 8'), folder, {}, *files));"
        "print(engine.wait(60.0)[0].returncode); engine.close(); import ray; print(ray.is_initialized())"
    )
    words = [sys.executable, "-W", "error", "-c", program, str(tmp_path)]
    with nowhere_near_a_cluster() as environment:
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, env=environment)
    assert (done.stdout, done.stderr, done.returncode) == ("8\nFalse\n", "", 0)


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ray://127.0.0.1:9", "127.0.0.1:nowhere"])
def test_an_address_where_no_cluster_answers_is_told(address):
    pytest.importorskip("ray", reason="the engine ray needs the extra: pip install 'probatum[ray]'")
    program = (
        "import sys\n"
        "from probatum.ablations.engines.ray.engine import RayEngine\n"
        "from probatum._errors import UsageError\n"
        "try: RayEngine(1, {'address': sys.argv[1]})\n"
        "except UsageError as error: print(error)"
    )
    words = [sys.executable, "-c", program, address]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert f"Expected a Ray cluster at '{address}'" in done.stdout, done.stderr


def test_without_ray_the_message_holds_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'probatum\[ray\]'"):
        make_engine("ray", 1, {})


def test_a_place_is_told_nothing_about_where_no_cluster_is_connected(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert RayEngine.is_alive({"actor": "a"}) is None


def test_resources_are_names_and_amounts():
    assert RayOptions(resources="a100:1,fast:0.5").custom() == {"a100": 1.0, "fast": 0.5}


def test_mistakes_in_the_options_are_told_together():
    with pytest.raises(UsageError) as told:
        RayEngine(1, {"gpus_per_ran": "1", "resources": "fast", "cpus_per_run": "0"})
    assert "Did you mean 'gpus_per_run'" in str(told.value)
    assert "resources=fast" in str(told.value)
    assert "cpus_per_run=0" in str(told.value)


def test_no_job_at_all_is_refused():
    with pytest.raises(UsageError, match="at least 1, got 0"):
        RayEngine(0, {})


def test_the_core_does_not_import_ray():
    program = "import sys, probatum.ablations.engines.ray.engine; print('ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout == "False\n"
