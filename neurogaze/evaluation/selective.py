"""Answering less and erring less: risk against coverage when doubtful faces get no label.

A face is answered where the largest probability reaches a threshold. Coverage is the share that is
answered, risk the share of errors among those (El-Yaniv and Wiener 2010; Geifman and El-Yaniv 2017,
arXiv 1705.08500).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.evaluation.statistics import bootstrap_weights

Floats = NDArray[np.float64]


class RiskCoverage(NamedTuple):
    """A risk-coverage curve, one entry a different confidence, the highest first.

    Attributes:
        threshold: faces at least that confident are answered, `[B]`.
        coverage: share answered, `[B]`.
        risk: share of errors among the answered, `[B]`.
    """

    threshold: Floats
    coverage: Floats
    risk: Floats


class _Blocks(NamedTuple):
    """Rows by confidence, the highest first; equal ones are answered together or not at all."""

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    threshold: Floats


def _blocks(confidence: NDArray[np.floating], correct: NDArray[Any]) -> _Blocks:
    """Order rows by confidence.

    Raises:
        InputError: for no rows, other shapes, or confidence outside 0..1.
    """
    sure: Floats = np.asarray(confidence, np.float64)
    fits = sure.ndim == 1 and sure.shape == np.shape(correct) and len(sure) > 0
    if not fits or not ((sure >= 0) & (sure <= 1)).all():
        found = f"{sure.shape} values for {np.shape(correct)} rows, or values outside 0..1"
        raise InputError("confidence", found, "give the largest probability of each row")
    order = np.argsort(-sure, kind="stable")
    ordered = sure[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=math.inf))
    return _Blocks(order, starts, ordered[starts])


def risk_coverage(confidence: NDArray[np.floating], correct: NDArray[Any]) -> RiskCoverage:
    """Risk and coverage at every threshold that makes a difference.

    Args:
        confidence: largest probability of each row, `[N]`.
        correct: whether the row is right, `[N]`.

    Raises:
        InputError: for no rows, other shapes, or confidence outside 0..1.

    >>> curve = risk_coverage(np.array([0.9, 0.8, 0.8]), np.array([True, True, False]))
    >>> curve.coverage.round(2).tolist(), curve.risk.round(2).tolist()
    ([0.33, 1.0], [0.0, 0.33])
    """
    blocks = _blocks(confidence, correct)
    wrong = ~np.asarray(correct, bool)[blocks.order]
    answered = np.append(blocks.starts[1:], len(wrong))
    errors = np.cumsum(wrong)[answered - 1]
    return RiskCoverage(blocks.threshold, answered / len(wrong), errors / answered)


def ideal_area(n_wrong: NDArray[np.integer], n: NDArray[np.integer]) -> Floats:
    """The least area under a risk-coverage curve with so many errors: all of them come last.

    With error rate r and many rows it is r + (1 - r) ln(1 - r) (Geifman, Uziel and El-Yaniv 2019,
    arXiv 1805.08206, equation 2); here it is exact for any number of rows.

    Args:
        n_wrong: errors.
        n: rows.
    """
    harmonic = _harmonic(int(np.max(n)))
    right = np.asarray(n) - n_wrong
    return (n_wrong - right * (harmonic[n] - harmonic[right])) / n


def _harmonic(n: int) -> Floats:
    """Harmonic numbers 0 to n, `[n + 1]`."""
    return np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, n + 1))])


def _areas(size: NDArray[np.int64], wrong: NDArray[np.int64]) -> dict[str, Floats]:
    """AURC and its excess from rows and errors in each block, `[R, B]` to `[R]` each.

    Rows of one block come in any order, and the mean over all orders is taken: with `E` errors and
    `C` rows before a block of `N` rows and error rate `r`, they add
    `sum_j (E + r j) / (C + j) = r N + (E - r C) (H(C + N) - H(C))`.
    """
    after = np.cumsum(size, axis=1)
    before, errors = after - size, np.cumsum(wrong, axis=1) - wrong
    rate = np.divide(wrong, size, out=np.zeros(size.shape), where=size > 0)
    n = after[:, -1]
    harmonic = _harmonic(int(n.max()))
    added = rate * size + (errors - rate * before) * (harmonic[after] - harmonic[before])
    area = added.sum(axis=1) / n
    return {"aurc": area, "e_aurc": area - ideal_area(wrong.sum(axis=1), n)}


def selective_scores(confidence: NDArray[np.floating], correct: NDArray[Any]) -> dict[str, float]:
    """Area under the risk-coverage curve, and what it has beyond the ideal order.

    Args:
        confidence: largest probability of each row, `[N]`.
        correct: whether the row is right, `[N]`.

    Returns:
        `aurc`: mean risk over coverages 1/N, 2/N, ..., 1; `e_aurc`: what is left of it when the
        area of an order that puts every error last is taken off. 0 is best for either.
    """
    blocks = _blocks(confidence, correct)
    wrong = ~np.asarray(correct, bool)[blocks.order]
    size, errors = (
        np.add.reduceat(x, blocks.starts)[None]
        for x in (np.ones(len(wrong), np.int64), wrong.astype(np.int64))
    )
    return {name: float(value[0]) for name, value in _areas(size, errors).items()}


def selective_spread(
    confidence: NDArray[np.floating],
    correct: NDArray[Any],
    groups: NDArray[Any] | None,
    seed: int,
) -> dict[str, Floats]:
    """The scores of `selective_scores` in every resample of groups, `[R]` each."""
    blocks = _blocks(confidence, correct)
    wrong = ~np.asarray(correct, bool)[blocks.order]
    parts: dict[str, list[Floats]] = {"aurc": [], "e_aurc": []}
    for weights in bootstrap_weights(len(wrong), groups, seed):
        ordered = weights[:, blocks.order]
        size = np.add.reduceat(ordered, blocks.starts, axis=1)
        errors = np.add.reduceat(ordered * wrong, blocks.starts, axis=1)
        for name, values in _areas(size, errors).items():
            parts[name].append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}
