"""Convolution, batch normalisation, ReLU and maximum pooling of runs side by side, in few passes over memory."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from probatum.studies.tamiyo.stacked.kernels import form_for

EPSILON = 1e-5  # of torch's batch normalisation
RUNNING_SHARE = 0.1  # its momentum
_JUST_BELOW = -1e-38  # the greatest threshold below a difference of zero
_where_above = torch.ops.aten.threshold_backward  # (gradient, values, t): gradient where values > t, else 0


class Take(Protocol):
    """Takes what a block's layers gave for the runs that are looked at."""

    def wants(self, index: int) -> bool:
        """Return whether run `index` of the stack is looked at."""
        ...

    def note(self, index: int, convolution: Tensor, normalisation: Tensor) -> None:
        """Take both outputs, `(batch, height, width, channels)`."""
        ...


class Running(NamedTuple):
    """The running statistics of every run, `(runs, channels)` each, changed in place."""

    mean: Tensor
    variance: Tensor

    def note(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move towards one batch's statistics; the variance is the sample's."""
        self.mean.lerp_(mean, RUNNING_SHARE)
        self.variance.lerp_(variance * (count / max(count - 1, 1)), RUNNING_SHARE)


class _Block(torch.autograd.Function):
    """A block in training. One run after the other, so that its data stay in the cache.

    Maximum and ReLU change places, which changes no number. A maximum that stands twice passes its gradient to
    the first, as torch does.
    """

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor, scale: Tensor, shift: Tensor,
        running: Running | None, pools: bool, take: Take | None,
    ) -> Tensor:  # fmt: skip
        """Return `(runs, batch, height, width, channels)`."""
        ctx.pools, ctx.forms, parts = pools, [], []
        for index, (own, kernel, w, b) in enumerate(zip(inputs, weight, scale, shift, strict=True)):
            form = form_for(*own.shape[1:3])
            raw = form.forward(own, kernel)
            parts.append(_normalise(raw, w, b, pools))
            ctx.forms.append(form)
            if take is not None and take.wants(index):
                take.note(index, raw, _in_order(parts[-1].normal, pools, raw.shape))
        ctx.parts = [(one.centred, one.normal, one.outputs, one.inverse, one.shape) for one in parts]
        ctx.save_for_backward(scale)
        if running is not None:
            running.note(torch.stack([one.mean for one in parts]), torch.stack([one.variance for one in parts]),
                         parts[0].centred.numel() // scale.shape[1])  # fmt: skip
        return torch.stack([one.outputs for one in parts])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Return the gradients of inputs, weight, scale and shift."""
        (scale,) = ctx.saved_tensors
        of_inputs, of_weight = ctx.needs_input_grad[:2]
        found = []
        for g, form, part, w in zip(gradients[0], ctx.forms, ctx.parts, scale, strict=True):
            raw, dw, db = _back(g, part, w, ctx.pools)
            found.append((*form.backward(raw, of_inputs, of_weight), dw, db))
        stacked = [None if column[0] is None else torch.stack(column) for column in zip(*found, strict=True)]
        return *stacked, None, None, None


def block(
    inputs: Tensor, weight: Tensor, scale: Tensor, shift: Tensor, running: Running | None,
    *, pools: bool, take: Take | None = None,
) -> Tensor:  # fmt: skip
    """Return ReLU of the batch normalised convolution in training, the greatest of each 2 x 2 where `pools`.

    Args:
        inputs: `(runs, batch, height, width, channels)`.
        weight: `(runs, out, in, 3, 3)`.
        scale: Of the normalisation, `(runs, out)`.
        shift: Of the normalisation, `(runs, out)`.
        running: Takes the batch's statistics; None leaves them alone.
        pools: Whether the maximum of 2 x 2 is taken.
        take: Gets what the convolution and the normalisation gave, of the runs that it wants.
    """
    return _Block.apply(inputs, weight, scale, shift, running, pools, take)  # pyright: ignore[reportReturnType]


@torch.no_grad()
def fixed_block(
    inputs: Tensor, weight: Tensor, scale: Tensor, shift: Tensor, running: Running,
    *, pools: bool,
) -> Tensor:  # fmt: skip
    """Return the same in evaluation: normalised by the running statistics."""
    factor = scale * (running.variance + EPSILON).rsqrt()
    offset = shift - running.mean * factor
    found = []
    for own, kernel, a, b in zip(inputs, weight, factor, offset, strict=True):
        form = form_for(*own.shape[1:3])
        normal = torch.addcmul(b, form.forward(own, kernel), a)
        found.append((_greatest_of(_quarters(normal)) if pools else normal).relu_())
    return torch.stack(found)


@torch.no_grad()
def fixed_cut_block(
    patches: Tensor, weight: Tensor, scale: Tensor, shift: Tensor, running: Running
) -> Tensor:
    """Return what `fixed_block` does with pooling, from patches as `cut_block` takes them."""
    factor = scale * (running.variance + EPSILON).rsqrt()
    offset = shift - running.mean * factor
    found = []
    for own, kernel, a, b in zip(patches, weight, factor, offset, strict=True):
        normal = torch.addmm(b, own.flatten(0, 3), (kernel.flatten(1) * a[:, None]).T).view(
            *own.shape[:4], -1
        )
        found.append(_greatest_of(list(normal.unbind(1))).relu_())
    return torch.stack(found)


class _Cut(torch.autograd.Function):
    """A pooling block on patches that need no gradient: its statistics follow from those of the patches.

    With P the patches `(rows, in * 9)`, G their covariance and W the weight, the convolution's mean is W·mean(P)
    and its variance the diagonal of W·G·Wᵀ; so normalising is a change of W, and no pass over the outputs.
    """

    @staticmethod
    def forward(
        ctx: Any,
        patches: Tensor,
        weight: Tensor,
        scale: Tensor,
        shift: Tensor,
        running: Running,
        take: Take | None,
    ) -> Tensor:
        """Return `(runs, batch, height / 2, width / 2, channels)` from patches in the order of `by_quarters`."""
        ctx.parts, found, means, variances = [], [], [], []
        for index, (own, kernel, w, b) in enumerate(zip(patches, weight, scale, shift, strict=True)):
            rows, factors = own.flatten(0, 3), kernel.flatten(1)
            centre = rows.mean(0)
            spread = (rows.T @ rows).sub_(len(rows) * torch.outer(centre, centre)).div_(len(rows))
            covered = factors @ spread
            mean, variance = factors @ centre, (covered * factors).sum(1).clamp_(min=0)
            inverse = (variance + EPSILON).rsqrt()
            folded = factors * (w * inverse)[:, None]
            normal = torch.addmm(b - w * inverse * mean, rows, folded.T).view(*own.shape[:4], -1)
            found.append(_greatest_of(list(normal.unbind(1))).relu_())
            ctx.parts.append((rows, centre, covered, factors, inverse, normal, found[-1]))
            means.append(mean)
            variances.append(variance)
            if take is not None and take.wants(index):
                raw = (rows @ factors.T).view(normal.shape)
                take.note(index, *(_from_quarters(one) for one in (raw, normal)))
        ctx.save_for_backward(scale)
        ctx.shape = weight.shape[1:]
        running.note(torch.stack(means), torch.stack(variances), len(ctx.parts[0][0]))
        return torch.stack(found)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Return the gradients of weight, scale and shift."""
        (scale,) = ctx.saved_tensors
        found = []
        for g, w, part in zip(gradients[0], scale, ctx.parts, strict=True):
            rows, centre, covered, factors, inverse, normal, outputs = part
            passed = _where_above(g.contiguous(), outputs, 0)
            full = _to_greatest(passed, normal, outputs, 1).view(-1, len(w))
            to_shift = full.sum(0)
            centred = (rows.T @ full).T.sub(
                torch.outer(to_shift, centre)
            )  # Σ gradient · (patch - mean patch)
            to_scale = (centred * factors).sum(1) * inverse
            to_weight = (centred - covered * (to_scale * inverse)[:, None]) * (w * inverse)[:, None]
            found.append((to_weight.view(ctx.shape), to_scale, to_shift))
        return None, *(torch.stack(column) for column in zip(*found, strict=True)), None, None


def cut_block(
    patches: Tensor, weight: Tensor, scale: Tensor, shift: Tensor, running: Running, take: Take | None = None
) -> Tensor:
    """Return what `block` does with pooling, from patches `(runs, batch, 4, height / 2, width / 2, in * 9)`."""
    return _Cut.apply(patches, weight, scale, shift, running, take)  # pyright: ignore[reportReturnType]


def by_quarters(values: Tensor) -> Tensor:
    """Return `(batch, height, width, channels)` with the four places of each 2 x 2 as the second axis."""
    return _apart(values).transpose(0, 1).contiguous()


def _from_quarters(values: Tensor) -> Tensor:
    batch, _, height, width, channels = values.shape
    return _in_order(values.transpose(0, 1), True, torch.Size((batch, 2 * height, 2 * width, channels)))


class _Part(NamedTuple):
    centred: (
        Tensor  # (4, batch, h, w, channels) where it pools: each 2 x 2 apart, so that slices lie together
    )
    normal: Tensor  # of the same shape
    outputs: Tensor
    inverse: Tensor  # of the standard deviation
    shape: torch.Size
    mean: Tensor
    variance: Tensor


def _normalise(raw: Tensor, scale: Tensor, shift: Tensor, pools: bool) -> _Part:
    mean = raw.reshape(-1, raw.shape[-1]).mean(0)
    centred = torch.sub(_apart(raw) if pools else raw, mean).contiguous()
    variance = (centred * centred).view(-1, len(mean)).mean(0)
    inverse = (variance + EPSILON).rsqrt()
    normal = torch.addcmul(shift, centred, scale * inverse)
    outputs = _greatest_of(list(normal)).relu_() if pools else normal.relu()
    return _Part(centred, normal, outputs, inverse, raw.shape, mean, variance)


def _back(gradient: Tensor, part: Any, scale: Tensor, pools: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of the convolution's outputs, of scale and of shift."""
    centred, normal, outputs, inverse, shape = part
    full = _where_above(gradient.contiguous(), outputs, 0)
    if pools:
        full = _to_greatest(full, normal, outputs)
    channels = shape[-1]
    rows, flat = full.view(-1, channels), centred.view(-1, channels)
    to_shift = rows.sum(0)
    to_scale = (rows * flat).sum(0) * inverse
    factor = scale * inverse
    rows.mul_(factor).addcmul_(flat, -factor * inverse * to_scale / len(rows)).sub_(
        factor * to_shift / len(rows)
    )
    return (_in_order(full, pools, shape) if pools else full), to_scale, to_shift


def _to_greatest(gradient: Tensor, normal: Tensor, outputs: Tensor, axis: int = 0) -> Tensor:
    """Return the gradient at the first of each four along `axis` where the maximum stands; uses `gradient` up."""
    found = torch.empty_like(normal)
    for place, values in zip(found.unbind(axis), normal.unbind(axis), strict=True):
        torch.sub(values, outputs, out=place)
        _where_above(gradient, place, _JUST_BELOW, grad_input=place)
        gradient.sub_(place)
    return found


def _apart(values: Tensor) -> Tensor:
    """Return the four places of each 2 x 2 as a leading axis: a view."""
    batch, height, width, channels = values.shape
    return values.view(batch, height // 2, 2, width // 2, 2, channels).permute(2, 4, 0, 1, 3, 5).flatten(0, 1)


def _in_order(values: Tensor, pools: bool, shape: torch.Size) -> Tensor:
    """Return what `_apart` took apart, put together as `shape`."""
    if not pools:
        return values
    batch, height, width, channels = shape
    split = values.reshape(2, 2, batch, height // 2, width // 2, channels)
    return split.permute(2, 3, 0, 4, 1, 5).reshape(shape)


def _quarters(values: Tensor) -> list[Tensor]:
    return [values[:, down::2, right::2] for down in (0, 1) for right in (0, 1)]


def _greatest_of(four: list[Tensor]) -> Tensor:
    return torch.maximum(torch.maximum(four[0], four[1]), torch.maximum(four[2], four[3]))
