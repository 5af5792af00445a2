"""Scores of classes are those of scikit-learn; trials are judged by their mean probabilities."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from neurogaze.tasks.judging import class_scores, classified, trial_means


def test_class_scores_are_those_of_scikit_learn():
    draw = np.random.default_rng(0)
    truth, predicted = draw.integers(0, 4, 200), draw.integers(0, 4, 200)
    scores = class_scores(truth, predicted, 4)
    assert scores["accuracy"] == pytest.approx((truth == predicted).mean())
    assert scores["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert scores["macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_absent_classes_do_not_count():
    truth, predicted = np.array([0, 0, 2]), np.array([0, 2, 2])
    same = f1_score(truth, predicted, average="macro")
    assert class_scores(truth, predicted, 5)["macro_f1"] == pytest.approx(same)


def test_a_trial_is_judged_by_its_mean_probabilities():
    """Two weak windows and a strong one: the majority says 1, the mean says 0."""
    probabilities = np.array([[0.4, 0.6], [0.45, 0.55], [0.95, 0.05], [0.1, 0.9]])
    truth, trials = np.array([0, 0, 0, 1]), np.array(["b", "b", "b", "a"])
    scores = classified(probabilities, truth, trials)
    assert scores["accuracy"] == 0.5
    assert scores["accuracy_trial"] == scores["macro_f1_trial"] == 1.0


def test_trial_means_keep_no_window_and_no_order():
    values = np.array([[4.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    means = trial_means(values, np.array(["b", "a", "a"]))
    np.testing.assert_array_equal(means, [[0.5, 1.0], [4.0, 0.0]])
