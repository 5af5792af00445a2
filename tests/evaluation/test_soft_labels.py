"""Scores against votes: SciPy, hand numbers, and what a perfect mimic of people must get."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from neurogaze.errors import InputError
from neurogaze.evaluation import calibration, soft_labels


def random_case(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    votes = generator.multinomial(10, generator.dirichlet(np.full(8, 0.3), n)) / 10
    return votes, generator.dirichlet(np.full(8, 0.4), n)


@pytest.mark.parametrize("seed", range(3))
def test_divergence_is_the_square_of_scipys_distance(seed):
    votes, chances = random_case(seed)
    expected = jensenshannon(votes, chances, axis=1) ** 2  # base e
    np.testing.assert_allclose(soft_labels.row_jsd(votes, chances), expected, atol=1e-12)
    swapped = soft_labels.row_jsd(chances, votes)
    np.testing.assert_allclose(swapped, expected, atol=1e-12)


def test_divergence_ends_at_ln_2():
    votes, chances = np.eye(8)[[0, 3]], np.eye(8)[[0, 4]]
    assert soft_labels.row_jsd(votes, chances).tolist() == pytest.approx([0.0, np.log(2)])


def test_soft_nll_is_the_cross_entropy():
    votes, chances = random_case(4)
    expected = entropy(votes, axis=1) + entropy(votes, chances, axis=1)
    np.testing.assert_allclose(soft_labels.row_soft_nll(votes, chances), expected, rtol=1e-9)


def test_who_repeats_the_votes_is_calibrated_to_them_and_not_to_the_majority():
    votes, _ = random_case(5)
    scores = soft_labels.vote_scores(votes, votes)
    assert scores["ece_votes"] == pytest.approx(0, abs=1e-12)
    assert scores["vote_jsd"] == pytest.approx(0, abs=1e-12)
    assert scores["soft_nll"] == pytest.approx(entropy(votes, axis=1).mean())
    majority = votes.argmax(axis=1)
    doubt = 1 - votes.max(axis=1).mean()
    ece = calibration.expected_calibration_error(majority, votes)
    assert ece == pytest.approx(doubt)
    assert ece > 0.1


def test_votes_that_agree_are_labels():
    truth = np.random.default_rng(6).integers(0, 8, 200)
    _, chances = random_case(6, 200)
    scores = soft_labels.vote_scores(np.eye(8)[truth], chances)
    expected = calibration.expected_calibration_error(truth, chances)
    assert scores["ece_votes"] == pytest.approx(expected)
    expected = calibration.negative_log_likelihood(truth, chances)
    assert scores["soft_nll"] == pytest.approx(expected)


def test_ece_votes_by_hand():
    # Confidence .8 twice; the class named holds .6 and .4 of the votes: gap .3.
    chances = np.array([[0.8, 0.2], [0.2, 0.8]])
    votes = np.array([[0.6, 0.4], [0.6, 0.4]])
    assert soft_labels.vote_scores(votes, chances)["ece_votes"] == pytest.approx(0.3)


def test_shapes_that_differ_are_refused():
    with pytest.raises(InputError, match="one row of votes"):
        soft_labels.vote_scores(np.ones((2, 8)) / 8, np.ones((3, 8)) / 8)


def test_the_smallest_probability_is_no_end_of_the_divergence():
    """Half of it is 0; what has all but none of the mass counts for nothing."""
    smallest = np.finfo(np.float64).smallest_subnormal
    votes = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [smallest, 1.0]])
    chances = np.array([[1.0, smallest], [smallest, 1.0], [1.0, smallest], [1.0, smallest]])
    for found in (soft_labels.row_jsd(votes, chances), soft_labels.row_jsd(chances, votes)):
        np.testing.assert_allclose(found, [0, np.log(2), np.log(2), np.log(2)], atol=1e-15)


def test_divergence_of_rows_that_share_nothing_is_never_above_ln_2():
    draw = np.random.default_rng(7)
    votes, chances = np.zeros((2, 400, 8))
    votes[:, :4] = draw.dirichlet(np.ones(4), 400)
    chances[:, 4:] = draw.dirichlet(np.ones(4), 400)
    found = soft_labels.row_jsd(votes, chances)
    assert found.max() <= np.log(2)
    np.testing.assert_allclose(found, np.log(2), rtol=1e-15)
