"""Jobs in processes of their own, each with its share of the cores; a failed one stops no other."""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for_any
from multiprocessing.context import BaseContext
from threading import Thread
from typing import TypeVar

import rich
import torch

from neurogaze.quiet import hush

J = TypeVar("J")
R = TypeVar("R")

ON_ONE_GPU = 4
"""Trainings that share an accelerator; more of them only wait for each other."""

STOPPED = (Exception, SystemExit)
"""What ends one job and no other; a parser leaves with `SystemExit` when settings do not fit."""

PRELOADED = ["pytorch_lightning.cli", "timm"]
"""What takes a process seconds to import, and a fork of one that has it nothing. None of ours: a
server of forks looks for them elsewhere, and could find another version."""

KILLED = "its process was killed twice; perhaps memory ran out: use fewer workers"


@dataclass(frozen=True)
class Failure:
    """A job that did not come to its end.

    Args:
        said: its error in one line.
    """

    said: str


def processes(wanted: int | None, jobs: int) -> int:
    """How many jobs to run at a time.

    Small networks do not use several cores well: two trainings on one core each get through a
    third more pictures than one on two.

    Args:
        wanted: by the user; None: one a core, or four on an accelerator.
        jobs: how many there are.
    """
    cores = os.cpu_count() or 1
    room = min(cores, ON_ONE_GPU) if torch.cuda.is_available() else cores
    return max(1, min(wanted or room, jobs))


def run_all(
    work: Callable[[J], R], jobs: Sequence[J], size: int
) -> Iterator[tuple[J, R | Failure]]:
    """Do jobs, several at a time, and yield each with what came of it, as soon as it is done.

    When a process is killed, its pool and all that ran in it die, and nobody knows whose memory it
    was: the others go on in a new pool, and each of those that ran is tried once more, alone, at
    the end. Whose process dies again is given up. A loop that is left early, as by an interrupt,
    begins no further job and ends those that run; so does the end of this process, however it
    comes.

    Args:
        work: a function of a module, so that another process finds it.
        jobs: in the order in which they are begun.
        size: how many at a time; 1: here, one after the other.
    """
    if size == 1:
        for job in jobs:
            yield job, _tried(work, job)
        return
    share = max(1, (os.cpu_count() or 1) // size)
    suspects: deque[J] = deque()
    for job, future in _in_pools(work, deque(jobs), size, share):
        if _died(future):
            suspects.append(job)
        else:
            yield job, _outcome(future)
    for job, future in _in_pools(work, suspects, 1, share):
        yield job, Failure(KILLED) if _died(future) else _outcome(future)


def failure_of(error: BaseException) -> Failure:
    """An error in one line; of a parser that leaves, what it left for."""
    cause = error.__context__ if isinstance(error, SystemExit) else None
    said = f"{type(error).__name__}: {error}" + (f" ({cause})" if cause else "")
    return Failure(" ".join(said.split()))


@contextmanager
def worker_pool(size: int, threads: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that never outlive the block, nor the process that holds it.

    A block that ends in an error or an interrupt does not wait for what runs: it is ended at once.

    Args:
        size: how many processes.
        threads: of each.
    """
    pool = ProcessPoolExecutor(
        size, mp_context=_context(), initializer=_begin, initargs=(threads, dict(os.environ))
    )
    try:
        yield pool
    except BaseException:
        _kill(pool)
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _context() -> BaseContext:
    """How processes come to be: forked from a server that only imports, where that is safe.

    CUDA cannot be begun in a fork of a process that has begun it, and the libraries of other
    systems do not bear forks.
    """
    if sys.platform != "linux" or torch.cuda.is_available():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool, whatever they are at; since Python 3.14 a method of the pool."""
    for process in list((pool._processes or {}).values()):
        process.kill()


def _begin(threads: int, environment: dict[str, str]) -> None:
    """Ready a process; its parent alone answers the keyboard and ends it.

    A server of forks keeps the environment of the day it was started; ours is that of the parent.

    A training takes note of SIGTERM and goes on to the end of its batch, unless it finds a handler,
    which it calls.
    """
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    hush()
    rich.reconfigure(quiet=True)  # bars of several processes would be drawn over one another
    torch.set_num_threads(threads)


def _end_with_parent() -> None:
    """Wait until the parent is gone, then end this process, whatever it is at.

    Nobody would read its result, and it would wait for ever for the next job, locks in hand. What
    it writes has its name only once it is whole.
    """
    parent = parent_process()
    if parent is not None:
        wait_for_any([parent.sentinel])
        os._exit(1)


def _tried(work: Callable[[J], R], job: J) -> R | Failure:
    """What came of a job; whatever it raises is told, not thrown, but for an interrupt."""
    try:
        return work(job)
    except STOPPED as error:
        return failure_of(error)


def _in_pools(
    work: Callable[[J], R], waiting: deque[J], size: int, share: int
) -> Iterator[tuple[J, Future[R | Failure]]]:
    """Jobs with their ended futures; where a pool breaks, those that wait go on in a new one."""
    while waiting:
        yield from _in_a_pool(work, waiting, size, share)


def _in_a_pool(
    work: Callable[[J], R], waiting: deque[J], size: int, share: int
) -> Iterator[tuple[J, Future[R | Failure]]]:
    """Jobs with their ended futures, until none waits or the pool breaks.

    A pool is given no more jobs than it has processes, so that each job it holds has begun.
    """
    running: dict[Future[R | Failure], J] = {}
    with worker_pool(size, share) as pool:
        while _filled(pool, running, work, waiting, size):
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future


def _filled(
    pool: ProcessPoolExecutor,
    running: dict[Future[R | Failure], J],
    work: Callable[[J], R],
    waiting: deque[J],
    size: int,
) -> bool:
    """Give a pool jobs that wait, unless it is broken; whether any is running then."""
    try:
        while waiting and len(running) < size:
            future = pool.submit(_tried, work, waiting[0])
            running[future] = waiting.popleft()
    except BrokenProcessPool:
        pass  # what runs in it ends with that error, and what waits goes to another pool
    return bool(running)


def _died(future: Future[R | Failure]) -> bool:
    """Whether the pool of an ended job broke before it was done."""
    return isinstance(future.exception(), BrokenProcessPool)


def _outcome(future: Future[R | Failure]) -> R | Failure:
    """What a process handed back; also a job or an outcome that could not be handed over fails."""
    try:
        return future.result()
    except STOPPED as error:
        return failure_of(error)
