"""Logistic regression against the same procedure in plain words."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.preprocessing import StandardScaler

from neurogaze.eeg.splits import SplitSettings, evaluation_rows, fold_rows, make_split
from neurogaze.evaluation.logistic import INVERSE_PENALTIES, logistic_frame
from neurogaze.evaluation.predictions import regresses
from tests.eeg.toy import make_table

FOLDS = SplitSettings(n_folds=2)


def by_trial(trial, values):
    return np.array([values[trial == name].mean() for name in np.unique(trial)])


def plain(table, rows, rating):
    """Probability of high for the test rows of one fold."""
    flat = table.features.reshape(table.n_rows, -1).astype(float)
    train = rows["train"]
    x = StandardScaler().fit(flat[train]).transform(flat)
    stop, test = (evaluation_rows(table, rows[part]) for part in ("stop", "test"))
    _, first = np.unique(table.event[train], return_index=True)
    high = rating > np.median(rating[train][first])
    truth = by_trial(table.trial[stop], high[stop]) > 0
    best = (-1.0, None)
    for c in INVERSE_PENALTIES:
        model = LogisticRegression(C=c, max_iter=5000, tol=1e-9).fit(x[train], high[train])
        mean = by_trial(table.trial[stop], model.predict_proba(x[stop])[:, 1])
        score = recall_score(truth, mean > 0.5, labels=np.unique(truth), average="macro")
        if score > best[0]:
            best = (score, model.predict_proba(x[test])[:, 1])
    return test, best[1]


def test_probabilities_are_those_of_the_plain_procedure():
    table = make_table(signal=0.5)
    split = make_split(table, FOLDS)
    frame = logistic_frame(table, split, "median", progress=False)
    assert not regresses(frame)
    for k in range(split.n_folds):
        part = frame[frame["fold"] == k]
        for axis in ("valence", "arousal"):
            test, chance = plain(table, fold_rows(table, split, k), getattr(table, axis))
            assert part["trial"].tolist() == table.trial[test].tolist()
            np.testing.assert_allclose(part[f"{axis}_score"], chance, atol=1e-4)
            assert ((part[f"{axis}_score"] > 0.5) == (part[f"{axis}_high_pred"] == 1)).all()


def test_ratings_of_the_tested_people_are_not_used():
    table = make_table(n_subjects=4, signal=0.5)
    split = make_split(table, FOLDS)
    tested = np.isin(table.subject, split.folds[0].test)
    altered = replace(table, valence=np.where(tested, -table.valence, table.valence))
    a, b = (logistic_frame(t, split, "median", [0], progress=False) for t in (table, altered))
    np.testing.assert_array_equal(a["valence_score"], b["valence_score"])
    assert (a["valence_high"] != b["valence_high"]).any()


def test_a_training_part_of_one_class_says_that_class():
    table = make_table(n_subjects=4)
    table = replace(table, valence=np.full(table.n_rows, 0.5))
    frame = logistic_frame(table, make_split(table, FOLDS), "above", [1], progress=False)
    assert set(frame["fold"]) == {1}
    assert (frame["valence_score"] == 1.0).all()
    assert frame["arousal_score"].to_numpy() == pytest.approx(0.5, abs=0.5)
