"""The batched GRUs are the loop of nn.GRU: states, gradients, modes, threads and memory."""

import gc

import pytest
import torch
from torch import nn

from probatum.studies.concare import recurrence
from probatum.studies.concare.batched_gru import BatchedGRU, twice_differentiable
from probatum.studies.concare.recycled import LARGE, Recycled, empty


def pair(features=5, inputs=1, hidden=6, dtype=torch.float32):
    """Return the loop and its batched form."""
    torch.manual_seed(4)
    loop = nn.ModuleList(nn.GRU(inputs, hidden, batch_first=True, dtype=dtype) for _ in range(features))
    return loop, BatchedGRU.from_loop(list(loop))


def run_loop(loop, x):
    return torch.stack([gru(x[:, :, feature])[0] for feature, gru in enumerate(loop)], dim=2)


def gradients(states, upstream, weights, *inputs):
    return torch.autograd.grad(states, [*inputs, *weights], upstream)


def both_gradients(loop, batched, x):
    """Return the states and gradients of the loop and of the batched form, by name."""
    upstream = torch.randn(*x.shape[:3], batched.hidden_size, dtype=x.dtype)
    results = []
    for states, weights in (
        (run_loop(loop, x), list(loop.parameters())),
        (batched(x), list(batched.parameters())),
    ):
        results.append((states, gradients(states, upstream, weights, x)))
    (expected, (x_grad, *of_loop)), (found, (x_found, *of_batched)) = results
    stacked = [
        torch.stack(of_loop[kind::4]) for kind in range(4)
    ]  # ih, hh, bias ih, bias hh of every feature
    return (expected, x_grad, *stacked), (found, x_found, *of_batched)


