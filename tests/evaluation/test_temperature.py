"""Temperature: a known one is found again, at the exact minimum of the objective named."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from neurogaze.errors import InputError
from neurogaze.evaluation import soft_labels
from neurogaze.evaluation.calibration import expected_calibration_error, negative_log_likelihood
from neurogaze.evaluation.temperature import fit_temperature


def calibrated_case(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax is the chance of each label, and labels drawn so."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 1.5, (n, 8))
    upto = softmax(logits, axis=1).cumsum(axis=1)
    return logits, (upto > generator.random((n, 1))).argmax(axis=1)


@pytest.mark.parametrize("known", [0.5, 1.0, 2.5])
def test_a_known_temperature_is_recovered_from_labels(known):
    logits, truth = calibrated_case(20000)
    fit = fit_temperature(logits * known, truth, "nll")
    assert fit.temperature == pytest.approx(known, rel=0.03)
    assert (fit.objective, fit.n) == ("nll", 20000)


def test_dividing_by_it_calibrates():
    logits, truth = calibrated_case(5000)
    sharp = logits * 3
    fit = fit_temperature(sharp, truth)
    before, after = softmax(sharp, axis=1), softmax(sharp / fit.temperature, axis=1)
    assert fit.before == pytest.approx(negative_log_likelihood(truth, before), rel=1e-6)
    assert fit.after == pytest.approx(negative_log_likelihood(truth, after), rel=1e-6)
    assert expected_calibration_error(truth, before) > 0.2
    assert expected_calibration_error(truth, after) < 0.03


@pytest.mark.parametrize("known", [0.4, 1.7])
def test_votes_that_are_tempered_probabilities_give_their_temperature_exactly(known):
    logits = np.random.default_rng(1).normal(0, 2, (400, 8))
    fit = fit_temperature(logits, softmax(logits / known, axis=1), "vote_jsd")
    assert fit.temperature == pytest.approx(known, rel=1e-4)
    assert fit.after == pytest.approx(0, abs=1e-8)


def test_the_derivative_vanishes_at_the_minimum():
    """For NLL: the mean logit of the label equals the mean expected logit."""
    logits, truth = calibrated_case(500, seed=2)
    fit = fit_temperature(logits, truth)
    expected = (softmax(logits / fit.temperature, axis=1) * logits).sum(axis=1).mean()
    assert logits[np.arange(500), truth].mean() == pytest.approx(expected, abs=1e-5)


def test_nll_is_convex_in_the_inverse_temperature():
    logits, truth = calibrated_case(300, seed=3)
    rows = np.arange(300)
    inverse = np.linspace(0.05, 5, 60)
    values = [-log_softmax(b * logits, axis=1)[rows, truth].mean() for b in inverse]
    assert (np.diff(values, 2) > 0).all()
    best = inverse[int(np.argmin(values))]
    assert 1 / fit_temperature(logits, truth).temperature == pytest.approx(best, abs=0.09)


def test_the_objectives_disagree_where_people_do():
    """Labels drawn from probabilities, votes twice as flat: the votes ask for a higher T."""
    logits, truth = calibrated_case(4000, seed=4)
    votes = softmax(logits / 2, axis=1)
    by_label = fit_temperature(logits, truth, "nll")
    by_votes = fit_temperature(logits, votes, "vote_jsd")
    assert by_label.temperature < 1.2 < 1.9 < by_votes.temperature
    assert by_votes.before == pytest.approx(
        soft_labels.row_jsd(votes, softmax(logits, axis=1)).mean()
    )


def test_rows_that_are_all_right_have_no_temperature():
    truth = np.arange(8)
    with pytest.raises(InputError, match="not trained on"):
        fit_temperature(np.eye(8)[truth], truth)


@pytest.mark.parametrize(
    ("target", "objective"),
    [(np.zeros((4, 8)), "nll"), (np.zeros(4, int), "vote_jsd"), (np.zeros(4, int), "ece")],
)
def test_a_target_that_does_not_fit_is_refused(target, objective):
    with pytest.raises(InputError, match=objective):
        fit_temperature(np.zeros((4, 8)), target, objective)


@pytest.mark.parametrize(
    ("label", "match"),
    [(-1, r"class -1 is not in 0\.\.7"), (8, r"class 8 is not in 0\.\.7"), (1.0, "float64")],
)
def test_a_label_that_is_no_class_is_refused(label, match):
    """A row that was dropped has the label -1, and is no row of the last class."""
    logits, truth = calibrated_case(200)
    spoiled = truth.astype(np.result_type(truth, np.asarray(label)))
    spoiled[5] = label
    with pytest.raises(InputError, match=match):
        fit_temperature(logits, spoiled)
