"""Arms trained with the same seeds and judged on the same faces, resampled together.

Both the seeds and the faces of a bench are samples: another training run and another set of people
would move a score. Each resample draws seeds with replacement and, independently, units of faces
(twins of a picture, pictures of a person), the same draw for every arm. It adds what the drawn
units make of the mean of all seeds, and what the drawn seeds make of the mean on all faces. The
variance of a crossed mean has a part of either and one of both together (Owen 2007, "The pigeonhole
bootstrap", Annals of Applied Statistics 1(2)), so resampling seeds alone or rows alone understates
it. That trainings disagree about single faces is in both parts, so the sum is on the safe side;
scoring the drawn seeds on the drawn faces would count it a third time.

Seeds are few. A bootstrap of n of them knows (n - 1) / n of the variance and nothing of Student's
tails, and its intervals of nominally 95 % cover a normal mean in 49 % of cases with two seeds, 75 %
with three and 90 % with ten. The part of the seeds is therefore widened; see `widening`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from einops import rearrange, repeat
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.evaluation import metrics, statistics
from neurogaze.evaluation.face_sums import (
    BINS,
    CELLS,
    FaceRows,
    face_contributions,
    face_scores_of_sums,
)
from neurogaze.evaluation.side_by_side import Judged

Floats = NDArray[np.float64]

N_RESAMPLES = 2000
SEED_STREAM = 1
"""Keeps the draws of seeds apart from those of units, which take the bare seed."""

FREE_CELLS = np.arange(CELLS)
COLUMNS: dict[str, NDArray[np.int64]] = {
    "accuracy": FREE_CELLS,
    "macro_f1_8way": FREE_CELLS,
    "balanced_accuracy_8way": FREE_CELLS,
    "nll": np.append(FREE_CELLS, 2 * CELLS + BINS),
    "ece": np.append(FREE_CELLS, 2 * CELLS + np.arange(BINS)),
}
"""Score -> which of the sums of `face_contributions` it follows from."""


@dataclass(frozen=True, eq=False)
class ArmScores:
    """One score of one arm.

    Args:
        points: on all faces, `[seeds]`.
        resampled: on each draw of units, `[resamples, seeds]`; row r is the same draw for all arms.
    """

    points: Floats
    resampled: Floats


def arm_scores(
    faces: Judged,
    metric: str,
    seed: int,
    n_resamples: int = N_RESAMPLES,
    progress: bool = False,
) -> dict[str, ArmScores]:
    """One score of every arm and seed, on all faces and on each draw of units.

    A score follows from sums over faces, so all seeds and resamples of an arm are one product.

    Args:
        faces: what the arms said.
        metric: a key of `COLUMNS`.
        seed: of the resampling; the draws depend on it and on the units alone.
        n_resamples: number of draws.
        progress: show a bar.

    Raises:
        InputError: for another metric.
    """
    from rich.progress import track

    if metric not in COLUMNS:
        raise InputError("metric", f"{metric!r} is not known", f"use {', '.join(COLUMNS)}")
    return {
        arm: _scores_of_arm(faces, chances, metric, seed, n_resamples)
        for arm, chances in track(faces.chances.items(), "Resampling", disable=not progress)
    }


def _scores_of_arm(
    faces: Judged, chances: Floats, metric: str, seed: int, n_resamples: int
) -> ArmScores:
    present = metrics.present_classes(faces.truth)
    added = np.concatenate(
        [
            face_contributions(FaceRows(faces.truth, of_seed), present)[:, COLUMNS[metric]]
            for of_seed in chances
        ],
        axis=1,
    )
    drawn = statistics.bootstrap_sums(added, faces.units, seed, n_resamples)
    whole = added.sum(axis=0, keepdims=True)
    points, resampled = (_scores_of_sums(s, len(chances), metric, present) for s in (whole, drawn))
    return ArmScores(points[0], resampled)


def _scores_of_sums(sums: Floats, n_seeds: int, metric: str, present: NDArray[np.bool_]) -> Floats:
    """One score of each draw and seed, `[R, seeds]`, of `COLUMNS[metric]` sums of each seed."""
    held = rearrange(sums, "r (s k) -> (r s) k", s=n_seeds)
    full = np.zeros((len(held), 2 * CELLS + BINS + 2))
    full[:, COLUMNS[metric]] = held
    return rearrange(face_scores_of_sums(full, present)[metric], "(r s) -> r s", s=n_seeds)


def seed_shares(n_seeds: int, n_resamples: int, seed: int) -> Floats:
    """Weight of each seed in each resample, `[R, seeds]`; rows sum to 1.

    Args:
        n_seeds: drawn with replacement, as many as there are.
        n_resamples: number of draws.
        seed: of the resampling.
    """
    generator = np.random.default_rng([seed, SEED_STREAM])
    drawn = generator.integers(0, n_seeds, size=(n_resamples, n_seeds))
    rows = repeat(np.arange(n_resamples), "r -> r s", s=n_seeds)
    counts = np.zeros((n_resamples, n_seeds))
    np.add.at(counts, (rows, drawn), 1.0)
    return counts / n_seeds


def widening(n_seeds: int, level: float = statistics.LEVEL) -> float:
    """Factor by which deviations of a bootstrap mean of seeds fall short of Student's interval.

    `sqrt(n / (n - 1))` turns the variance of the n seeds into the unbiased one, and the ratio of
    quantiles gives the tails that a variance from n seeds asks for. Both are near 1 for many seeds.

    Args:
        n_seeds: two or more.
        level: of the interval.

    >>> [round(widening(n), 2) for n in (2, 3, 5, 10, 1000)]
    [9.17, 2.69, 1.58, 1.22, 1.0]
    """
    from scipy.stats import norm, t

    tail = (1 + level) / 2
    return float(np.sqrt(n_seeds / (n_seeds - 1)) * t.ppf(tail, n_seeds - 1) / norm.ppf(tail))


def seed_part(
    differences: Floats, n_resamples: int, seed: int, level: float = statistics.LEVEL
) -> Floats:
    """What each draw of seeds adds to the mean difference, widened, `[R]`; 0 with one seed.

    With two seeds only three means can be drawn, and a percentile interval of 95 % covers 93 %.

    Args:
        differences: one a seed, `[n]`.
        n_resamples: number of draws.
        seed: of the draws of seeds.
        level: of the interval that is taken of it.
    """
    if len(differences) == 1:
        return np.zeros(n_resamples)
    shares = seed_shares(len(differences), n_resamples, seed)
    return widening(len(differences), level) * (shares @ (differences - differences.mean()))


def crossed_interval(
    first: ArmScores, second: ArmScores, seed: int, level: float = statistics.LEVEL
) -> tuple[float, float]:
    """Percentile interval of the mean over seeds of first minus second, over seeds and units.

    With one seed it is that of the units, with one unit that of the seeds.

    Args:
        first: scores of an arm.
        second: of another, from the same call of `arm_scores`.
        seed: of the draws of seeds; the same for every pair of a bench.
        level: share of the bootstrap distribution inside the interval.
    """
    of_units = (first.resampled - second.resampled).mean(axis=1)
    of_seeds = seed_part(first.points - second.points, len(of_units), seed, level)
    return statistics.interval(of_units + of_seeds, level)
