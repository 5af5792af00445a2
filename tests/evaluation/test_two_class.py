"""Scores of decisions against scikit-learn, intervals against the slow bootstrap."""

import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    roc_auc_score,
)

from neurogaze.evaluation import statistics
from neurogaze.evaluation.two_class import binary_intervals, binary_scores


def sklearn_scores(truth, decision, score):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {
            "accuracy": accuracy_score(truth, decision),
            "balanced_accuracy": balanced_accuracy_score(truth, decision),
            "macro_f1": f1_score(
                truth, decision, labels=[False, True], average="macro", zero_division=0
            ),
        }
    if len(set(truth.tolist())) == 2:
        found["auroc"] = roc_auc_score(truth, score)
    return found


def case(seed, n=40, share=0.4, levels=7):
    draw = np.random.default_rng(seed)
    truth = draw.random(n) < share
    score = np.round(draw.normal(size=n) + truth, 0 if seed % 2 else 6) % levels
    return truth, draw.random(n) < 0.5, score


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_scores_are_those_of_scikit_learn(seed, share):
    truth, decision, score = case(seed, share=share)
    found = binary_scores(truth, decision, score)
    assert found == pytest.approx(sklearn_scores(truth, decision, score), abs=1e-12)
    for constant in (np.zeros(40, bool), np.ones(40, bool)):
        found = binary_scores(truth, constant, score)
        assert found == pytest.approx(sklearn_scores(truth, constant, score), abs=1e-12)


@pytest.mark.parametrize("name", ["accuracy", "balanced_accuracy", "macro_f1", "auroc"])
def test_intervals_equal_the_slow_bootstrap(name, monkeypatch):
    few = partial(statistics.bootstrap_sums, n_resamples=60)
    monkeypatch.setattr(statistics, "bootstrap_sums", few)
    truth, decision, score = case(3, n=120)
    people = np.repeat([f"s{i}" for i in range(12)], 10)

    def statistic(rows):
        return sklearn_scores(truth[rows], decision[rows], score[rows])[name]

    expected = statistics.bootstrap_interval(statistic, 120, people, seed=5, n_resamples=60)
    found = binary_intervals(truth, decision, score, people, seed=5)[name]
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)
    assert found.n == 120
    assert found.value == pytest.approx(statistic(np.arange(120)), abs=1e-12)


def test_resamples_of_one_class_say_nothing_of_auroc():
    truth = np.array([True, True, False, False])
    score = np.array([1.0, 2.0, 3.0, 4.0])
    found = binary_intervals(truth, truth, score, np.array(["a", "a", "b", "b"]), seed=0)
    assert (found["auroc"].low, found["auroc"].high) == (0.0, 0.0)
    alone = binary_intervals(truth, truth, score, np.array(["a"] * 4), seed=0)
    assert alone["accuracy"].low is alone["accuracy"].high is None
