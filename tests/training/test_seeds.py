from __future__ import annotations

from types import SimpleNamespace

import pytest

from probatum._errors import RunFailedError
from probatum.runs.status import read_status
from probatum.training.seeds import slots

PLANTED = """
    def build_objective(self, parameters, data):
        if torch.initial_seed() == 2 and not Path("mended").exists():
            raise ValueError("planted failure")
        return CrossEntropy()
"""


@pytest.fixture
def fragile(spiral):
    """Return a study whose seed 2 fails until the file `mended` exists."""
    text = (spiral / "spiral_study.py").read_text()
    start = text.index("    def build_objective")
    end = text.index("    def training_metrics")
    (spiral / "fragile.py").write_text(text[:start] + PLANTED + "\n" + text[end:])
    (spiral / "fragile.yaml").write_text((spiral / "spiral_study.yaml").read_text())
    return "./fragile.py"


def test_a_seed_that_fails_keeps_the_others_and_is_resumed_alone(fragile, prepare, carry_on, spiral):
    paths = prepare(fragile, seeds="1 2", epochs=1)
    with pytest.raises(RunFailedError, match=r"(?s)1 of 2 seeds failed.*seed 2.*planted failure"):
        carry_on(paths)
    kept = paths.seed_result(1).stat().st_mtime_ns
    assert read_status(paths).status == "failed"
    (spiral / "mended").touch()
    assert [result["seed"] for result in carry_on(paths)] == [1, 2]
    assert paths.seed_result(1).stat().st_mtime_ns == kept
    assert read_status(paths).status == "completed"


def test_seeds_share_the_cores_by_their_threads():
    assert len(slots(_places(threads=2), cores=9, cuda_devices=0)) == 4
    assert len(slots(_places(threads=8), cores=2, cuda_devices=0)) == 1


def test_every_cuda_device_makes_a_slot():
    assert slots(_places(devices=("auto",)), cores=1, cuda_devices=2) == [("0",), ("1",)]
    assert slots(_places(devices=("0", "3")), cores=1, cuda_devices=4) == [("0",), ("3",)]


def test_a_strategy_gives_all_devices_to_one_seed():
    assert slots(_places(devices=("0", "1"), strategy="ddp"), cores=1, cuda_devices=2) == [("0", "1")]


def _places(**changed):
    return SimpleNamespace(**{"devices": ("cpu",), "strategy": "single", "threads": 1, **changed})
