"""How far a sweep is, and how long it may still take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import fmean


@dataclass
class Progress:
    """Counts what is done, and estimates the time left from the runs that ended.

    Example:
        >>> progress = Progress(total=4, slots=2)
        >>> progress.ended(10.0, failed=False)
        >>> round(progress.seconds_left())
        15
    """

    total: int
    slots: int
    done: int = 0
    failed: int = 0
    durations: list[float] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def ended(self, duration_seconds: float, *, failed: bool) -> None:
        """Count a run that will not be tried again."""
        self.done += 1
        self.failed += failed
        self.durations.append(duration_seconds)

    def seconds_left(self) -> float | None:
        """Return (runs left) x (mean duration) / slots, or None before the first run ended."""
        if not self.durations:
            return None
        return (self.total - self.done) * fmean(self.durations) / min(self.slots, max(1, self.total))

    def line(self) -> str:
        """Return how far the sweep is, as the end of a line."""
        left = self.seconds_left()
        failed = f", {self.failed} failed" if self.failed else ""
        rest = f", about {duration(left)} left" if left else ""
        return f"{self.done}/{self.total}{failed}{rest}"


def duration(seconds: float) -> str:
    """Return a duration as people say it.

    Example:
        >>> duration(4.25), duration(90), duration(7260)
        ('4.2 s', '1 min 30 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
