"""Scores beside chance; and labels that depend on nothing stay inside it under sound splits."""

from dataclasses import replace

import numpy as np
import pytest

from neurogaze.eeg.splits import SplitSettings, fold_rows, make_split
from neurogaze.eeg.targets import ClassTarget, classes
from neurogaze.pipeline.null_signal import (
    ChanceBand,
    accuracies,
    labellings,
    quantile_band,
    spanning,
)
from neurogaze.pipeline.recognisers import linear, nearest
from tests.eeg.toy import make_table

TARGET = ClassTarget("valence", 2, "at_least")
SOUND = [SplitSettings("trial"), SplitSettings("loso"), SplitSettings("loso_clip")]
WINDOW = SplitSettings("window", allow_leaky=True)


def balanced_table(seed):
    """Marks of person and recording and nothing else; half of each person's ratings are high."""
    table = make_table(n_subjects=6, n_clips=12, trials_per_event=1, n_windows=6, seed=seed)
    draw = np.random.default_rng([seed, 1])
    marks = draw.normal(size=(72, 4, 2)).repeat(6, axis=0) * 3
    ratings = np.stack([draw.permutation(np.linspace(-1, 1, 12)) for _ in range(6)])
    features = (table.features + marks).astype(np.float32)
    return replace(table, features=features, valence=ratings.ravel().repeat(6))


@pytest.mark.parametrize("scheme", ["within_subject", "joint_clip"])
def test_labellings_exchange_events_of_a_person(scheme):
    table = balanced_table(0)
    labels = labellings(table, TARGET, scheme, 20, seed=3)
    assert labels.shape == (table.n_rows, 21)
    np.testing.assert_array_equal(labels[:, 0], classes(table, TARGET))
    events = labels.reshape(6, 12, 6, 21)
    assert (events == events[:, :, :1]).all()
    assert (events[:, :, 0].sum(axis=1) == 6).all()
    moved = (events[:, :, 0, 1:] != events[:, :, 0, :1]).any(axis=(0, 1))
    assert moved.all()


def test_accuracy_counts_every_window_once():
    table = balanced_table(0)
    labels = labellings(table, TARGET, "within_subject", 3, seed=0)
    split = make_split(table, SplitSettings("loso_clip"))
    right = np.zeros(4)
    for k in range(split.n_folds):
        rows = fold_rows(table, split, k)
        guess = nearest(table.features, labels, rows["train"], rows["test"])
        right += (guess == labels[rows["test"]]).sum(axis=0)
    found = accuracies(table, split, table.features, nearest, labels)
    np.testing.assert_allclose(found, right / table.n_rows)
    oracle = labels[:, :, None].astype(np.float32)

    def copied(features, labels, train, test):
        return features[test, :, 0].astype(np.int64)

    assert (accuracies(table, split, oracle, copied, labels) == 1).all()


def test_bands_by_hand():
    chance = np.linspace(0, 1, 399)  # the second and the last but one of 399 have 1 % outside
    assert quantile_band(chance, "").low == pytest.approx(1 / 398)
    assert quantile_band(chance, "").high == pytest.approx(397 / 398)
    both = spanning([ChanceBand(0.3, 0.6, ""), ChanceBand(0.4, 0.7, "")], "both")
    assert both == ChanceBand(0.3, 0.7, "both")
    assert [both.verdict(x) for x in (0.2, 0.3, 0.7, 0.8)] == ["below", "inside", "inside", "above"]


@pytest.mark.parametrize("recogniser", [nearest, linear], ids=lambda r: r.__name__)
def test_labels_that_depend_on_nothing_stay_inside_chance_unless_windows_are_split(recogniser):
    inside = 0
    for seed in range(5):
        table, bands = balanced_table(seed), []
        labels = labellings(table, TARGET, "within_subject", 200, seed)
        for settings in SOUND:
            split = make_split(table, replace(settings, seed=seed))
            reached = accuracies(table, split, table.features, recogniser, labels)
            bands.append(quantile_band(reached[1:], ""))
            inside += bands[-1].verdict(reached[0]) == "inside"
        split = make_split(table, replace(WINDOW, seed=seed))
        leaked = accuracies(table, split, table.features, recogniser, labels)
        if recogniser is nearest:
            assert leaked[0] > 0.95
            assert spanning(bands, "").verdict(leaked[0]) == "above"
            assert leaked[1:].min() > 0.95  # any labels do: that is the leak
    assert inside >= 14
