"""The closed forms of mastery equal the loops they replace."""

import torch

from probatum.studies.gainakt.mastery import accumulated_mastery, of_concept, practised_mastery


def test_accumulated_mastery_equals_the_published_loop():
    torch.manual_seed(0)
    initial, gains = torch.rand(3, 5), torch.rand(3, 40, 5) * 2
    mastery = [initial]
    for t in range(1, 40):
        mastery.append((mastery[-1] + 0.1 * gains[:, t]).clamp(0, 1))
    torch.testing.assert_close(accumulated_mastery(initial, gains), torch.stack(mastery, 1))


def test_practised_mastery_equals_a_loop_in_which_only_the_practised_concept_moves():
    torch.manual_seed(0)
    initial, gains, concepts = torch.rand(3, 5), torch.rand(3, 40, 5), torch.randint(5, (3, 40))
    state, mastery = initial.clone(), []
    for t in range(40):
        for row in range(3):
            concept = int(concepts[row, t])
            closed = 1 - torch.exp(-gains[row, t, concept])
            state[row, concept] = state[row, concept] + (1 - state[row, concept]) * closed
        mastery.append(state.clone())
    torch.testing.assert_close(practised_mastery(initial, gains, concepts), torch.stack(mastery, 1))


def test_small_gains_do_not_saturate_mastery_after_two_practices():
    gains = torch.full((1, 2, 1), 0.05)
    assert float(practised_mastery(torch.zeros(1, 1), gains, torch.zeros(1, 2).long())[0, -1, 0]) < 0.1


def test_values_are_taken_at_the_given_concepts():
    values = torch.arange(6.0).reshape(1, 2, 3)
    assert of_concept(values, torch.tensor([[2, 0]])).tolist() == [[2.0, 3.0]]