@pytest.mark.parametrize("inputs", [1, 3])
@pytest.mark.parametrize("batch", [1, 4])
def test_states_and_all_gradients_equal_those_of_the_loop_in_double_precision(inputs, batch):
    loop, batched = pair(inputs=inputs, dtype=torch.float64)
    x = torch.randn(batch, 7, 5, inputs, dtype=torch.float64, requires_grad=True)
    for expected, found in zip(*both_gradients(loop, batched, x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_single_precision_stays_within_float_tolerance_at_the_size_of_the_study():
    loop, batched = pair(features=8, inputs=3, hidden=32)
    x = torch.randn(16, 48, 8, 3, requires_grad=True)
    for expected, found in zip(*both_gradients(loop, batched, x), strict=True):
        assert (found - expected).abs().max() <= 2e-6 * expected.abs().max().clamp(min=1)


def test_the_hand_written_backward_pass_passes_gradcheck():
    _, batched = pair(features=2, inputs=2, hidden=3, dtype=torch.float64)
    x = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    names, weights = zip(*batched.named_parameters(), strict=True)

    def states(x, *weights):
        return torch.func.functional_call(batched, dict(zip(names, weights, strict=True)), x)

    assert torch.autograd.gradcheck(states, (x, *weights))


def test_the_plain_form_agrees_and_has_a_second_derivative():
    _, batched = pair(dtype=torch.float64)
    x = torch.randn(2, 4, 5, 1, dtype=torch.float64)
    with twice_differentiable():
        plain = batched(x)
    torch.testing.assert_close(plain, batched(x))
    slope = torch.autograd.grad(plain.square().sum(), batched.weight_hh, create_graph=True)[0]
    assert torch.autograd.grad(slope.square().sum(), batched.weight_ih)[0].abs().sum() > 0


def test_asking_the_fast_form_for_a_second_derivative_says_what_to_do():
    _, batched = pair()
    loss = batched(torch.randn(2, 4, 5, 1)).square().sum()
    with pytest.raises(RuntimeError, match="twice_differentiable"):
        torch.autograd.grad(loss, batched.weight_hh, create_graph=True)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_states_without_gradient_equal_those_with(mode):
    _, batched = pair()
    x = torch.randn(3, 6, 5, 1)
    with mode():
        quick = batched(x)
    assert torch.equal(quick, batched(x).detach())
    assert not quick.requires_grad


def test_features_never_mix():
    _, batched = pair()
    x = torch.randn(2, 6, 5, 1, requires_grad=True)
    grad = torch.autograd.grad(batched(x)[:, :, 2].sum(), x)[0]
    assert grad[:, :, 2].abs().min() > 0
    assert grad.sum() == pytest.approx(float(grad[:, :, 2].sum()))


def test_one_input_per_feature_may_come_without_its_axis():
    _, batched = pair()
    x = torch.randn(2, 6, 5)
    assert torch.equal(batched(x), batched(x[..., None]))


def test_a_wrong_shape_is_refused_with_the_right_one():
    with pytest.raises(ValueError, match=r"\(batch, steps, 5, 1\), got \(2, 6, 4, 1\)"):
        pair()[1](torch.zeros(2, 6, 4, 1))


def test_frozen_weights_get_no_gradient_but_inputs_do():
    _, batched = pair()
    batched.requires_grad_(False)
    x = torch.randn(2, 6, 5, 1, requires_grad=True)
    batched(x).sum().backward()
    assert x.grad is not None
    assert batched.weight_hh.grad is None


def test_a_kept_graph_gives_the_same_gradient_again_after_another_pass():
    _, batched = pair()
    x = torch.randn(2, 6, 5, 1)
    states = batched(x)
    first = torch.autograd.grad(states.sum(), batched.weight_hh, retain_graph=True)[0]
    torch.autograd.grad(batched(x + 1).sum(), batched.weight_hh)
    assert torch.equal(torch.autograd.grad(states.sum(), batched.weight_hh)[0], first)


def test_mixed_precision_is_left_to_the_rest_of_the_model():
    _, batched = pair()
    x = torch.randn(2, 6, 5, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = batched(x)
    assert torch.equal(states, batched(x))


@pytest.fixture
def two_threads(monkeypatch):
    """Let torch believe in two threads, with chunks of one feature."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    monkeypatch.setattr(recurrence, "CHUNK_GATES", 1)
    yield
    torch.set_num_threads(before)


def test_worker_threads_change_no_bit_and_leave_the_setting_alone(two_threads):
    _, batched = pair()
    x = torch.randn(3, 6, 5, 1, requires_grad=True)
    several = torch.autograd.grad(batched(x).square().sum(), [x, *batched.parameters()])
    assert torch.get_num_threads() == 2
    with torch.inference_mode():
        batched(x)
    torch.set_num_threads(1)
    alone = torch.autograd.grad(batched(x).square().sum(), [x, *batched.parameters()])
    assert all(map(torch.equal, several, alone))


def test_memory_of_a_large_tensor_is_used_again_only_when_nobody_holds_it():
    Recycled.idle.clear()
    like, shape = torch.zeros(1), (LARGE // 4,)
    held = empty(shape, like)
    view, place = held[3:], held.data_ptr()
    del held
    other = empty(shape, like)
    assert other.data_ptr() != place
    del view
    gc.collect()
    assert empty(shape, like).data_ptr() == place


def test_small_tensors_are_left_to_torch():
    Recycled.idle.clear()
    del_me = empty((8,), torch.zeros(1))
    del del_me
    assert Recycled.idle == []


def test_the_model_can_be_copied_and_pickled_between_steps(tmp_path):
    _, batched = pair()
    batched(torch.randn(2, 6, 5, 1)).sum().backward()
    torch.save(batched.state_dict(), tmp_path / "weights.pt")
    again = BatchedGRU(5, 1, 6)
    again.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    x = torch.randn(2, 6, 5, 1)
    assert torch.equal(again(x), batched(x))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_gives_the_states_and_gradients_of_the_processor():
    _, batched = pair(inputs=3, dtype=torch.float64)
    x = torch.randn(4, 7, 5, 3, dtype=torch.float64)
    here = torch.autograd.grad(batched(x).square().sum(), list(batched.parameters()))
    batched.cuda()
    there = torch.autograd.grad(batched(x.cuda()).square().sum(), list(batched.parameters()))
    for expected, found in zip(here, there, strict=True):
        torch.testing.assert_close(found.cpu(), expected)
