"""From votes to labels: the rules of FER+.

Votes are counts by ten raters over eight emotions, "unknown" and "NF" (not a face), in the column
order of FER+ (Barsoum, Zhang, Canton Ferrer and Zhang, ICMI 2016). All functions are vectorised.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError

VOTE_COLUMNS = (*EMOTIONS, "unknown", "NF")
"""Columns of a vote table: the eight emotions, then what is no emotion."""

DROPPED = -1
"""Label of a row that a rule leaves out."""


def _checked(votes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Votes as `int64 [N, 10]`.

    Raises:
        InputError: for another shape, or a negative count.
    """
    counts = np.asarray(votes, dtype=np.int64)
    if counts.ndim != 2 or counts.shape[1] != len(VOTE_COLUMNS):
        raise InputError(
            "votes", f"shape {counts.shape} is not [N, 10]", f"give the columns {VOTE_COLUMNS}"
        )
    if (counts < 0).any():
        raise InputError("votes", f"holds {counts.min()}", "give counts of zero or more")
    return counts


def without_single_votes(votes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Set every count of one to zero: a lone rater is taken for a slip.

    >>> without_single_votes(np.array([[4, 0, 0, 1, 3, 2, 0, 0, 0, 0]]))[0].tolist()
    [4, 0, 0, 0, 3, 2, 0, 0, 0, 0]
    """
    counts = _checked(votes)
    return np.where(counts > 1, counts, 0)


def majority_label(votes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Label by absolute majority, as the authors of FER+ do it.

    Single votes are zeroed; the winner over all ten columns must hold more than half of the votes
    that remain; a winning "unknown" or "NF" drops the row.

    Args:
        votes: counts, `[N, 10]`.

    Returns:
        `int64 [N]`, index into `EMOTIONS`, or -1 where the row is dropped.

    >>> majority_label(np.array([[4, 0, 0, 1, 3, 2, 0, 0, 0, 0], [6, 0, 1, 1, 0, 0, 0, 0, 2, 0]]))
    array([-1,  0])
    """
    kept = without_single_votes(votes)
    winner = kept.argmax(axis=1)
    holds_majority = 2 * kept.max(axis=1) > kept.sum(axis=1)
    return np.where(holds_majority & (winner < len(EMOTIONS)), winner, DROPPED).astype(np.int64)


def plurality8_label(votes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Label by most votes among the eight emotions; the earlier column wins a tie.

    Args:
        votes: counts, `[N, 10]`.

    Returns:
        `int64 [N]`, index into `EMOTIONS`, or -1 where no emotion has a vote.

    >>> plurality8_label(np.array([[0, 0, 0, 2, 2, 0, 0, 0, 6, 0], [0] * 9 + [10]]))
    array([ 3, -1])
    """
    emotions = _checked(votes)[:, : len(EMOTIONS)]
    label = np.where(emotions.sum(axis=1) > 0, emotions.argmax(axis=1), DROPPED)
    return label.astype(np.int64)


def vote_distribution(votes: NDArray[np.integer]) -> NDArray[np.float32]:
    """Share of the votes that each emotion holds, without "unknown", "NF" and single votes.

    Where only single votes fell on emotions they are kept; where none fell on an emotion at all
    the row is uniform.

    Args:
        votes: counts, `[N, 10]`.

    Returns:
        `float32 [N, 8]`, rows sum to 1.

    >>> vote_distribution(np.array([[6, 0, 1, 2, 0, 0, 0, 0, 1, 0]]))[0].tolist()
    [0.75, 0.0, 0.0, 0.25, 0.0, 0.0, 0.0, 0.0]
    """
    kept = without_single_votes(votes)[:, : len(EMOTIONS)]
    raw = _checked(votes)[:, : len(EMOTIONS)]
    counts = np.where(kept.sum(axis=1, keepdims=True) > 0, kept, raw)
    counts = np.where(counts.sum(axis=1, keepdims=True) > 0, counts, 1)
    return (counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
