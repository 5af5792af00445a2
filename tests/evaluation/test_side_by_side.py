"""Predictions of arms laid beside each other, or refused."""

import numpy as np
import pandas as pd
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import PROBABILITY_COLUMNS
from neurogaze.evaluation.side_by_side import judged, named

N = 24


def frame(seed=0, n=N):
    """Faces 0 to n - 1, in pairs of equal pixels; every fourth has a twin in training."""
    chances = np.random.default_rng(seed).dirichlet(np.ones(8), n)
    text = {
        "id": [f"face{i:03d}" for i in range(n)],
        "dataset": "toy",
        "split": "valid",
        "label": [EMOTIONS[i % 8] for i in range(n)],
        "group": [f"pixels{i // 2:03d}" for i in range(n)],
        "twin": [i % 4 == 0 for i in range(n)],
    }
    return pd.DataFrame(text | dict(zip(PROBABILITY_COLUMNS, chances.T, strict=True)))


def bench():
    return {"ce": {0: frame(0), 1: frame(1)}, "kd": {0: frame(2), 1: frame(3)}}


def test_rows_keep_what_was_said_of_them():
    arms = bench()
    faces = judged(arms)
    assert (faces.dataset, faces.split, faces.seeds) == ("toy", "valid", (0, 1))
    assert faces.truth.tolist() == [i % 8 for i in range(N)]
    assert len(np.unique(faces.units)) == N // 2
    chances = arms["kd"][1][list(PROBABILITY_COLUMNS)].to_numpy()
    np.testing.assert_allclose(faces.chances["kd"][1], chances)
    assert faces.chances["ce"].shape == (2, N, 8)
    right = chances.argmax(axis=1) == faces.truth
    np.testing.assert_array_equal(faces.right("kd")[1], right)


def test_order_of_rows_and_seeds_does_not_matter():
    arms = bench()
    mixed = {
        "ce": dict(reversed(arms["ce"].items())),
        "kd": {s: f.sample(frac=1, random_state=s) for s, f in arms["kd"].items()},
    }
    first, second = judged(arms), judged(mixed)
    for arm in arms:
        np.testing.assert_array_equal(first.chances[arm], second.chances[arm])
    np.testing.assert_array_equal(first.truth, second.truth)


def test_twins_of_training_are_left_out():
    faces = judged(bench(), twin_free=True)
    assert faces.split == "valid, twin-free"
    assert faces.truth.tolist() == [i % 8 for i in range(N) if i % 4]
    # Of the pairs (0, 1), (4, 5), ... one picture is left.
    assert len(np.unique(faces.units)) == N // 2


def test_people_are_units_where_they_are_known():
    by_person = {
        arm: {s: f.assign(subject=[f"p{i // 8}" for i in range(N)]) for s, f in seeds.items()}
        for arm, seeds in bench().items()
    }
    assert len(np.unique(judged(by_person).units)) == N // 8


CHANGES = {
    "other label": (lambda f: f.assign(label=["anger", *f["label"][1:]]), "label of face"),
    "other id": (lambda f: f.assign(id=["face", *f["id"][1:]]), "id of face"),
    "other pixels": (lambda f: f.assign(group=["x", *f["group"][1:]]), "group of face"),
    "other twins": (lambda f: f.assign(twin=False), "twin of face"),
    "no twins": (lambda f: f.drop(columns="twin"), "column twin"),
    "fewer": (lambda f: f.iloc[1:], "23 faces, the first arm 24"),
    "other split": (lambda f: f.assign(split="test"), "split is 'test'"),
    "two data sets": (lambda f: f.assign(dataset=["a"] * 3 + ["b"] * 21), "several datasets: a, b"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_rows_are_refused_with_arm_and_seed(name):
    change, found = CHANGES[name]
    arms = bench()
    arms["kd"][1] = change(arms["kd"][1])
    with pytest.raises(InputError, match=found) as error:
        judged(arms)
    assert "arm kd, seed 1" in error.value.where


def test_other_seeds_are_refused():
    arms = bench()
    arms["kd"][2] = arms["kd"].pop(1)
    with pytest.raises(InputError, match=r"seeds \[0, 2\], arm ce has \[0, 1\]"):
        judged(arms)
    with pytest.raises(InputError, match="no predictions"):
        judged({})


def test_twin_free_needs_to_know_twins_and_something_left():
    without = {a: {s: f.drop(columns="twin") for s, f in b.items()} for a, b in bench().items()}
    with pytest.raises(InputError, match="does not say"):
        judged(without, twin_free=True)
    all_twins = {a: {s: f.assign(twin=True) for s, f in b.items()} for a, b in bench().items()}
    with pytest.raises(InputError, match="every face has a twin"):
        judged(all_twins, twin_free=True)


def test_only_named_arms_are_looked_at():
    arms = bench() | {"other": {7: frame(9, n=5)}}
    assert list(named([("kd", "ce")], arms)) == ["ce", "kd"]
    with pytest.raises(InputError, match="full is no arm"):
        named([("full", "ce")], arms)
