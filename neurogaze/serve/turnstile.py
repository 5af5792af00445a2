"""One picture at a time before the model: many people wait, none disturbs another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from neurogaze.serve.guarding import Refused

T = TypeVar("T")


class Turnstile:
    """A single worker with a short queue.

    Detectors and networks keep state between their layers, and a second picture at the same time
    would take twice the memory and be no faster. Work that is given up while it waits is never
    started; work that has started ends before the next begins.

    Args:
        waiting: how many may wait or be served at once.
        seconds: longest time from arrival to answer.
    """

    def __init__(self, waiting: int, seconds: float) -> None:
        self.waiting, self.seconds = waiting, seconds
        self.inside = 0
        self.worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="neurogaze")

    async def run(self, work: Callable[[], T]) -> T:
        """Do some work when its turn comes.

        Raises:
            Refused: 503 when too many wait; 504 when it takes too long.
        """
        if self.inside >= self.waiting:
            raise Refused(503, "Too many pictures wait already. Try again in a moment.")
        self.inside += 1
        try:
            future = asyncio.wrap_future(self.worker.submit(work))
            return await asyncio.wait_for(future, self.seconds)
        except TimeoutError:
            raise Refused(504, f"The picture took longer than {self.seconds:g} seconds.") from None
        finally:
            self.inside -= 1
