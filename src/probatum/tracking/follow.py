"""Sends runs while a sweep goes on: from a process of its own, which no run ever waits for."""

from __future__ import annotations

import os
import select
import time
from collections import Counter
from collections.abc import Callable

from probatum._errors import ProbatumError, TrackingError
from probatum.tracking.sources import Sources
from probatum.tracking.sync import FAILED, SENT, Sync

_LOOK_SECONDS = 0.25  # the end of the sweep is seen this soon
_PATIENCE_SECONDS = 10.0  # for a runner to begin
_LONGEST_PAUSE_SECONDS = 30.0
_MOST_OF_THE_TIME = 20  # a pause is this many times as long as the pass before it


class Follower:
    """Sends what ends, again and again, until the runner is gone and everything was tried once more.

    Args:
        sources: What is watched.
        sync: What sends.
        say: Gets a line for what a person wants to know; that the store is down is told once.
        is_busy: Whether more is to be expected, None where nobody can tell; by default asked of the sources.
        pause_seconds: Between two passes; longer where a pass is expensive or the store is down.
    """

    def __init__(
        self,
        sources: Sources,
        sync: Sync,
        say: Callable[[str], None],
        is_busy: Callable[[], bool | None] | None = None,
        pause_seconds: float = 2.0,
    ) -> None:
        self.sources, self.sync, self.say, self.pause_seconds = sources, sync, say, pause_seconds
        self._is_busy = is_busy or sources.is_busy
        self._patience = 0.0 if is_busy else _PATIENCE_SECONDS
        self._is_down = False
        self._failures = 0
        self._told: set[str] = set()

    def follow(self) -> bool:
        """Return whether everything was sent, once no more is to be expected."""
        began, was_busy = time.monotonic(), False
        self._open_early()
        while True:
            is_busy = self._is_busy()
            was_busy = was_busy or bool(is_busy)
            start = time.monotonic()
            is_whole = self._pass()
            if is_busy is False and (was_busy or start - began >= self._patience):
                return is_whole
            self._wait(self._pause(time.monotonic() - start), until_free=was_busy or not self._patience)

    def _open_early(self) -> None:
        """Import MLflow while the first run begins: it takes seconds, which the end of the sweep need not."""
        try:
            self.sync.open()
        except TrackingError as error:
            self._down(error)

    def _pass(self) -> bool:
        try:
            results = list(self.sync.run(self.sources))
        except TrackingError as error:
            self._down(error)
            return False
        if self._is_down:
            self.say("MLflow answers again")
        self._is_down, self._failures = False, 0
        for result in results:
            if result.action == FAILED and f"{result.run}: {result.error}" not in self._told:
                self._told.add(f"{result.run}: {result.error}")
                self.say(f"{result.run}: not sent: {result.error}")
        counts = Counter(result.action for result in results)
        if counts[SENT]:
            self.say(f"{counts[SENT]} sent, {sum(result.points for result in results)} points")
        return not counts[FAILED]

    def _down(self, error: ProbatumError) -> None:
        if not self._is_down:
            self.say(f"{error} The runs go on; what is missing is sent once it answers.")
        self._is_down = True
        self._failures += 1

    def _pause(self, pass_seconds: float) -> float:
        """Return how long to wait: a pass over 10,000 runs takes long, and a store that is down needs no hurry."""
        pause = max(self.pause_seconds, _MOST_OF_THE_TIME * pass_seconds)
        return min(_LONGEST_PAUSE_SECONDS, pause * 2 ** min(self._failures, 5))

    def _wait(self, seconds: float, *, until_free: bool) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if until_free and self._is_busy() is False:
                return
            time.sleep(min(_LOOK_SECONDS, left))


def is_open(descriptor: int = 0) -> bool:
    """Return whether the other end of a pipe is held: the system lets go of it however its holder ends."""
    readable, _, _ = select.select([descriptor], [], [], 0)
    return not readable or bool(os.read(descriptor, 4096))
