"""How far a sweep is, and how long it may still take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Progress:
    """Counts what is done, and estimates the time left from the runs that ended.

    Example:
        >>> progress = Progress(total=4, at_once=2)
        >>> progress.ended(10.0, failed=False)
        >>> round(progress.seconds_left())
        15
    """

    total: int
    at_once: int | None  # None where a scheduler decides: then the rate so far tells
    done: int = 0
    failed: int = 0
    timed: int = 0
    seconds: float = 0.0  # of all timed runs
    started: float = field(default_factory=time.monotonic)

    def ended(self, duration_seconds: float, *, failed: bool) -> None:
        """Count a run that will not be tried again."""
        self.done += 1
        self.failed += failed
        self.time(duration_seconds)

    def time(self, duration_seconds: float) -> None:
        """Take the duration of a run that ended, now or earlier."""
        self.timed += 1
        self.seconds += duration_seconds

    def seconds_left(self) -> float | None:
        """Return (runs left) x (mean duration) / (runs at once), or None before the first run ended.

        Where a scheduler decides how many run at once: (runs left) x (time so far) / (runs done).
        """
        if not self.timed:
            return None
        left = self.total - self.done
        if self.at_once is None:
            return left * (time.monotonic() - self.started) / max(1, self.done)
        return left * self.seconds / self.timed / min(self.at_once, max(1, self.total))

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
