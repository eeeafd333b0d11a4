"""Episodes of a plan, carried out by several processes and handed over one by one as they are finished.

Whoever receives them writes them: there is one writer, whatever the number of processes. An interruption loses
the groups in progress and nothing else; `done` then names what needs not be carried out again.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from probatum._errors import RunFailedError, UsageError
from probatum.packs.encoded import EncodedEpisode, encode
from probatum.packs.environment import Environment
from probatum.policies.plan import Plan, PlannedEpisode
from probatum.policies.registry import make_policy
from probatum.policies.rollout import Counterfactuals, Task, roll_out
from probatum.policies.threads import one_thread

Factory = Callable[[], Environment]  # picklable: every process makes an environment of its own


@dataclass(frozen=True)
class Progress:
    """How far a generation is.

    Attributes:
        finished: Episodes finished, those of earlier attempts included.
        total: Episodes asked for.
        carried_out: Episodes finished in this attempt.
        seconds: Wall time of this attempt, the start of the processes included.
    """

    finished: int
    total: int
    carried_out: int
    seconds: float

    @property
    def per_hour(self) -> float:
        """Episodes per hour in this attempt."""
        return 3600 * self.carried_out / self.seconds if self.seconds > 0 else 0.0

    def line(self) -> str:
        """Return one line for people.

        Example:
            >>> Progress(20, 100, 10, 60.0).line()
            '20 of 100 episodes | 600 an hour | 8 min left'
        """
        left = (self.total - self.finished) / self.per_hour * 60 if self.per_hour else 0.0
        shown = f"{left:.0f} min" if left >= 2 else f"{60 * left:.0f} s"
        return f"{self.finished} of {self.total} episodes | {self.per_hour:.0f} an hour | {shown} left"


def generate(
    plan: Plan,
    factory: Factory,
    *,
    jobs: int = 1,
    done: Iterable[str] = (),
    counterfactuals: Counterfactuals | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Iterator[EncodedEpisode]:
    """Yield the plan's episodes that are not done, in the order in which they are finished.

    Args:
        plan: What to carry out.
        factory: Makes an environment for up to `plan.side_by_side` runs; picklable where `jobs` is above 1.
        jobs: Processes, each with one thread.
        done: Identifiers of episodes that need not be carried out.
        counterfactuals: Forks at interventions; None for none.
        report: Called after every group.

    Raises:
        UsageError: `jobs` is below 1.
        RunFailedError: a process died.
    """
    if jobs < 1:
        raise UsageError(f"jobs must be at least 1, got {jobs}.")
    finished = set(done)
    groups = plan.groups(finished)
    start, carried_out = time.perf_counter(), 0
    before = plan.episodes - sum(own.episode_id not in finished for group in groups for own in group)
    several = jobs > 1 and len(groups) > 1
    results = (
        _in_processes(groups, factory, counterfactuals, jobs)
        if several
        else _here(groups, factory, counterfactuals)
    )
    for records in results:
        for record in records:
            if record.episode_id not in finished:
                yield record
                carried_out += 1
        if report:
            report(Progress(before + carried_out, plan.episodes, carried_out, time.perf_counter() - start))


def carry_out(
    group: Sequence[PlannedEpisode], environment: Environment, counterfactuals: Counterfactuals | None
) -> list[EncodedEpisode]:
    """Return the episodes of one group, as a pack takes them: a schema does not leave its process."""
    tasks = [Task(own.episode_id, own.settings, make_policy(own.policy), own.policy_seed) for own in group]
    return [encode(record, environment.schema) for record in roll_out(environment, tasks, counterfactuals)]


def _here(
    groups: Sequence[Sequence[PlannedEpisode]], factory: Factory, counterfactuals: Counterfactuals | None
) -> Iterator[list[EncodedEpisode]]:
    with one_thread():  # as in a process
        environment = factory() if groups else None
        for group in groups:
            assert environment is not None  # noqa: S101 - there is a group
            yield carry_out(group, environment, counterfactuals)


def _in_processes(
    groups: Sequence[Sequence[PlannedEpisode]],
    factory: Factory,
    counterfactuals: Counterfactuals | None,
    jobs: int,
) -> Iterator[list[EncodedEpisode]]:
    """Yield the groups as they are finished; few wait in memory, and no process outlives the generator."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(groups)), context, _start, (factory,))
    waiting, running = list(reversed(groups)), set[Future[list[EncodedEpisode]]]()
    try:
        while waiting or running:
            while waiting and len(running) <= jobs:
                running.add(pool.submit(_work, waiting.pop(), counterfactuals))
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    except BrokenProcessPool:
        raise RunFailedError(
            "a process that carried episodes out died; memory is a usual reason. What was finished is kept: "
            "call again to continue, with fewer --jobs or --side-by-side."
        ) from None
    finally:
        processes = list((pool._processes or {}).values())  # the pool has no public way to stop work
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            if running:
                process.terminate()
            process.join()


_environment: Environment | None = None  # of this process


def _start(factory: Factory) -> None:
    """Prepare a process: an interruption is the parent's to handle."""
    global _environment
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)
    _environment = factory()


def _work(group: Sequence[PlannedEpisode], counterfactuals: Counterfactuals | None) -> list[EncodedEpisode]:
    assert _environment is not None  # noqa: S101 - `_start` made it
    return carry_out(group, _environment, counterfactuals)
