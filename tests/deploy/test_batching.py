"""Faces go to the student in full batches, and come back to the picture they belong to."""

import numpy as np
import pytest

from neurogaze.deploy import batching
from neurogaze.deploy.batching import Shot, asked, in_groups
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.rows import Place
from tests.deploy.infer_fakes import network, recogniser


def shot(name, count, rng, rgb=None):
    faces = rng.integers(0, 256, (count, 48, 48), dtype=np.uint8)
    return Shot(Place(name), [Box(0, 0, 1, 1, 1.0)] * count, range(count), faces, rgb)


def test_groups_close_when_they_are_full():
    rng = np.random.default_rng(0)
    counts = [1, 0, 0, 5, 1, 1, *[0] * 8, 1]
    groups = list(in_groups((shot(str(i), n, rng) for i, n in enumerate(counts)), 2))
    assert [[len(s.faces) for s in g] for g in groups] == [[1, 0, 0, 5], [1, 1], [0] * 8, [1]]


def test_large_pictures_close_a_group(monkeypatch):
    monkeypatch.setattr(batching, "HELD_PIXELS", 200)
    rng = np.random.default_rng(0)
    big = np.zeros((10, 10, 3), dtype=np.uint8)
    groups = list(in_groups((shot(str(i), 1, rng, big) for i in range(5)), 100))
    assert [len(group) for group in groups] == [2, 2, 1]


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_every_face_gets_its_own_answer(batch):
    sizes = []

    def run(images):
        sizes.append(len(images))
        return network(images)

    rng = np.random.default_rng(0)
    group = [shot(str(i), n, rng) for i, n in enumerate([2, 0, 3, 1])]
    said = asked(group, recogniser(run), batch)
    assert [len(part) for part in said] == [2, 0, 3, 1]
    assert sizes == {1: [1] * 6, 3: [3, 3], 100: [6]}[batch]
    for one, answers in zip(group, said, strict=True):
        alone = recogniser().answers(one.faces)
        for i, answer in enumerate(answers):
            assert answer.probabilities == pytest.approx(alone.probabilities[i], abs=1e-6)


def test_a_group_without_faces_asks_nobody():
    def run(images):
        raise AssertionError("asked about nothing")

    assert asked([Shot(Place("a"))], recogniser(run), 4) == [[]]
