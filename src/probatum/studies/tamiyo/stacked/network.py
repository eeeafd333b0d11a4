"""The growing network of runs side by side: hosts in one stack, seeds in groups of one blueprint and stage.

Weights keep torch's names and shapes with the runs in front, so that what reads them by name, such as a probe or
a single run, finds what it knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from probatum.studies.tamiyo.stacked.block import (
    Running,
    Take,
    block,
    cut_block,
    fixed_block,
    fixed_cut_block,
)
from probatum.studies.tamiyo.stacked.blueprints import SEEDS

Tensors = dict[str, Tensor]  # {torch's name: (runs, ...)}


@dataclass
class Stacked:
    """Weights of several runs with what belongs to them."""

    weights: Tensors
    buffers: Tensors  # running statistics
    momenta: Tensors = field(default_factory=dict)
    last: Tensors = field(default_factory=dict)  # gradients of the last step

    def running(self, name: str) -> Running:
        """Return the running statistics of a normalisation."""
        return Running(self.buffers[f"{name}.running_mean"], self.buffers[f"{name}.running_var"])

    def three(self, *names: str) -> tuple[Tensor, Tensor, Tensor]:
        """Return three weights: a block's convolution, scale and shift."""
        one, two, three = (self.weights[name] for name in names)
        return one, two, three

    def rows(self, chosen: Tensor) -> Stacked:
        """Return copies of some runs' tensors."""
        parts = (self.weights, self.buffers, self.momenta)
        return Stacked(*({name: own.detach()[chosen] for name, own in part.items()} for part in parts))


@dataclass
class Group:
    """The seeds of one blueprint in one stage."""

    blueprint: str
    places: Tensor  # which runs
    aside: bool  # they train aside: the network does not hear them
    alpha: Tensor  # (runs of the group,)
    seeds: Stacked


class Watched:
    """What the layers of some runs gave in one pass: `{run: {layer: outputs}}`, for the signals."""

    def __init__(self, runs: Iterable[int]) -> None:
        self.outputs: dict[int, Tensors] = {run: {} for run in runs}

    def of(self, prefix: str, places: Sequence[int]) -> Look:
        """Return what looks at a stack of runs that stand at `places`."""
        return Look(self, prefix, places)


class Look:
    """Notes what layers below `prefix` gave, for the runs that are watched."""

    def __init__(self, watched: Watched, prefix: str, places: Sequence[int]) -> None:
        self.watched, self.prefix, self.places = watched, prefix, places

    def layer(self, name: str, outputs: Tensor) -> None:
        """Note a layer's outputs `(runs, batch, ...)`."""
        for index, place in enumerate(self.places):
            if place in self.watched.outputs:
                self.watched.outputs[place][self.prefix + name] = outputs[index].detach()

    def block(self, convolution: str, normalisation: str) -> Take:
        """Return what takes the outputs of a block's two layers."""
        return _BlockLook(self, convolution, normalisation)


class _BlockLook:
    def __init__(self, look: Look, convolution: str, normalisation: str) -> None:
        self.look, self.names = look, (convolution, normalisation)

    def wants(self, index: int) -> bool:
        return self.look.places[index] in self.look.watched.outputs

    def note(self, index: int, convolution: Tensor, normalisation: Tensor) -> None:
        own = self.look.watched.outputs[self.look.places[index]]
        for name, outputs in zip(self.names, (convolution, normalisation), strict=True):
            own[self.look.prefix + name] = outputs.detach()


class StackedNetwork:
    """Forward passes of all runs; `through` is 1 for each channel that passes the slot, `(runs, 64)` or None."""

    def __init__(self, host: Stacked, through: Tensor | None) -> None:
        self.host, self.through = host, through

    def train(
        self, patches: Tensor, groups: list[Group], watched: Watched | None = None
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Return logits `(runs, batch, classes)`, and for each group those with its seeds in place, aside."""
        hidden = self._block("block1", patches, watched)
        features = self._block("block2", hidden, watched)
        passed, beside = self._slot(features, groups, watched, training=True)
        logits = self._classified(self._block("block3", passed, watched))
        if watched is not None:
            watched.of("host.", range(len(logits))).layer("classifier", logits)
        return logits, [
            None if own is None else self._untouched(own, group.places)
            for own, group in zip(beside, groups, strict=True)
        ]

    @torch.no_grad()
    def predict(self, patches: Tensor, groups: list[Group]) -> tuple[Tensor, list[Tensor | None]]:
        """Return the same in evaluation mode."""
        features = self._fixed("block2", self._fixed("block1", patches))
        passed, beside = self._slot(features, groups, None, training=False)
        return self._classified(self._fixed("block3", passed)), [
            None if own is None else self._classified(self._fixed("block3", own, group.places), group.places)
            for own, group in zip(beside, groups, strict=True)
        ]

    def _block(self, name: str, inputs: Tensor, watched: Watched | None) -> Tensor:
        look = None if watched is None else watched.of("host.", range(len(inputs)))
        own = self._three(name)
        running = self.host.running(f"{name}.norm")
        take = look.block(f"{name}.conv", f"{name}.norm") if look is not None else None
        if name == "block1":
            return cut_block(inputs, *own, running, take)
        return block(inputs, *own, running, pools=True, take=take)

    def _three(self, name: str) -> tuple[Tensor, Tensor, Tensor]:
        return self.host.three(f"{name}.conv.weight", f"{name}.norm.weight", f"{name}.norm.bias")

    def _fixed(self, name: str, inputs: Tensor, rows: Tensor | None = None) -> Tensor:
        own, (weight, scale, shift) = self.host.running(f"{name}.norm"), self._three(name)
        if rows is not None:
            weight, scale, shift = weight[rows], scale[rows], shift[rows]
            own = Running(own.mean[rows], own.variance[rows])
        if name == "block1":
            return fixed_cut_block(inputs, weight, scale, shift, own)
        return fixed_block(inputs, weight, scale, shift, own, pools=True)

    def _slot(
        self, features: Tensor, groups: list[Group], watched: Watched | None, *, training: bool
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Return what passes the slots, and the outputs of the seeds that train aside."""
        narrowed = features if self.through is None else features * self.through[:, None, None, None, :]
        rows = list(narrowed.unbind(0)) if groups else []
        beside: list[Tensor | None] = []
        for group in groups:
            inputs = features[group.places]
            look = None if watched is None else watched.of("slot.seed", group.places.tolist())
            outputs = SEEDS[group.blueprint](
                inputs.detach() if group.aside else inputs, group.seeds, training, look
            )
            beside.append(outputs if group.aside else None)
            for place, own, alpha in zip(group.places.tolist(), outputs, group.alpha.tolist(), strict=True):
                if not group.aside:
                    rows[place] = own if alpha == 1.0 else alpha * own + (1.0 - alpha) * rows[place]
        blends = any(not group.aside for group in groups)
        return torch.stack(rows) if blends else narrowed, beside

    def _untouched(self, features: Tensor, places: Tensor) -> Tensor:
        """Return logits from a seed's features: the rest serves as it stands and is not changed."""
        one, two, three = (own.detach()[places] for own in self._three("block3"))
        return self._classified(block(features, one, two, three, None, pools=True), places)

    def _classified(self, hidden: Tensor, places: Tensor | None = None) -> Tensor:
        """Return logits; those at `places` are beside the network, and leave its classifier alone."""
        weight, bias = self.host.weights["classifier.weight"], self.host.weights["classifier.bias"]
        if places is not None:
            weight, bias = weight.detach()[places], bias.detach()[places]
        return torch.bmm(hidden.mean((2, 3)), weight.mT) + bias[:, None]
