"""Jobs in processes of their own, each with its share of the cores; a failed one stops no other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeVar

import torch

from neurogaze.quiet import hush

J = TypeVar("J")
R = TypeVar("R")

ON_ONE_GPU = 4
"""Trainings that share an accelerator; more of them only wait for each other."""


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

    An interrupted loop waits for no job that has not begun.

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
    pool = ProcessPoolExecutor(
        size, mp_context=get_context("spawn"), initializer=_begin, initargs=(share,)
    )
    try:
        begun = {pool.submit(_tried, work, job): job for job in jobs}
        for future in as_completed(begun):
            yield begun[future], _outcome(future)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin(threads: int) -> None:
    """Ready a process."""
    hush()
    torch.set_num_threads(threads)


def _tried(work: Callable[[J], R], job: J) -> R | Failure:
    """What came of a job; whatever it raises is told, not thrown."""
    try:
        return work(job)
    except Exception as error:
        return Failure(" ".join(f"{type(error).__name__}: {error}".split()))


def _outcome(future: Future[R | Failure]) -> R | Failure:
    """What a process handed back, if it lived to do so."""
    try:
        return future.result()
    except BrokenProcessPool:
        return Failure("its process was killed; perhaps memory ran out: use fewer workers")
