from probatum.analysis.rank_groups import rank_groups


def _seeds(base, count):
    return {seed: base + seed / 1000 for seed in range(count)}


def test_three_seeds_leave_everything_in_one_group():
    assert rank_groups([_seeds(0.9, 3), _seeds(0.1, 3)], True) == [1, 1]


def test_enough_seeds_make_groups_in_the_metrics_direction():
    values = [_seeds(0.9, 8), _seeds(0.5, 8), _seeds(0.1, 8)]
    assert rank_groups(values, True) == [1, 2, 3]
    assert rank_groups(values, False) == [3, 2, 1]


def test_what_the_noise_mixes_shares_a_place():
    mixed = {seed: 0.9 + (-1) ** seed / 100 for seed in range(8)}
    assert rank_groups([_seeds(0.9, 8), mixed, _seeds(0.5, 8)], True) == [1, 1, 2]


def test_an_experiment_without_values_has_no_place():
    assert rank_groups([{}, _seeds(0.5, 3)], True) == [None, 1]
