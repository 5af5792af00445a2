"""A child that fails in any way is noticed, and only a clean error is clean."""

import faulthandler
import os
import signal
import time

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.faces.images import FaceCorpus, FaceTable
from tests.fuzz.child import CLEAN, FAILED, FINITE, Limits, in_child, read_all, read_faces


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


class Nowhere(FaceCorpus):
    """A corpus whose table has as many pictures as asked for, of one size."""

    name = "nowhere"

    def __init__(self, n, size):
        self.shape = (n, *size)

    def load(self, split, progress=False):
        images, n = np.zeros(self.shape, np.uint8), self.shape[0]
        votes = np.eye(8, dtype=np.float32)[np.zeros(n, int)]
        names = np.full(n, "a")
        return FaceTable(images, names, np.zeros(n, int), votes, names, "nowhere", split, "label")

    def identity(self, split):
        return {}


def test_reading_no_picture_or_another_size_is_no_success():
    read_faces(Nowhere(2, (48, 48)))
    with pytest.raises(ArithmeticError, match="no picture and no error"):
        read_faces(Nowhere(0, (48, 48)))
    with pytest.raises(ArithmeticError, match="47"):
        read_faces(Nowhere(2, (47, 48)))
