"""Epochs of a chosen number of optimiser steps, for plans that count steps and not passes over the data."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from probatum.studies.abprop.batch import AntibodyBatch
from probatum.studies.abprop.batching import AntibodySplit


class SteppedSplit(AntibodySplit):
    """A split whose epoch has `steps` batches: a part of one pass, or as many passes as it takes.

    Every epoch begins a new pass, so that a smaller share of the data is seen more often in the same number of
    steps, as AbProp's data regimes mean it.

    Args:
        split: the sequences.
        steps: batches of an epoch.
    """

    def __init__(self, split: AntibodySplit, steps: int) -> None:
        """Share the tensors of `split`."""
        self.__dict__.update(split.__dict__)
        self.steps = steps

    def steps_per_epoch(self, batch_size: int) -> int:
        """Return the number of batches of an epoch, whatever their size."""
        return self.steps

    def batches(self, batch_size: int, generator: torch.Generator) -> Iterator[AntibodyBatch]:
        """Yield one epoch of batches in random order, drawn pass by pass."""
        left = self.steps
        while left:
            order = self.training_order(batch_size, generator)[:left]
            left -= len(order)
            for chosen in order:
                yield self.gather(chosen)
