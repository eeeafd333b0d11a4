"""Seeds of runs side by side: put together by blueprint and stage for an epoch, and given back after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from probatum.studies.tamiyo.stacked.network import Group, Stacked, Tensors
from probatum.studies.tamiyo.stacked.run import StackedRun
from probatum.studies.tamiyo.stages import LIVING, Stage


def groups_of(runs: Sequence[StackedRun]) -> list[Group]:
    """Return the seeds that act now: those that train aside apart from those in place."""
    found: dict[tuple[str, bool], list[int]] = {}
    for place, run in enumerate(runs):
        stage, blueprint = run.lifecycle.stage, run.lifecycle.blueprint
        if run.seed is not None and blueprint is not None and stage != Stage.GERMINATED:
            found.setdefault((blueprint, stage == Stage.TRAINING), []).append(place)
    return [_group(runs, blueprint, aside, places) for (blueprint, aside), places in found.items()]


def _group(runs: Sequence[StackedRun], blueprint: str, aside: bool, places: list[int]) -> Group:
    seeds = [seed for place in places if (seed := runs[place].seed) is not None]
    alpha = torch.tensor([runs[place].lifecycle.alpha for place in places])
    return Group(blueprint, torch.tensor(places), aside, alpha, together(seeds))


def give_back(runs: Sequence[StackedRun], groups: Sequence[Group]) -> None:
    """Give every run its own row of its seed's group."""
    for group in groups:
        for row, place in enumerate(group.places.tolist()):
            parts = (group.seeds.weights, group.seeds.buffers, group.seeds.momenta)
            views = ({name: own.detach()[row : row + 1] for name, own in part.items()} for part in parts)
            runs[place].seed = Stacked(*views)


def together(stacks: Sequence[Stacked]) -> Stacked:
    """Return stacks as one; a momentum that one of them lacks is zero, as in its first step."""
    names = {name: None for one in stacks for name in one.momenta}
    return Stacked(
        {name: torch.cat([one.weights[name].detach() for one in stacks]) for name in stacks[0].weights},
        {name: torch.cat([one.buffers[name] for one in stacks]) for name in stacks[0].buffers},
        {name: torch.cat([_momentum(one, name) for one in stacks]) for name in names},
    )


def _momentum(one: Stacked, name: str) -> Tensor:
    return one.momenta.get(name, torch.zeros_like(one.weights[name])).detach()


def weights_of(host: Stacked, groups: Sequence[Group], place: int) -> Tensors:
    """Return one run's trained weights by their full names, as views."""
    return {
        f"{prefix}.{name}": own.detach()[row]
        for prefix, stacked, row in _stacks(host, groups, place)
        for name, own in stacked.weights.items()
    }


def gradients_of(host: Stacked, groups: Sequence[Group], place: int) -> Tensors:
    """Return one run's gradients by their weights' full names, as views."""
    return {
        f"{prefix}.{name}": weight.grad[row]
        for prefix, stacked, row in _stacks(host, groups, place)
        for name, weight in stacked.weights.items()
        if weight.grad is not None
    }


def _stacks(host: Stacked, groups: Sequence[Group], place: int) -> Iterator[tuple[str, Stacked, int]]:
    """Yield where a run's weights stand: prefix of their names, stack, and row of it."""
    yield "host", host, place
    for group in groups:
        places = group.places.tolist()
        if place in places:
            yield "slot.seed", group.seeds, places.index(place)


def non_finite(runs: Sequence[StackedRun], groups: Sequence[Group]) -> list[int]:
    """Return for each run how many values of its living seed's weights and last gradients are not finite."""
    found = [0] * len(runs)
    for group in groups:
        for name, weight in group.seeds.weights.items():
            for own in (weight.detach(), group.seeds.last.get(name)):
                for place, count in zip(group.places.tolist(), _broken(own, len(weight)), strict=True):
                    found[place] += count if runs[place].lifecycle.stage in LIVING else 0
    return found


def _broken(values: Tensor | None, runs: int) -> list[int]:
    return [0] * runs if values is None else (~values.isfinite()).flatten(1).sum(1).tolist()
