"""The fake environment, and packs of it."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from probatum.packs.header import PackHeader
from probatum.packs.reader import PackReader
from probatum.packs.writer import PackWriter
from probatum.policies.generate import generate
from probatum.policies.plan import Plan

_fake = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("fake_environment.py"))))


@pytest.fixture(scope="session")
def fake():
    """Return the names of the fake environment's module."""
    return _fake


@pytest.fixture
def one_thread():
    """Small networks are slower on several threads, most of all beside other tests."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def write_pack(folder, plan, *, rich=True, diagnosis=False, max_epochs=12, counterfactuals=None, jobs=1):
    def make():
        return _fake.FakeEnvironment(max_epochs, rich=rich, diagnosis=diagnosis)

    environment = make()
    header = PackHeader(
        {}, environment.schema.as_record(), environment.actions, environment.describe(), plan.as_record()
    )
    with PackWriter(folder, header, sync=False) as writer:
        for episode in generate(
            plan, make, done=writer.episode_ids, counterfactuals=counterfactuals, jobs=jobs
        ):
            writer.append(episode)
    return PackReader(folder)


@pytest.fixture(scope="session")
def packed():
    """Return the function that writes a pack of the fake environment."""
    return write_pack


@pytest.fixture(scope="session")
def causes_pack(tmp_path_factory):
    """Return a pack of random interventions under hidden causes."""
    causes = dict.fromkeys(_fake.REMEDIES, 1.0)
    plan = Plan(1, 100, {"random:sparse": 1.0}, causes)
    return write_pack(tmp_path_factory.mktemp("causes") / "pack", plan, diagnosis=True)


@pytest.fixture(scope="session")
def growth_pack(tmp_path_factory):
    """Return a pack of heuristics that grow."""
    plan = Plan(2, 40, {"heuristic:eager": 1.0, "heuristic:brisk": 1.0, "epsilon(heuristic:eager, 0.2)": 1.0})
    return write_pack(tmp_path_factory.mktemp("growth") / "pack", plan)
