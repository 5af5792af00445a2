"""One at a time, a short queue, and nobody waits for ever."""

import asyncio
import threading
import time

import pytest

from neurogaze.serve.guarding import Refused
from neurogaze.serve.turnstile import Turnstile


def test_work_is_done_one_after_another_and_answers_find_their_owners():
    inside, most = [], []

    def work(i):
        inside.append(i)
        most.append(len(inside))
        time.sleep(0.002)
        inside.remove(i)
        return i * i

    async def many():
        turnstile = Turnstile(waiting=20, seconds=10)
        return await asyncio.gather(*(turnstile.run(lambda i=i: work(i)) for i in range(20)))

    assert asyncio.run(many()) == [i * i for i in range(20)]
    assert max(most) == 1


def test_a_full_queue_is_told_so_and_empties_again():
    async def crowd():
        turnstile, gate = Turnstile(waiting=2, seconds=10), threading.Event()
        first = [asyncio.create_task(turnstile.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(Refused) as refused:
            await turnstile.run(gate.wait)
        gate.set()
        assert await asyncio.gather(*first) == [True, True]
        assert await turnstile.run(lambda: "again") == "again"
        return refused.value.status

    assert asyncio.run(crowd()) == 503


def test_slow_work_is_given_up_and_what_waited_too_long_never_starts():
    started = []

    async def slow():
        turnstile, gate = Turnstile(waiting=9, seconds=0.05), threading.Event()
        tasks = [turnstile.run(gate.wait), turnstile.run(lambda: started.append(1))]
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        gate.set()
        turnstile.worker.shutdown(wait=True)
        return [end.status for end in ends]

    assert asyncio.run(slow()) == [504, 504]
    assert started == []


def test_an_error_reaches_its_owner_and_frees_the_way():
    async def failing():
        turnstile = Turnstile(waiting=1, seconds=5)
        with pytest.raises(ZeroDivisionError):
            await turnstile.run(lambda: 1 / 0)
        return await turnstile.run(lambda: 7)

    assert asyncio.run(failing()) == 7
