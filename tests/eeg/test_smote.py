"""Made-up windows lie between neighbours of one class, as imbalanced-learn defines it."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from neurogaze.eeg import smote as module
from neurogaze.eeg.smote import nearest, smote
from neurogaze.errors import InputError


def example(sizes=(60, 25, 9), width=6):
    draw = np.random.default_rng(0)
    classes = np.repeat(np.arange(len(sizes)), sizes)
    vectors = draw.normal(size=(len(classes), width)) + 3 * classes[:, None]
    order = draw.permutation(len(classes))
    return vectors[order].astype(np.float32), classes[order]


def test_classes_end_up_balanced_and_the_most_frequent_gets_none():
    vectors, classes = example()
    made, of = smote(vectors, classes, np.random.default_rng(1))
    assert (made.dtype, of.dtype, made.shape) == (np.float32, np.int64, (35 + 51, 6))
    assert np.bincount(np.concatenate([classes, of])).tolist() == [60, 60, 60]
    assert 0 not in of


def test_each_lies_on_a_line_to_one_of_the_five_nearest_of_its_class():
    vectors, classes = example()
    made, of = smote(vectors, classes, np.random.default_rng(1))
    for name in (1, 2):
        own = vectors[classes == name].astype(float)
        finder = NearestNeighbors(n_neighbors=6).fit(own)
        ends = finder.kneighbors(own, return_distance=False)[:, 1:]
        line = own[ends] - own[:, None]  # [n, 5, D]
        used = set()
        for point in made[of == name]:
            off = point - own[:, None]
            share = (off * line).sum(-1) / (line**2).sum(-1)
            miss = np.linalg.norm(off - share[..., None] * line, axis=-1)
            miss[(share < -1e-6) | (share > 1 + 1e-6)] = np.inf
            assert miss.min() < 1e-5
            used.add(np.unravel_index(miss.argmin(), miss.shape))
        assert len({start for start, _ in used}) > 5
        assert len({neighbour for _, neighbour in used}) == 5


def test_neighbours_are_those_of_scikit_learn_in_whatever_blocks(monkeypatch):
    members = np.random.default_rng(2).normal(size=(70, 8)) + 100
    rows = np.array([3, 50, 69, 0])
    truth = NearestNeighbors(n_neighbors=6).fit(members).kneighbors(members[rows])[1][:, 1:]
    np.testing.assert_array_equal(nearest(members, rows, 5), truth)
    monkeypatch.setattr(module, "BLOCK", 70)
    np.testing.assert_array_equal(nearest(members, rows, 5), truth)


def test_the_place_on_the_line_is_even():
    vectors = np.array([[0.0], [1.0]] * 3 + [[9.0]] * 4000)
    classes = np.array([1] * 6 + [0] * 4000)
    made, _ = smote(vectors, classes, np.random.default_rng(0), neighbours=3)
    inner = made[(made > 0) & (made < 1)]
    assert len(inner) > 1000
    assert np.quantile(inner, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.05)


def test_the_draw_decides():
    vectors, classes = example()
    first, again, other = (
        smote(vectors, classes, np.random.default_rng(seed))[0] for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_balanced_classes_need_nothing():
    made, of = smote(np.zeros((4, 3)), np.array([0, 1, 0, 1]), np.random.default_rng(0))
    assert made.shape == (0, 3)
    assert of.shape == (0,)


def test_a_class_without_enough_windows_is_named():
    vectors, classes = example((30, 5))
    with pytest.raises(InputError, match="class 1 has 5 training windows, too few for 5"):
        smote(vectors, classes, np.random.default_rng(0))
