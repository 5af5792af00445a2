"""One picture at a time before the model: many people wait, none disturbs another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from neurogaze.serve.guarding import Refused

T = TypeVar("T")

FULL = "Too many pictures wait already. Try again in a moment."
LATE = "An earlier picture still keeps the model busy. Try again in a moment."


class Turnstile:
    """A single worker with a short queue.

    Detectors and networks keep state between their layers, and a second picture at the same time
    would take twice the memory and be no faster. Work that is given up while it waits is never
    started; work that has started ends before the next begins.

    Nothing can stop a thread from outside: work that takes too long runs on after its person was
    told so. Until it ends everybody else is refused at once, before their picture is read, so that
    no more than this one picture is ever held by nobody.

    Args:
        waiting: how many may wait, send or be served at once.
        at_once: how many of these may send or have sent a picture; the pictures of the others are
            not read yet, so that this many lie in memory.
        seconds: longest time from a picture to its answer, and longest wait to send it.
    """

    def __init__(self, waiting: int, at_once: int, seconds: float) -> None:
        self.waiting, self.seconds = waiting, seconds
        self.inside = 0
        self.places = asyncio.Semaphore(at_once)
        self.late: Future[Any] | None = None
        self.worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="neurogaze")

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place from before a picture is read until it is answered.

        Raises:
            Refused: 503 when too many wait, or the model is late with earlier work.
        """
        self._check()
        self.inside += 1
        try:
            await self._admitted()
            try:
                yield
            finally:
                self.places.release()
        finally:
            self.inside -= 1

    async def run(self, work: Callable[[], T]) -> T:
        """Do some work when its turn comes; for whoever holds a place.

        Raises:
            Refused: 504 when it takes too long.
        """
        job = self.worker.submit(work)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(job), self.seconds)
        except TimeoutError:
            if not job.cancel():  # it has begun
                self.late = job
            raise Refused(504, f"The picture took longer than {self.seconds:g} seconds.") from None

    def _check(self) -> None:
        """Refuse whoever would wait in vain."""
        if self.late is not None and not self.late.done():
            raise Refused(503, LATE)
        if self.inside >= self.waiting:
            raise Refused(503, FULL)

    async def _admitted(self) -> None:
        """Wait until a picture may be read."""
        try:
            async with asyncio.timeout(self.seconds):
                await self.places.acquire()
        except TimeoutError:
            raise Refused(503, FULL) from None
