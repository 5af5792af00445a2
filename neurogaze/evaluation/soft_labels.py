"""Probabilities against the votes of people, rather than against one label.

Votes are shares, as `FaceTable.votes` holds them. A network that repeats them exactly has
`vote_jsd` and `ece_votes` 0, and `soft_nll` the mean entropy of the votes; its ECE against majority
labels is then far from 0. Pure NumPy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.evaluation import calibration

Floats = NDArray[np.float64]


def vote_share(votes: NDArray[np.floating], probabilities: NDArray[np.floating]) -> Floats:
    """Share of the votes that the predicted class of each row holds, `[N]`."""
    predicted = probabilities.argmax(axis=1)
    return np.asarray(votes, np.float64)[np.arange(len(predicted)), predicted]


def row_soft_nll(votes: NDArray[np.floating], probabilities: NDArray[np.floating]) -> Floats:
    """Cross-entropy of the probabilities under the votes, nats, `[N]`."""
    chances = np.clip(np.asarray(probabilities, np.float64), calibration.PROBABILITY_FLOOR, 1.0)
    return np.asarray(-(votes * np.log(chances)).sum(axis=1))


def row_jsd(votes: NDArray[np.floating], probabilities: NDArray[np.floating]) -> Floats:
    """Jensen-Shannon divergence of votes and probabilities, nats, in [0, ln 2], `[N]`.

    Lin (1991), "Divergence measures based on the Shannon entropy", with equal weights. Its root is
    the metric that SciPy calls `jensenshannon`.

    >>> row_jsd(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).round(4).tolist()
    [0.6931]
    """
    ours, theirs = np.asarray(probabilities, np.float64), np.asarray(votes, np.float64)
    both = _from_middle(ours, theirs) + _from_middle(theirs, ours)
    return np.clip(both / 2, 0.0, np.log(2.0))


def _from_middle(p: Floats, q: Floats) -> Floats:
    """Kullback-Leibler divergence of each row of p from the middle of both, nats.

    The middle itself is not formed: half of the smallest number is 0.
    """
    ratio = np.divide(2 * p, p + q, out=np.ones_like(p), where=p > 0)
    return np.asarray((p * np.log(ratio)).sum(axis=1))


def vote_scores(
    votes: NDArray[np.floating], probabilities: NDArray[np.floating]
) -> dict[str, float]:
    """Every score against votes.

    Args:
        votes: share of each class, `[N, C]`, rows sum to 1.
        probabilities: likewise.

    Returns:
        `ece_votes`, the mean gap over 15 confidence bins between confidence and the vote share of
        the predicted class; `vote_jsd`, mean Jensen-Shannon divergence, nats; `soft_nll`, mean
        cross-entropy, nats.

    Raises:
        InputError: for no rows, or shapes that differ.
    """
    if votes.shape != probabilities.shape or len(votes) == 0:
        found = f"{votes.shape} against probabilities {probabilities.shape}"
        raise InputError("votes", found, "give one row of votes for each row")
    confidence = probabilities.max(axis=1)
    reached = vote_share(votes, probabilities)
    return {
        "ece_votes": calibration.confidence_gap(confidence, reached),
        "vote_jsd": float(row_jsd(votes, probabilities).mean()),
        "soft_nll": float(row_soft_nll(votes, probabilities).mean()),
    }
