"""Calibration against torchmetrics, scikit-learn and hand numbers."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torchmetrics.classification import MulticlassCalibrationError

from neurogaze.evaluation import calibration


def random_case(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.integers(0, 8, n), generator.dirichlet(np.full(8, 0.4), n)


@pytest.mark.parametrize("seed", range(3))
def test_ece_equals_torchmetrics(seed):
    truth, chances = random_case(seed)
    reference = MulticlassCalibrationError(num_classes=8, n_bins=15, norm="l1")
    expected = reference(torch.tensor(chances), torch.tensor(truth)).item()
    assert calibration.expected_calibration_error(truth, chances) == pytest.approx(
        expected, abs=1e-6
    )


def test_nll_equals_scikit_learn():
    truth, chances = random_case(7)
    expected = log_loss(truth, chances, labels=range(8))
    assert calibration.negative_log_likelihood(truth, chances) == pytest.approx(expected)


def test_nll_of_a_certain_mistake_is_finite():
    value = calibration.negative_log_likelihood(np.array([1]), np.array([[1.0, 0.0]]))
    assert value == pytest.approx(12 * np.log(10))


def test_brier_by_hand():
    chances = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]])
    assert calibration.brier_score(np.array([0, 0]), chances) == pytest.approx((0.14 + 2.0) / 2)


def test_ece_by_hand():
    # Two rows at .9 (one right), two rows at .6 (both right): gaps .4 and .4.
    chances = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    truth = np.array([0, 1, 0, 1])
    assert calibration.expected_calibration_error(truth, chances) == pytest.approx(0.4)


def test_reliability_curve_by_hand():
    chances = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]])
    curve = calibration.reliability_curve(np.array([0, 1, 0]), chances, n_bins=5)
    assert curve.counts.tolist() == [0, 0, 1, 0, 2]
    assert curve.accuracy[[2, 4]].tolist() == [1.0, 0.5]
    assert curve.confidence[[2, 4]].tolist() == pytest.approx([0.6, 0.9])
    assert np.isnan(curve.accuracy[[0, 1, 3]]).all()
