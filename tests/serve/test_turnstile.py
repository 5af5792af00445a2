"""One at a time, a short queue, and nobody waits for ever."""

import asyncio
import threading
import time

import pytest

from neurogaze.serve.guarding import Refused
from neurogaze.serve.turnstile import Turnstile


async def through(turnstile, work):
    """A request: a place, then the work."""
    async with turnstile.place():
        return await turnstile.run(work)


def test_work_is_done_one_after_another_and_answers_find_their_owners():
    inside, most = [], []

    def work(i):
        inside.append(i)
        most.append(len(inside))
        time.sleep(0.002)
        inside.remove(i)
        return i * i

    async def many():
        turnstile = Turnstile(waiting=20, at_once=3, seconds=10)
        tasks = (through(turnstile, lambda i=i: work(i)) for i in range(20))
        return await asyncio.gather(*tasks)

    assert asyncio.run(many()) == [i * i for i in range(20)]
    assert max(most) == 1


def test_a_full_queue_is_told_so_and_empties_again():
    async def crowd():
        turnstile, gate = Turnstile(waiting=2, at_once=2, seconds=10), threading.Event()
        first = [asyncio.create_task(through(turnstile, gate.wait)) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(Refused) as refused:
            await through(turnstile, gate.wait)
        gate.set()
        assert await asyncio.gather(*first) == [True, True]
        assert await through(turnstile, lambda: "again") == "again"
        return refused.value.status

    assert asyncio.run(crowd()) == 503


def test_few_may_send_at_once_and_who_waits_too_long_is_told_to_come_back():
    async def crowd():
        turnstile, sending, done = Turnstile(waiting=9, at_once=2, seconds=0.2), [], asyncio.Event()

        async def send(i):
            async with turnstile.place():
                sending.append(i)
                await done.wait()

        tasks = [asyncio.create_task(send(i)) for i in range(3)]
        await asyncio.sleep(0.05)
        assert sending == [0, 1]
        with pytest.raises(Refused) as refused:
            await tasks[2]
        done.set()
        await asyncio.gather(*tasks[:2])
        assert await through(turnstile, lambda: 7) == 7
        assert turnstile.inside == 0
        return refused.value.status

    assert asyncio.run(crowd()) == 503


def test_slow_work_is_given_up_and_what_waited_too_long_never_starts():
    started = []

    async def slow():
        turnstile, gate = Turnstile(waiting=9, at_once=9, seconds=0.05), threading.Event()
        tasks = [through(turnstile, gate.wait), through(turnstile, lambda: started.append(1))]
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        gate.set()
        turnstile.worker.shutdown(wait=True)
        return [end.status for end in ends]

    assert asyncio.run(slow()) == [504, 504]
    assert started == []


def test_while_work_runs_late_everybody_is_refused_at_once():
    """The person was told 504, but the thread goes on; nobody shall wait behind it."""

    async def late():
        turnstile, gate = Turnstile(waiting=9, at_once=9, seconds=0.05), threading.Event()
        with pytest.raises(Refused, match="longer than"):
            await through(turnstile, gate.wait)
        begun = time.monotonic()
        with pytest.raises(Refused, match="still keeps the model busy") as refused:
            await through(turnstile, lambda: 1)
        assert time.monotonic() - begun < 0.05
        gate.set()
        turnstile.late.result()
        assert await through(turnstile, lambda: "again") == "again"
        return refused.value.status

    assert asyncio.run(late()) == 503


def test_an_error_reaches_its_owner_and_frees_the_way():
    async def failing():
        turnstile = Turnstile(waiting=1, at_once=1, seconds=5)
        with pytest.raises(ZeroDivisionError):
            await through(turnstile, lambda: 1 / 0)
        return await through(turnstile, lambda: 7)

    assert asyncio.run(failing()) == 7
