import pytest

from probatum.analysis.separation import seeds_needed, smallest_paired_p, smallest_unpaired_p
from probatum.analysis.sign_flips import sign_flip_p
from probatum.analysis.unpaired import unpaired_p


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6])
def test_the_smallest_paired_p_is_that_of_equal_signs(n):
    assert smallest_paired_p(n) == sign_flip_p([1.0] * n)


@pytest.mark.parametrize(("n", "m"), [(3, 3), (5, 5), (2, 4), (1, 3)])
def test_the_smallest_unpaired_p_is_that_of_groups_far_apart(n, m):
    assert smallest_unpaired_p(n, m) == pytest.approx(unpaired_p([0.0] * n, [1.0] * m))


def test_six_pairs_are_needed_for_one_comparison_and_ten_for_fourteen():
    assert seeds_needed() == 6
    assert seeds_needed(comparisons=14) == 10
