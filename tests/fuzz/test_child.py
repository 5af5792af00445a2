"""A child that fails in any way is noticed, and only a clean error is clean."""

import faulthandler
import os
import signal
import time

import numpy as np
import pytest

from neurogaze.errors import InputError
from tests.fuzz.child import CLEAN, FAILED, FINITE, Limits, in_child, read_all


def quarrel():
    raise InputError("a.mat", "is damaged", "copy it again")


def quarrel_at_length():
    raise InputError("\u00b5\u4e2d" * 3000, "is damaged", "copy it again")


def fail():
    raise ZeroDivisionError("by accident")


def crash():
    faulthandler.disable()  # of pytest, which would print
    os.kill(os.getpid(), signal.SIGSEGV)


def leave():
    os._exit(3)


def hang():
    time.sleep(60)


def gorge():
    np.empty(3 * 2**30, dtype=np.uint8)


@pytest.mark.parametrize(
    ("work", "kind", "detail"),
    [
        (lambda: None, FINITE, ""),
        (quarrel, CLEAN, "a.mat: is damaged"),
        (quarrel_at_length, CLEAN, "\u00b5\u4e2d"),
        (fail, FAILED, "ZeroDivisionError: by accident"),
        (crash, FAILED, "ended with code -11"),
        (leave, FAILED, "ended with code 3"),
        (hang, FAILED, "took longer than 0.3 s"),
        (gorge, FAILED, "MemoryError"),
    ],
)
def test_every_end_is_told_apart(work, kind, detail):
    outcome = in_child(work, Limits(seconds=0.3 if work is hang else 10.0))
    assert outcome.kind == kind
    assert detail in outcome.detail
    assert outcome.seconds < 5


def test_a_gibibyte_is_allowed():
    assert in_child(lambda: np.empty(2**30, dtype=np.uint8), Limits()).kind == FINITE


class Nobody:
    def subjects(self):
        return ()


def test_reading_nothing_is_no_success():
    with pytest.raises(ArithmeticError, match="no trial and no error"):
        read_all(Nobody())
