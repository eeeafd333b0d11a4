from hypothesis import given
from hypothesis import strategies as st

from probatum.analysis.pareto import pareto_front
from probatum.analysis.pareto_seeds import places
from probatum.analysis.pareto_two import front_of_two, places_of_two

NUMBERS = st.sampled_from([-2.0, -1.0, -0.0, 0.0, 1.0, 1.5, 3.0])
DIRECTIONS = st.tuples(st.booleans(), st.booleans())


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=12), DIRECTIONS)
def test_the_front_is_that_of_any_number_of_objectives(points, directions):
    assert front_of_two(points, directions) == pareto_front(points, directions).tolist()


@given(
    st.lists(
        st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS).map(lambda box: (box[:2], box[2:])),
        min_size=1,
        max_size=10,
    ),
    DIRECTIONS,
)
def test_the_places_are_those_of_any_number_of_objectives(boxes, directions):
    low = [[min(pair) for pair in zip(*box, strict=True)] for box in boxes]
    high = [[max(pair) for pair in zip(*box, strict=True)] for box in boxes]
    assert places_of_two(low, high, directions) == places(low, high, directions)
