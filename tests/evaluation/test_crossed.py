"""The crossed bootstrap against slow resampling, theory and simulation."""

import numpy as np
import pytest
from scipy import stats

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
    student = stats.t.ppf(0.975, 9) ** 2 * of_seeds.var(ddof=1) / 10
    width = 2 * np.sqrt(student + 1.96**2 * of_rows.var() / 60)
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


def covered_share(n_seeds, factor, n_worlds=1000):
    """How often the interval of seeds alone holds the mean that they were drawn about."""
    generator, inside = np.random.default_rng(n_seeds), []
    for _ in range(n_worlds):
        differences = generator.normal(0.3, 1.0, n_seeds)
        part = crossed.seed_part(differences, 1000, seed=0)
        low, high = statistics.interval(differences.mean() + factor * part)
        inside.append(low < 0.3 < high)
    return np.mean(inside)


@pytest.mark.parametrize("n_seeds", [3, 5, 10])
def test_few_seeds_cover_as_often_as_they_say(n_seeds):
    """The standard deviation of a share of .95 in a thousand is .007; three of them are allowed."""
    assert covered_share(n_seeds, 1.0) == pytest.approx(0.95, abs=0.021)
    plain = covered_share(n_seeds, 1 / crossed.widening(n_seeds), 300)
    assert plain == pytest.approx({3: 0.75, 5: 0.84, 10: 0.90}[n_seeds], abs=0.07)


def test_two_seeds_cover_what_three_means_can():
    """Mean over half distance of two normal values is Cauchy; the interval ends at the seeds."""
    for factor in (crossed.widening(2), 1.0):
        share = 2 / np.pi * np.arctan(factor)
        found = covered_share(2, factor / crossed.widening(2))
        assert found == pytest.approx(share, abs=3 * np.sqrt(share * (1 - share) / 1000))
    assert crossed.widening(2) == pytest.approx(np.sqrt(2) * np.tan(0.475 * np.pi) / 1.959964)


def linear_scores(generator, seed_sd, unit_sd, both_sd, n_seeds, n_units=40, n_resamples=400):
    """Two arms whose score is a mean over units; the second has 0 throughout."""
    parts = generator.normal(0, seed_sd, (n_seeds, 1)) + generator.normal(0, unit_sd, (1, n_units))
    rows = parts + generator.normal(0, both_sd, (n_seeds, n_units))
    counts = generator.multinomial(n_units, np.full(n_units, 1 / n_units), n_resamples)
    first = crossed.ArmScores(rows.mean(axis=1), counts @ rows.T / n_units)
    return first, crossed.ArmScores(0 * first.points, 0 * first.resampled)


@pytest.mark.parametrize("n_seeds", [3, 10])
@pytest.mark.parametrize(
    "sds", [(0.1, 1.0, 0.0), (0.1, 1.0, 1.0), (0.1, 0.3, 1.0), (0.0, 0.0, 1.0)]
)
def test_the_sum_of_both_parts_covers_whatever_varies(n_seeds, sds):
    """Four hundred intervals: the standard deviation of a share of .95 is .011.

    Where trainings disagree about single faces and nothing else varies, that is counted twice: a
    width of sqrt(1 + (t / z) ** 2), 1.53 with ten seeds, of the one that a known variance gives.
    """
    generator = np.random.default_rng(n_seeds)
    found = []
    for _ in range(400):
        scores = linear_scores(generator, *sds, n_seeds)
        found.append(crossed.crossed_interval(*scores, seed=0))
    low, high = np.transpose(found)
    assert np.mean((low < 0) & (high > 0)) > 0.95 - 3 * 0.011
    seed_sd, unit_sd, both_sd = sds
    error = np.sqrt((seed_sd**2 + both_sd**2 / 40) / n_seeds + unit_sd**2 / 40)
    if n_seeds == 10:
        assert np.mean(high - low) / (2 * 1.96 * error) < 1.6


def test_one_seed_is_units_alone_and_one_unit_seeds_alone():
    faces = random_faces(n_seeds=1)
    scores = crossed.arm_scores(faces, "accuracy", seed=0, n_resamples=300)
    of_units = statistics.interval((scores["a"].resampled - scores["b"].resampled)[:, 0])
    assert crossed.crossed_interval(scores["a"], scores["b"], seed=0) == of_units

    faces = random_faces(n_units=1, n_seeds=4)
    scores = crossed.arm_scores(faces, "accuracy", seed=0, n_resamples=300)
    differences = scores["a"].points - scores["b"].points
    of_seeds = statistics.interval(differences.mean() + crossed.seed_part(differences, 300, 0))
    found = crossed.crossed_interval(scores["a"], scores["b"], seed=0)
    assert found == pytest.approx(of_seeds)


def test_another_metric_is_refused():
    with pytest.raises(InputError, match="use accuracy, macro_f1_8way"):
        crossed.arm_scores(random_faces(), "f1", seed=0)
