"""The crossed bootstrap against slow resampling, theory and simulation."""

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation import crossed, metrics, statistics
from neurogaze.evaluation.side_by_side import Judged


def faces_of(losses, truth=None, units=None):
    """Faces of which each arm states the true class with the probability exp(-loss).

    Args:
        losses: by arm, `[seeds, N]`.
    """
    n_seeds, n = next(iter(losses.values())).shape
    truth = np.arange(n) % 8 if truth is None else truth
    chances = {}
    for arm, loss in losses.items():
        of_truth = np.exp(-loss)[..., None]
        chances[arm] = np.where(np.eye(8, dtype=bool)[truth], of_truth, (1 - of_truth) / 7)
    units = np.arange(n).astype(str) if units is None else units
    return Judged("toy", "valid", tuple(range(n_seeds)), truth, units, chances)


def random_faces(n=80, n_seeds=3, n_units=50, seed=0):
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 7, n)
    bonus = 0.3 * np.eye(8)[truth]
    chances = {
        arm: 0.7 * generator.dirichlet(np.ones(8), (n_seeds, n)) + bonus for arm in ("a", "b")
    }
    units = generator.integers(0, n_units, n).astype(str)
    return Judged("toy", "valid", tuple(range(n_seeds)), truth, units, chances)


@pytest.mark.parametrize("metric", crossed.COLUMNS)
def test_points_and_draws_equal_scoring_the_drawn_rows(metric):
    faces = random_faces()
    drawn = []
    statistics.bootstrap_interval(
        lambda rows: drawn.append(rows) or 0.0, 80, faces.units, seed=5, n_resamples=12
    )
    scores = crossed.arm_scores(faces, metric, seed=5, n_resamples=12)
    assert set(scores) == {"a", "b"}
    for arm, found in scores.items():
        assert found.resampled.shape == (12, 3)
        for number, chances in enumerate(faces.chances[arm]):
            point = metrics.face_scores(faces.truth, chances)[metric]
            assert found.points[number] == pytest.approx(point, abs=1e-12)
            slow = [metrics.face_scores(faces.truth[r], chances[r])[metric] for r in drawn]
            np.testing.assert_allclose(found.resampled[:, number], slow, atol=1e-12)


@pytest.mark.parametrize("metric", crossed.COLUMNS)
def test_an_arm_against_its_like_is_exactly_zero(metric):
    faces = random_faces()
    faces.chances["b"] = faces.chances["a"].copy()
    scores = crossed.arm_scores(faces, metric, seed=0, n_resamples=150)
    assert crossed.crossed_interval(scores["a"], scores["b"], seed=0) == (0.0, 0.0)


def test_a_shift_of_every_row_is_the_effect_without_width():
    loss = np.random.default_rng(0).uniform(0.1, 1.0, (4, 60))
    faces = faces_of({"a": loss + 0.25, "b": loss})
    scores = crossed.arm_scores(faces, "nll", seed=0, n_resamples=200)
    assert crossed.crossed_interval(scores["a"], scores["b"], seed=0) == pytest.approx((0.25, 0.25))


def test_copies_of_a_face_within_a_unit_tell_nothing_new():
    losses = {arm: np.random.default_rng(k).uniform(0, 1, (4, 40)) for k, arm in enumerate("ab")}
    units = np.char.zfill(np.arange(40).astype(str), 2)
    once = faces_of(losses, units=units)
    tenfold = faces_of(
        {arm: np.repeat(loss, 10, axis=1) for arm, loss in losses.items()},
        np.repeat(once.truth, 10),
        np.repeat(units, 10),
    )
    found = []
    for faces in (once, tenfold):
        scores = crossed.arm_scores(faces, "nll", seed=0, n_resamples=200)
        found.append(crossed.crossed_interval(scores["a"], scores["b"], seed=0))
    assert found[0] == pytest.approx(found[1])


def test_seeds_are_drawn_with_replacement():
    shares = crossed.seed_shares(5, 4000, seed=1)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    np.testing.assert_allclose(shares * 5, np.round(shares * 5), atol=1e-12)
    np.testing.assert_allclose(shares.mean(axis=0), 0.2, atol=0.01)
    # Counts are binomial: variance n (1/n) (1 - 1/n).
    np.testing.assert_allclose((shares * 5).var(axis=0), 0.8, rtol=0.1)
    np.testing.assert_array_equal(shares, crossed.seed_shares(5, 4000, seed=1))
    assert not np.array_equal(shares, crossed.seed_shares(5, 4000, seed=2))


def additive(generator, effect, seed_sd, row_sd, n_seeds=10, n=60):
    """Losses whose difference is the effect plus one part of each seed and one of each face."""
    parts = generator.normal(0, seed_sd, (n_seeds, 1)) + generator.normal(0, row_sd, (1, n))
    return faces_of({"a": 1 + effect + parts, "b": np.ones((n_seeds, n))})


def test_width_is_that_of_both_variances():
    faces = additive(np.random.default_rng(0), 0.1, 0.03, 0.1)
    scores = crossed.arm_scores(faces, "nll", seed=0)
    low, high = crossed.crossed_interval(scores["a"], scores["b"], seed=0)
    differences = -np.log(faces.chances["a"].max(axis=2)) - 1
    of_seeds, of_rows = differences.mean(axis=1), differences.mean(axis=0)
    width = 2 * 1.96 * np.sqrt(of_seeds.var() / 10 + of_rows.var() / 60)
    assert high - low == pytest.approx(width, rel=0.1)
    assert low < differences.mean() < high


def seeds_only(scores):
    shares = crossed.seed_shares(10, 300, seed=0)
    return statistics.interval(shares @ (scores["a"].points - scores["b"].points))


def test_interval_covers_the_truth_where_that_of_seeds_alone_does_not():
    generator = np.random.default_rng(4)
    covered, by_seeds = [], []
    for _ in range(80):
        scores = crossed.arm_scores(additive(generator, 0.1, 0.02, 0.1), "nll", 0, 300)
        low, high = crossed.crossed_interval(scores["a"], scores["b"], seed=0)
        narrow = seeds_only(scores)
        assert high - low > narrow[1] - narrow[0]
        covered.append(low < 0.1 < high)
        by_seeds.append(narrow[0] < 0.1 < narrow[1])
    assert 0.87 <= np.mean(covered) <= 0.99
    assert np.mean(by_seeds) < 0.75


def test_another_metric_is_refused():
    with pytest.raises(InputError, match="use accuracy, macro_f1_8way"):
        crossed.arm_scores(random_faces(), "f1", seed=0)
