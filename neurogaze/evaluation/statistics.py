"""Intervals by resampling whole groups: twins of a picture, windows of a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurogaze.errors import InputError

N_RESAMPLES = 1000
LEVEL = 0.95
BLOCK = 100
"""Resamples weighed at once, which bounds memory to BLOCK times the number of groups."""


def group_codes(n_rows: int, groups: ArrayLike | None) -> NDArray[np.int64]:
    """Number of the group of each row, `[n_rows]`, from 0 without gaps; None: each row alone.

    Raises:
        InputError: when there is not one group name a row.
    """
    if groups is None:
        return np.arange(n_rows, dtype=np.int64)
    names = np.asarray(groups)
    if names.shape != (n_rows,):
        found = f"{names.shape} group names for {n_rows} rows"
        raise InputError("bootstrap groups", found, "give one group name a row")
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _draws(n_groups: int, seed: int, n_resamples: int) -> Iterator[NDArray[np.int64]]:
    """Groups drawn with replacement, as many as there are, once a resample."""
    generator = np.random.default_rng(seed)
    for _ in range(n_resamples):
        yield generator.integers(0, n_groups, size=n_groups)


def interval(values: NDArray[np.floating], level: float = LEVEL) -> tuple[float, float]:
    """Percentile interval (low, high) of bootstrap values; Efron (1979)."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    n_rows: int,
    groups: ArrayLike | None,
    seed: int,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
) -> tuple[float, float]:
    """Percentile interval of any statistic of rows, resampling whole groups.

    Args:
        statistic: takes row numbers `int64 [M]` (repeated where a group was drawn twice).
        n_rows: number of rows.
        groups: group name of each row, or None when rows are independent.
        seed: of the resampling.
        n_resamples: number of resamples.
        level: share of the bootstrap distribution inside the interval.

    Raises:
        InputError: when there is not one group name a row.
    """
    codes = group_codes(n_rows, groups)
    order = np.argsort(codes, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    values = [
        statistic(np.concatenate([members[code] for code in draw]))
        for draw in _draws(len(members), seed, n_resamples)
    ]
    return interval(np.asarray(values), level)


def bootstrap_weights(
    n_rows: int, groups: ArrayLike | None, seed: int, n_resamples: int = N_RESAMPLES
) -> Iterator[NDArray[np.int64]]:
    """How often each row is in each resample, for statistics that depend on the order of rows.

    The draws are those of `bootstrap_interval` with the same seed.

    Args:
        n_rows: number of rows.
        groups: group name of each row, or None.
        seed: of the resampling.
        n_resamples: number of resamples.

    Yields:
        `[at most BLOCK, n_rows]`.
    """
    codes = group_codes(n_rows, groups)
    n_groups = int(codes.max()) + 1
    block = []
    for number, draw in enumerate(_draws(n_groups, seed, n_resamples), start=1):
        block.append(np.bincount(draw, minlength=n_groups))
        if len(block) == BLOCK or number == n_resamples:
            yield np.asarray(block, np.int64)[:, codes]
            block = []


def bootstrap_sums(
    contributions: NDArray[np.floating],
    groups: ArrayLike | None,
    seed: int,
    n_resamples: int = N_RESAMPLES,
) -> NDArray[np.float64]:
    """Column sums of every resample, for statistics that depend on rows through sums only.

    A confusion matrix is such a sum, so a thousand of them cost one matrix product. The draws are
    those of `bootstrap_interval` with the same seed.

    Args:
        contributions: what each row adds, `[N, S]`.
        groups: group name of each row, or None.
        seed: of the resampling.
        n_resamples: number of resamples.

    Returns:
        `float64 [n_resamples, S]`.
    """
    codes = group_codes(len(contributions), groups)
    n_groups = int(codes.max()) + 1
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(n_groups))
    by_group = np.add.reduceat(np.asarray(contributions, np.float64)[order], starts, axis=0)
    weights = (np.bincount(d, minlength=n_groups) for d in _draws(n_groups, seed, n_resamples))
    sums, block = [], []
    for weight in weights:
        block.append(weight)
        if len(block) == BLOCK:
            sums.append(np.asarray(block, np.float64) @ by_group)
            block = []
    if block:
        sums.append(np.asarray(block, np.float64) @ by_group)
    return np.concatenate(sums)
