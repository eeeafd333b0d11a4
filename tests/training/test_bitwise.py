"""One command, one result: the same bytes, weights included."""

from __future__ import annotations

import json

import pytest

from probatum.runs.volatile import stable_digests


def test_two_runs_of_one_command_leave_the_same_bytes(train):
    one, other = train(), train()
    assert stable_digests(one) == stable_digests(other)
    assert {"model_best.pth", "model_last.pth", "metrics_epoch.csv"} <= stable_digests(one).keys()


def test_two_runs_of_one_command_have_one_config_md5(prepare):
    one, other = (json.loads(prepare().config.read_text()) for _ in range(2))
    assert one["config_md5"] == other["config_md5"]


def test_another_seed_gives_other_weights(train):
    one, other = stable_digests(train(epochs=1)), stable_digests(train(epochs=1, seeds=7))
    assert one["model_best.pth"] != other["model_best.pth"]


def test_threads_and_devices_do_not_enter_the_config_md5(prepare):
    one, other = (json.loads(prepare(threads=n).config.read_text()) for n in (1, 2))
    assert one["config_md5"] == other["config_md5"]


def test_several_seeds_side_by_side_equal_single_seed_runs_bit_for_bit(train):
    several = train(seeds="1 2", epochs=2)
    for seed in (1, 2):
        single = train(seeds=seed, epochs=2)
        for kind in ("model_best", "model_last"):
            alone = getattr(single, kind)().read_bytes()
            assert getattr(several, kind)(seed, several=True).read_bytes() == alone
        assert several.seed_epochs(seed).read_bytes() == single.seed_epochs(seed).read_bytes()


@pytest.mark.parametrize("parameter", [{"lr_schedule": "cosine"}, {"ema_decay": 0.9}, {"optimizer": "SGD"}])
def test_schedules_averages_and_optimisers_change_the_weights_and_still_repeat(train, parameter):
    plain, one, other = train(), train(**parameter), train(**parameter)
    assert one.model_best().read_bytes() == other.model_best().read_bytes()
    assert one.model_last().read_bytes() != plain.model_last().read_bytes()
