"""Would other people have given the same grid? Prototypes under resampling of people, by size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.prototypes.alignment import cross_fold_cosine
from neurogaze.prototypes.cells import group_sums, people, prototypes_of
from neurogaze.prototypes.placed import Placed
from neurogaze.prototypes.vectors import effective_rank, mean_cosine

SIZES = (3, 5, 7, 9)
"""Grids that are compared, cells on one axis."""

N_RESAMPLES = 200
LEVEL = 0.95
ENOUGH_PEOPLE = 3
"""People from whom on a cell says something beyond one or two of them."""

LEAST_PEOPLE = 2
"""Drawing one person again gives the same prototype: that is no evidence of stability."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stability:
    """Cosine of each resampled prototype with that of the grid; NaN where it cannot be told.

    That is so in cells without anybody, or with one person only.

    Args:
        cosine: `[K]`, mean over resamples.
        low: `[K]`, lower end of the 95 % percentile interval.
        high: `[K]`, upper end.
    """

    cosine: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class SizeSummary:
    """One size of grid, before cells are merged.

    Args:
        size: cells on one axis.
        cells: cells of the grid.
        observed: cells that are not empty.
        with_three: cells with at least three people.
        count_min: fewest windows in a cell that is not empty.
        count_median: median of windows over those cells.
        effective_rank: of the Gram matrix.
        mean_cosine: between different prototypes.
        bootstrap_cosine: mean over the cells with at least two people; None without any.
        cross_fold_cosine: mean over the cells that two folds share; None without any.
    """

    size: int
    cells: int
    observed: int
    with_three: int
    count_min: int
    count_median: float
    effective_rank: float
    mean_cosine: float
    bootstrap_cosine: float | None
    cross_fold_cosine: float | None


def resampled_people(n_people: int, n_resamples: int, seed: int) -> NDArray[np.int64]:
    """How often each person is drawn, `[n_resamples, n_people]`; rows sum to `n_people`."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(n_people, np.full(n_people, 1.0 / n_people), size=n_resamples)


def drawn_again(placed: Placed, seed: int) -> tuple[Placed, dict[str, int]]:
    """The same recordings with their people drawn with replacement, as many as there are.

    Embeddings, their alignment and their places stay as they are, as in `bootstrap_stability`. All
    windows of a person who is drawn twice count twice; who is not drawn is left out.

    Args:
        placed: embeddings with their places.
        seed: of the draw.

    Returns:
        The drawn rows, and how often each person was drawn.
    """
    names, person = np.unique(placed.subject, return_inverse=True)
    times = resampled_people(len(names), 1, seed)[0]
    rows = np.repeat(np.arange(len(person)), times[person])
    columns = ("unit", "va", "subject", "corpus", "fold", "row")
    drawn = replace(placed, **{name: getattr(placed, name)[rows] for name in columns})
    return drawn, dict(zip(names.tolist(), times.tolist(), strict=True))


def bootstrap_stability(
    unit: Floats,
    cells: NDArray[np.int64],
    who: NDArray[np.str_],
    size: int,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    smoothing: float = 0.0,
) -> Stability:
    """Draw people with replacement, make the grid again and compare it with the whole one.

    Teachers, their alignment and the cells of windows stay as they are. A cell that a resample
    leaves empty is filled as in any grid. The embeddings are added up once, by person and cell;
    after that a resample is a product with its weights.

    Args:
        unit: `[N, D]`, unit embeddings in one basis.
        cells: cell of each row, `[N]`.
        who: person of each row, `[N]`.
        size: cells on one axis.
        n_resamples: how often.
        seed: of the draws.
        smoothing: as in `ConsolidateSettings`.
    """
    n_cells = size**2
    names, person = np.unique(who, return_inverse=True)
    groups = np.asarray(person * n_cells + cells, dtype=np.int64)
    n_groups = len(names) * n_cells
    sums = rearrange(group_sums(unit, groups, n_groups), "(p k) d -> p k d", k=n_cells)
    counts = rearrange(np.bincount(groups, minlength=n_groups), "(p k) -> p k", k=n_cells)
    whole = prototypes_of(sums.sum(axis=0), counts.sum(axis=0), size, smoothing)
    cosines = np.zeros((n_resamples, n_cells))
    for number, weights in enumerate(resampled_people(len(names), n_resamples, seed)):
        drawn = np.tensordot(weights.astype(np.float64), sums, axes=1)
        again = prototypes_of(drawn, weights @ counts, size, smoothing)
        cosines[number] = (again * whole).sum(axis=1)
    cosines[:, (counts > 0).sum(axis=0) < LEAST_PEOPLE] = np.nan
    low, high = np.quantile(cosines, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return Stability(cosines.mean(axis=0), low, high)


def stability_table(
    placed: Placed,
    sizes: Sequence[int] = SIZES,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    smoothing: float = 0.0,
) -> list[SizeSummary]:
    """Grids of several sizes from the same embeddings, without merging of cells.

    Args:
        placed: unit embeddings in one basis.
        sizes: cells on one axis, one row each.
        n_resamples: of the bootstrap over people.
        seed: of the draws.
        smoothing: as in `ConsolidateSettings`.
    """
    return [_summary(placed, size, n_resamples, seed, smoothing) for size in sizes]


def _summary(
    placed: Placed, size: int, n_resamples: int, seed: int, smoothing: float
) -> SizeSummary:
    """One row of the table."""
    n_cells, cells = size**2, placed.cells(size)
    counts = np.bincount(cells, minlength=n_cells)
    sums = group_sums(placed.unit, cells, n_cells)
    prototypes = prototypes_of(sums, counts, size, smoothing)
    spread = bootstrap_stability(
        placed.unit, cells, placed.subject, size, n_resamples, seed, smoothing
    )
    between = cross_fold_cosine(placed.unit, cells, placed.fold, n_cells)
    return SizeSummary(
        size=size,
        cells=n_cells,
        observed=int((counts > 0).sum()),
        with_three=int((people(cells, placed.subject, n_cells) >= ENOUGH_PEOPLE).sum()),
        count_min=int(counts[counts > 0].min()),
        count_median=float(np.median(counts[counts > 0])),
        effective_rank=effective_rank(prototypes),
        mean_cosine=mean_cosine(prototypes),
        bootstrap_cosine=_mean(spread.cosine[np.isfinite(spread.cosine)].tolist()),
        cross_fold_cosine=_mean([value for value in between if value is not None]),
    )


def _mean(values: Sequence[float]) -> float | None:
    """Mean of the values; None where there are none."""
    return float(np.mean(values)) if values else None
