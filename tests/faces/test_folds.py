"""Folds keep classes even and ties together, as scikit-learn would, and never change."""

import dataclasses

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from neurogaze.errors import InputError
from neurogaze.faces.folds import FaceFold, fold_numbers
from tests.faces.test_images import make_table

RARE = np.array([874, 729, 315, 301, 210, 12, 53, 12])


def table_of(counts, twins=0, subjects=None, seed=0):
    """Labels with these counts in random order; the first `2 * twins` rows are pairs of twins."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(8), counts))
    n = len(labels)
    groups = np.array([f"g{i:05d}" for i in range(n)])
    groups[twins : 2 * twins] = groups[:twins]
    blank = dataclasses.replace(make_table(n), labels=labels, groups=groups)
    if subjects is None:
        return blank
    who = np.array([f"s{rng.integers(subjects):03d}" for _ in range(n)])
    return dataclasses.replace(blank, subjects=who)


def spread(labels, fold, n_folds):
    """Most minus fewest pictures of each class over the folds."""
    held = np.array([np.bincount(labels[fold == i], minlength=8) for i in range(n_folds)])
    return held.max(axis=0) - held.min(axis=0)


@pytest.mark.parametrize("n_folds", [2, 3, 10])
def test_single_pictures_are_dealt_as_evenly_as_can_be(n_folds):
    table = table_of(RARE)
    fold = fold_numbers(table, n_folds, seed=0)
    assert set(fold) == set(range(n_folds))
    assert spread(table.labels, fold, n_folds).max() <= 1
    assert np.ptp(np.bincount(fold)) <= 1


def test_twins_stay_together_and_rare_classes_in_every_fold():
    table = table_of(RARE, twins=120)
    fold = fold_numbers(table, 10, seed=0)
    np.testing.assert_array_equal(fold[:120], fold[120:240])
    assert spread(table.labels, fold, 10).max() <= 1


@pytest.mark.parametrize("seed", range(4))
def test_people_stay_together_as_evenly_as_scikit_learn_has_them(seed):
    table = table_of(RARE, subjects=200, seed=seed)
    fold = fold_numbers(table, 5, seed=0)
    assert all(len(set(fold[table.subjects == who])) == 1 for who in set(table.subjects))
    theirs = np.zeros_like(fold)
    deal = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    rows = deal.split(table.labels, table.labels, table.subjects)
    for number, (_, held) in enumerate(rows):
        theirs[held] = number

    def unevenness(which):
        held = np.array([np.bincount(table.labels[which == i], minlength=8) for i in range(5)])
        return float((held / RARE).std(axis=0).mean())

    assert unevenness(fold) <= 1.25 * unevenness(theirs)


def test_a_twin_joins_two_people():
    table = table_of(RARE, twins=1, subjects=200)
    fold = fold_numbers(table, 5, seed=0)
    one, other = table.subjects[:2]
    assert one != other
    assert len(set(fold[np.isin(table.subjects, [one, other])])) == 1


def test_the_deal_follows_the_seed_alone():
    table = table_of(RARE, twins=30)
    first = fold_numbers(table, 10, seed=1)
    np.random.seed(5)  # noqa: NPY002 - the global generator must not matter
    np.testing.assert_array_equal(first, fold_numbers(table, 10, seed=1))
    assert np.mean(first == fold_numbers(table, 10, seed=2)) < 0.2


def test_more_folds_than_pictures():
    with pytest.raises(InputError, match="4 independent units for 5"):
        fold_numbers(make_table(4), 5, seed=0)


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        ({"n_folds": 1}, "n_folds"),
        ({"fold": 10}, "fold"),
        ({"fold": -1}, "fold"),
        ({"seed": -1}, "seed"),
    ],
)
def test_folds_that_do_not_exist(bad, match):
    with pytest.raises(InputError, match=match):
        FaceFold(**bad)
