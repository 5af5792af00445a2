"""Accuracy under corruption in one number, with intervals over units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from einops import rearrange, reduce
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.evaluation.scoring import Score, group_interval
from neurogaze.evaluation.statistics import bootstrap_sums

ALL = "all"
"""The mean over all corruptions, beside each of them by name."""

Floats = NDArray[np.float64]
Means = dict[tuple[str, str], Floats]


def means_over_severities(
    accuracy: Floats, corruptions: Sequence[str], baseline: Floats | None = None
) -> Means:
    """Scores over severities and over corruptions, of many resamples at once.

    Args:
        accuracy: share of right answers `[R, 1 + corruptions * severities]`: clean pictures, then
            the severities of the first corruption, then those of the next.
        corruptions: their names.
        baseline: the same of another student.

    Returns:
        By (corruption or "all", metric), each `[R]`: `mean_corruption_accuracy`; `relative_drop`,
        the share of the clean accuracy that is lost; and with a baseline `mean_corruption_error`,
        the errors summed over severities over those of the baseline, for "all" averaged over
        corruptions (Hendrycks and Dietterich 2019, arXiv 1903.12261, section 4.2; as a share, not
        in per cent). A quotient by 0 is infinite or NaN.
    """
    clean, kept = accuracy[:, 0], _over_severities(accuracy, len(corruptions))
    columns = dict(zip(corruptions, rearrange(kept, "r c -> c r"), strict=True))
    columns[ALL] = kept.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = {(name, "mean_corruption_accuracy"): column for name, column in columns.items()}
        scores |= {(n, "relative_drop"): (clean - column) / clean for n, column in columns.items()}
        if baseline is not None:
            ratio = (1 - kept) / (1 - _over_severities(baseline, len(corruptions)))
            metric = "mean_corruption_error"
            scores |= {(name, metric): ratio[:, i] for i, name in enumerate(corruptions)}
            scores[ALL, metric] = ratio.mean(axis=1)
    return scores


def _over_severities(accuracy: Floats, n_corruptions: int) -> Floats:
    """Mean over the severities of each corruption, `[R, corruptions]`."""
    return reduce(accuracy[:, 1:], "r (c s) -> r c", "mean", c=n_corruptions)


def stress_scores(
    right: NDArray[np.bool_],
    corruptions: Sequence[str],
    units: NDArray[np.str_],
    seed: int,
    baseline: NDArray[np.bool_] | None = None,
) -> dict[tuple[str, str], Score]:
    """`means_over_severities` of one set of pictures, with intervals over units.

    A score that some resample leaves without a value has no interval.

    Args:
        right: whether a row was answered rightly `[N, 1 + corruptions * severities]`.
        corruptions: their names.
        units: rows that share a name are resampled together, `[N]`.
        seed: of the resampling.
        baseline: as `right`, of another student.

    Raises:
        InputError: where a score has no value: nothing right on clean pictures, or a baseline that
            makes no error.
    """
    parts = [right] if baseline is None else [right, baseline]
    counts = np.concatenate([np.ones((len(right), 1)), *parts], axis=1)

    def scores(sums: Floats) -> Means:
        own, *other = np.split(sums[:, 1:] / sums[:, :1], len(parts), axis=1)
        return means_over_severities(own, corruptions, *other)

    points, spread = scores(counts.sum(axis=0)[None]), scores(bootstrap_sums(counts, units, seed))
    found: dict[tuple[str, str], Score] = {}
    for (name, metric), value in points.items():
        if not np.isfinite(value[0]):
            where = f"{metric} ({name})"
            raise InputError(where, "divides by 0", "use more pictures or another baseline")
        values = spread[name, metric]
        band = group_interval(values, units) if np.isfinite(values).all() else (None, None)
        found[name, metric] = Score(float(value[0]), *band, len(right))
    return found
