"""What a person sees of a training: one line an epoch, a live line on a terminal, everything in the log."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from probatum.runs.metric import MetricDefinition


class Progress:
    """Progress of one seed, with the rate and the time left."""

    def __init__(
        self, metric: MetricDefinition, epochs: int, unit: str, every_steps: int, *, quiet: bool
    ) -> None:
        self.metric = metric
        self.epochs = epochs
        self.unit = unit
        self.every_steps = every_steps
        self.quiet = quiet
        self.live = sys.__stderr__ is not None and sys.__stderr__.isatty() and not quiet
        self.epoch_seconds: list[float] = []

    def start_epoch(self, epoch: int, steps: int) -> None:
        """Start the clock of an epoch of `steps` optimiser steps."""
        self.epoch, self.steps, self.started = epoch, steps, time.perf_counter()

    def step(self, step: int, units: int) -> None:
        """Show that `step` steps are done, `units` units in all."""
        if self.live and step % 10 == 0:
            rate = units / (time.perf_counter() - self.started)
            text = f"\repoch {self.epoch}/{self.epochs}  step {step}/{self.steps}  {rate:,.0f} {self.unit}/s\x1b[K"
            sys.__stderr__.write(text)  # type: ignore[union-attr]
        if self.every_steps and step % self.every_steps == 0 and not self.live:
            rate = units / (time.perf_counter() - self.started)
            self.say(f"epoch {self.epoch}/{self.epochs} step {step}/{self.steps}  {rate:,.0f} {self.unit}/s")

    def end_epoch(
        self, row: Mapping[str, Any], best: float | None, best_epoch: int, units: int, seconds: float
    ) -> None:
        """Say what the epoch reached, how fast, and how long the rest may take."""
        self.epoch_seconds.append(time.perf_counter() - self.started)
        left = sum(self.epoch_seconds) / len(self.epoch_seconds) * (self.epochs - self.epoch)
        if self.live:
            sys.__stderr__.write("\r\x1b[K")  # type: ignore[union-attr]
        name, rate = self.metric.name, f"{units / seconds:,.0f} {self.unit}/s"
        reached = f"train_loss {_number(row['train_loss'])}  {name} {_number(row[name])}"
        self.say(
            f"epoch {self.epoch:>3}/{self.epochs}  {reached}  best {_number(best)} at {best_epoch}  {rate}"
            f"  at most {_clock(left)} left"
        )

    def say(self, text: str) -> None:
        """Print one line."""
        if not self.quiet:
            print(text, flush=True)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
