"""Risk against coverage: by hand, by brute force, and against the closed forms of the papers."""

import itertools

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation import scoring, statistics
from neurogaze.evaluation.face_sums import FaceRows
from neurogaze.evaluation.selective import (
    ideal_area,
    risk_coverage,
    selective_scores,
    selective_spread,
)


def slow_area(confidence, correct):
    """Mean over every order that the confidence allows of the mean risk over coverages."""
    areas = []
    for order in itertools.permutations(range(len(confidence))):
        if (np.diff(np.asarray(confidence)[list(order)]) > 0).any():
            continue
        wrong = ~np.asarray(correct)[list(order)]
        areas.append(np.mean(np.cumsum(wrong) / np.arange(1, len(wrong) + 1)))
    return np.mean(areas)


def test_a_curve_by_hand():
    curve = risk_coverage(np.array([0.6, 0.9, 0.8, 0.6]), np.array([False, True, False, True]))
    assert curve.threshold.tolist() == [0.9, 0.8, 0.6]
    assert curve.coverage.tolist() == [0.25, 0.5, 1.0]
    assert curve.risk.tolist() == [0.0, 0.5, 0.5]


@pytest.mark.parametrize("seed", range(6))
def test_the_area_is_the_mean_over_orders(seed):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.integers(1, 4, 6) / 4, rng.random(6) < 0.6
    found = selective_scores(confidence, correct)
    assert found["aurc"] == pytest.approx(slow_area(confidence, correct), abs=1e-12)
    best = selective_scores(np.where(correct, 0.9, 0.1), correct)
    # within the two blocks order does not matter: all right, or all wrong
    assert best["e_aurc"] == pytest.approx(0.0, abs=1e-12)
    assert found["e_aurc"] == pytest.approx(found["aurc"] - best["aurc"], abs=1e-12)


def test_closed_forms():
    n = 20_000
    for rate in (0.1, 0.4):
        wrong = round(rate * n)
        closed = rate + (1 - rate) * np.log(1 - rate)
        assert float(ideal_area(np.array(wrong), np.array(n))) == pytest.approx(closed, abs=1e-4)
    correct = np.arange(n) % 4 != 0
    # confidence that says nothing: the risk is the error rate at every coverage
    same = selective_scores(np.full(n, 0.5), correct)
    assert same["aurc"] == pytest.approx(0.25)
    assert selective_scores(np.linspace(0, 1, n), np.ones(n, bool))["aurc"] == 0.0
    assert selective_scores(np.linspace(0, 1, n), np.zeros(n, bool))["e_aurc"] == pytest.approx(0)


def test_a_worse_order_has_a_larger_area():
    correct = np.array([True] * 6 + [False] * 4)
    good = selective_scores(np.linspace(1, 0, 10), correct)
    bad = selective_scores(np.linspace(0, 1, 10), correct)
    assert good["e_aurc"] == pytest.approx(0.0, abs=1e-12)
    assert bad["aurc"] > 0.4 > good["aurc"]


def test_resamples_are_those_of_the_slow_way():
    rng = np.random.default_rng(1)
    confidence, correct = rng.integers(2, 9, 40) / 10, rng.random(40) < 0.7
    groups = rng.integers(0, 25, 40)
    for name, values in selective_spread(confidence, correct, groups, seed=4).items():
        low, high = statistics.bootstrap_interval(
            lambda index, name=name: selective_scores(confidence[index], correct[index])[name],
            40,
            groups,
            seed=4,
        )
        assert statistics.interval(values) == pytest.approx((low, high), abs=1e-12)


def test_scores_have_intervals_and_one_group_has_none():
    rng = np.random.default_rng(2)
    rows = FaceRows(rng.integers(0, 8, 60), rng.dirichlet(np.full(8, 0.4), 60))
    found = scoring.selective_intervals(rows, None, seed=0)
    assert found["aurc"].low < found["aurc"].value < found["aurc"].high
    alone = scoring.selective_intervals(rows, np.zeros(60, int), seed=0)
    assert (alone["aurc"].low, alone["aurc"].n) == (None, 60)


@pytest.mark.parametrize("confidence", [[], [0.5], [0.5, 1.2], [0.5, np.nan]])
def test_confidence_that_is_none_is_refused(confidence):
    with pytest.raises(InputError, match="confidence"):
        risk_coverage(np.array(confidence), np.array([True, False]))
