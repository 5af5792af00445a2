"""The moving average against pandas, and flips counted by hand."""

import numpy as np
import pandas
import pytest

from neurogaze.deploy import smoothing
from neurogaze.deploy.rows import FaceRow, Reading


def row(face, seconds, label):
    return FaceRow("clip.mp4", int(seconds * 10), seconds, face, label=label)


def test_the_average_is_that_of_pandas():
    rng = np.random.default_rng(0)
    shares, va = rng.dirichlet([1.0] * 8, 30), rng.uniform(-1, 1, (30, 2))
    smoother = smoothing.Smoother(0.8)
    other = smoothing.Smoother(0.8)
    found = []
    for p, v in zip(shares, va, strict=True):
        found.append(smoother.update(4, Reading(p, v)))
        smoother.update(5, Reading(p[::-1], v))  # another face does not mix in
        assert other.update(len(found), Reading(p, v)).probabilities == pytest.approx(p)
    for ours, series in (("probabilities", shares), ("va", va)):
        theirs = pandas.DataFrame(series).ewm(alpha=0.2, adjust=False).mean().to_numpy()
        assert np.stack([getattr(one, ours) for one in found]) == pytest.approx(theirs)
    assert all(one.probabilities.sum() == pytest.approx(1) for one in found)


def test_weight_zero_changes_nothing():
    smoother, p = smoothing.Smoother(0.0), np.eye(8)
    assert all((smoother.update(0, Reading(q, q[:2])).probabilities == q).all() for q in p)


def test_only_so_many_faces_are_remembered(monkeypatch):
    monkeypatch.setattr(smoothing, "REMEMBERED", 2)
    smoother, a, b = smoothing.Smoother(0.5), np.eye(8)[0], np.eye(8)[1]
    for face in (0, 1, 0, 2):  # 1 was seen longest ago
        smoother.update(face, Reading(a, a[:2]))
    assert smoother.update(0, Reading(b, b[:2])).probabilities[0] == 0.5
    assert smoother.update(1, Reading(b, b[:2])).probabilities[0] == 0.0


def test_flips_by_hand():
    counter = smoothing.FlipCounter()
    labels = ["anger", "anger", "fear", None, "fear", "anger"]
    for i, label in enumerate(labels):
        counter.add(row(7, 2.0 * i, label))
        counter.add(row(2, 2.0 * i, "neutral"))
    counter.add(FaceRow("clip.mp4", 9, 0.9))
    counter.add(FaceRow("picture.png", face=0, label="fear"))
    first, second = counter.flips()
    assert (first.face, first.changes, first.per_minute) == (2, 0, 0.0)
    assert (second.face, second.changes, second.seconds) == (7, 2, 10.0)
    assert second.per_minute == 12.0
    assert smoothing.flips_per_minute([first, second]) == 6.0


def test_a_face_of_one_frame_has_no_flips():
    assert smoothing.Flips(0, 0, 0.0).per_minute == 0.0
    assert smoothing.flips_per_minute([]) == 0.0
