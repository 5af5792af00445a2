"""How well stated confidence agrees with being right: ECE, NLL, Brier score, reliability curve.

Pure NumPy, because training tasks import it through `neurogaze.evaluation.metrics`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_BINS = 15
"""Equal-width confidence bins of the expected calibration error, as Guo et al. (2017) use."""

PROBABILITY_FLOOR = 1e-12
"""Smallest probability whose logarithm is taken, so that one certain mistake stays finite."""


class Reliability(NamedTuple):
    """A reliability curve: what was claimed and what came true, one entry a confidence bin.

    Attributes:
        bins: edges `[B + 1]`, from 0 to 1; a bin is (low, high].
        confidence: mean largest probability of the rows in the bin, `[B]`, NaN where empty.
        accuracy: share of the rows in the bin that were right, `[B]`, NaN where empty.
        counts: rows in the bin, `int64 [B]`.
    """

    bins: NDArray[np.float64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    counts: NDArray[np.int64]


def confidence_bins(confidence: NDArray[np.floating], n_bins: int = N_BINS) -> NDArray[np.int64]:
    """Bin of each confidence; bins are (low, high], and 0 belongs to the first.

    >>> confidence_bins(np.array([0.0, 0.5, 0.51, 1.0]), n_bins=2).tolist()
    [0, 0, 1, 1]
    """
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, n_bins - 1)


def reliability_curve(
    truth: NDArray[np.integer], probabilities: NDArray[np.floating], n_bins: int = N_BINS
) -> Reliability:
    """Confidence against accuracy, in equal-width bins of the largest probability.

    Args:
        truth: class of each row, `[N]`.
        probabilities: `[N, classes]`, rows sum to 1.
        n_bins: number of bins.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    which = confidence_bins(confidence, n_bins)
    count = np.bincount(which, minlength=n_bins)
    share = np.where(count > 0, count, np.nan)
    return Reliability(
        bins=np.linspace(0.0, 1.0, n_bins + 1),
        confidence=np.bincount(which, weights=confidence, minlength=n_bins) / share,
        accuracy=np.bincount(which, weights=correct, minlength=n_bins) / share,
        counts=count.astype(np.int64),
    )


def confidence_gap(
    confidence: NDArray[np.floating], reached: NDArray[np.floating], n_bins: int = N_BINS
) -> float:
    """Mean gap between what was claimed and what was reached, over bins weighted by their rows.

    Args:
        confidence: largest probability of each row, `[N]`.
        reached: 1 where the row was right and 0 where not, or a share between, `[N]`.
        n_bins: equal-width bins of the confidence.

    >>> round(confidence_gap(np.array([0.9, 0.9]), np.array([1.0, 0.0])), 3)
    0.4
    """
    which = confidence_bins(confidence, n_bins)
    gaps = np.bincount(which, weights=reached - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(confidence))


def expected_calibration_error(
    truth: NDArray[np.integer], probabilities: NDArray[np.floating], n_bins: int = N_BINS
) -> float:
    """Mean gap between confidence and accuracy over the bins, weighted by their rows.

    Equation 3 of Guo et al. (2017), "On Calibration of Modern Neural Networks".
    """
    correct = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    return confidence_gap(probabilities.max(axis=1).astype(np.float64), correct, n_bins)


def row_nll(truth: NDArray[np.integer], probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Negative log-likelihood of the true class of each row, nats, `[N]`."""
    of_truth = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return -np.log(np.clip(of_truth, PROBABILITY_FLOOR, 1.0))


def row_brier(
    truth: NDArray[np.integer], probabilities: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Squared distance of each row to the one-hot truth, summed over classes, in [0, 2], `[N]`.

    The original multi-class score of Brier (1950); half of it is used elsewhere.
    """
    one_hot = np.eye(probabilities.shape[1])[truth]
    return np.asarray(((probabilities - one_hot) ** 2).sum(axis=1), dtype=np.float64)


def negative_log_likelihood(
    truth: NDArray[np.integer], probabilities: NDArray[np.floating]
) -> float:
    """Mean negative log-likelihood, nats.

    >>> round(negative_log_likelihood(np.array([0]), np.array([[0.5, 0.5]])), 4)
    0.6931
    """
    return float(row_nll(truth, probabilities).mean())


def brier_score(truth: NDArray[np.integer], probabilities: NDArray[np.floating]) -> float:
    """Mean multi-class Brier score, in [0, 2].

    >>> brier_score(np.array([0]), np.array([[0.5, 0.5]]))
    0.5
    """
    return float(row_brier(truth, probabilities).mean())
