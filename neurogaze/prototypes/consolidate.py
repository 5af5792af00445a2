"""Embeddings and their valence and arousal to a prototype grid (after arXiv:2509.11916).

A cell's prototype is the mean of the unit embeddings whose valence and arousal fall in it. Networks
trained apart share no basis, so embeddings of several fold teachers are first rotated onto one of
them, by an orthogonal Procrustes fit on windows that all of them embedded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from einops import einsum
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from neurogaze.affect import cell_index, grid_centers, grid_edges
from neurogaze.artefacts import canonical
from neurogaze.errors import InputError
from neurogaze.prototypes.grid import PrototypeGrid, unit_rows

TIE_TOLERANCE = 1e-9
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ConsolidateSettings:
    """How a grid is made from embeddings.

    Args:
        mode: `faithful` uses one teacher and the people it held out; `crossfit` aligns all fold
            teachers, each embedding the people it held out.
        size: cells on one axis.
        bins: place a window by the teacher's `predicted` valence and arousal, or by the `rated`.
        quantile_match: give predictions the distribution of the training ratings, by corpus and
            axis; a weak teacher predicts the mean and would fill one cell.
        center: subtract the mean embedding of the training fold first.
        fold: the teacher of `faithful`.
        min_subjects: cells with fewer people are merged into the nearest cell with enough.
    """

    mode: Literal["faithful", "crossfit"] = "crossfit"
    size: int = 5
    bins: Literal["predicted", "rated"] = "predicted"
    quantile_match: bool = True
    center: bool = True
    fold: int = 0
    min_subjects: int = 1


@dataclass(frozen=True, eq=False)
class Embedded:
    """Windows of held-out people as the teachers see them.

    Args:
        embedding: float32 `[N, D]`, not normalised.
        va: float64 `[N, 2]`, predicted valence and arousal.
        rated: float64 `[N, 2]`, ratings; NaN where nobody rated.
        subject: str `[N]`.
        corpus: str `[N]`.
        fold: int `[N]`, the teacher that made the row.

    Raises:
        InputError: for arrays of different lengths or embeddings that are not finite.
    """

    embedding: NDArray[np.float32]
    va: Floats
    rated: Floats
    subject: NDArray[np.str_]
    corpus: NDArray[np.str_]
    fold: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Check lengths and finiteness."""
        n = len(self.embedding)
        lengths = [len(x) for x in (self.va, self.rated, self.subject, self.corpus, self.fold)]
        if n == 0 or set(lengths) != {n}:
            raise InputError("embeddings", f"{n} rows, other columns {lengths}", "embed them again")
        if not np.isfinite(self.embedding).all():
            raise InputError("embeddings", "NaN or infinite values", "train the teacher again")

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Embedded:
        """Choose rows."""
        return Embedded(
            self.embedding[rows],
            self.va[rows],
            self.rated[rows],
            self.subject[rows],
            self.corpus[rows],
            self.fold[rows],
        )


def align_folds(anchors: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Rotate every fold's anchor embeddings onto those of fold 0 (orthogonal Procrustes).

    Args:
        anchors: `[F, M, D]`, the same M windows embedded by each of F teachers.

    Returns:
        Rotations `[F, D, D]`, to be applied as `embedding @ rotation`, reflections allowed; and
        residuals `[F]`, the share of the anchors' variance left unexplained after the best scale
        (0 = equal shape, 1 = nothing in common; the disparity of `scipy.spatial.procrustes`).

    Raises:
        InputError: for fewer than two anchor windows, or anchors that do not vary.
    """
    anchors = np.asarray(anchors, dtype=np.float64)
    if anchors.ndim != 3 or anchors.shape[1] < 2:
        raise InputError(
            "anchors", f"shape {anchors.shape} is not folds x windows x width", "embed more windows"
        )
    centred = anchors - anchors.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.square(centred).sum(axis=(1, 2), keepdims=True))
    if not np.isfinite(scale).all() or not (scale > 0).all():
        raise InputError("anchors", "embeddings are all equal or not finite", "embed other windows")
    centred = centred / scale
    left, strength, right = np.linalg.svd(np.swapaxes(centred, 1, 2) @ centred[0])
    return left @ right, np.clip(1.0 - np.square(strength.sum(axis=1)), 0.0, 1.0)


def quantile_matched(values: NDArray[np.floating], reference: NDArray[np.floating]) -> Floats:
    """Give values the distribution of a reference; their order is kept and ties stay ties.

    The value of rank `r` of `n` becomes the reference's quantile at `(r - 1/2) / n`, by Hazen's
    rule, so a reference of the same length is taken over value by value.

    Args:
        values: `[n]`.
        reference: `[m]`, finite.

    >>> quantile_matched(np.array([0.1, 0.3, 0.2]), np.array([-1.0, 0.0, 1.0])).tolist()
    [-1.0, 1.0, 0.0]
    """
    level = (rankdata(values) - 0.5) / len(values)
    return np.quantile(np.asarray(reference, dtype=np.float64), level, method="hazen")


def place(
    embedded: Embedded, settings: ConsolidateSettings, train_ratings: NDArray[np.floating]
) -> Floats:
    """Valence and arousal by which windows are put in cells, `[N, 2]`; NaN = in none.

    Raises:
        InputError: for predictions that are not finite, or no ratings to match or bin by.
    """
    if settings.bins == "rated":
        rated = np.asarray(embedded.rated, dtype=np.float64)
        return np.where(np.isnan(rated).any(axis=1, keepdims=True), np.nan, rated)
    placed = np.array(embedded.va, dtype=np.float64)
    if not np.isfinite(placed).all():
        raise InputError("predictions", "NaN or infinite values", "train the teacher again")
    if not settings.quantile_match:
        return placed
    reference = np.asarray(train_ratings, dtype=np.float64).reshape(-1, 2)
    reference = reference[np.isfinite(reference).all(axis=1)]
    if not len(reference):
        raise InputError("training ratings", "there are none", "set quantile_match: false")
    for name in np.unique(embedded.corpus):
        rows = embedded.corpus == name
        for axis in (0, 1):
            placed[rows, axis] = quantile_matched(placed[rows, axis], reference[:, axis])
    return placed


def common_basis(
    embedded: Embedded,
    settings: ConsolidateSettings,
    train_mean: NDArray[np.floating] | None,
    anchors: NDArray[np.floating] | None,
) -> tuple[Floats, Floats]:
    """Unit embeddings of all rows in the basis of one teacher, `[N, D]`, and residuals `[F]`.

    Raises:
        InputError: when folds would be mixed without anchors, or a fold has no training mean.
    """
    vectors = np.asarray(embedded.embedding, dtype=np.float64)
    if settings.center:
        if train_mean is None or len(train_mean) <= embedded.fold.max():
            raise InputError("training means", "one a fold is needed", "pass them or center: false")
        vectors = vectors - np.asarray(train_mean, dtype=np.float64)[embedded.fold]
    residuals = np.zeros(0)
    if settings.mode == "crossfit":
        if anchors is None or not settings.center or len(anchors) <= embedded.fold.max():
            raise InputError(
                "crossfit",
                "embeddings of fold teachers share no basis, and centred anchor windows embedded "
                "by all of them are missing",
                "pass anchors with center: true, or use mode: faithful",
            )
        rotations, residuals = align_folds(anchors)
        for fold in np.unique(embedded.fold):
            rows = embedded.fold == fold
            vectors[rows] = vectors[rows] @ rotations[fold]
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(length, 1e-12), residuals


def people(cells: NDArray[np.int64], who: NDArray[np.str_], n_cells: int) -> NDArray[np.int64]:
    """Number of different people in each cell, `[n_cells]`."""
    pairs = np.unique(np.stack([cells.astype(str), who], axis=1), axis=0)
    return np.bincount(pairs[:, 0].astype(np.int64), minlength=n_cells).astype(np.int64)


def merge_small(
    cells: NDArray[np.int64], who: NDArray[np.str_], size: int, min_subjects: int
) -> NDArray[np.int64]:
    """Move windows out of cells with too few people, to the nearest cell with enough.

    Raises:
        InputError: when no cell has enough people.
    """
    enough = people(cells, who, size**2) >= min_subjects
    if not enough.any():
        raise InputError("grid", f"no cell has {min_subjects} people", "lower min_subjects or size")
    distance = _distances(size)
    target = np.where(enough, np.arange(size**2), np.where(enough, distance, np.inf).argmin(1))
    return np.asarray(target[cells], dtype=np.int64)


def _distances(size: int) -> Floats:
    """Distances between cell centres, `[K, K]`."""
    centers = grid_centers(size)
    return np.linalg.norm(centers[:, None] - centers[None], axis=2)


def cell_means(unit: Floats, cells: NDArray[np.int64], n_cells: int) -> Floats:
    """Mean of the rows in each cell, `[n_cells, D]`; 0 where there are none."""
    member = np.equal(np.arange(n_cells)[:, None], cells[None]).astype(np.float64)
    total = einsum(member, unit, "k n, n d -> k d")
    return total / np.maximum(member.sum(1, keepdims=True), 1.0)


def fill_empty(prototypes: Floats, counts: NDArray[np.int64], size: int) -> Floats:
    """Give an empty cell the prototype of the nearest filled centre; ties are averaged.

    Args:
        prototypes: `[K, D]`, unit rows where `counts` is positive.
        counts: `[K]`.
        size: cells on one axis.

    Returns:
        `[K, D]`, unit rows.
    """
    distance = np.where(counts > 0, _distances(size), np.inf)
    nearest = distance <= distance.min(axis=1, keepdims=True) + TIE_TOLERANCE
    nearest = np.where((counts > 0)[:, None], np.eye(len(counts), dtype=bool), nearest)
    return unit_rows(nearest.astype(np.float64) @ prototypes, "filled cells")


def cross_fold_cosine(
    unit: Floats, cells: NDArray[np.int64], fold: NDArray[np.int64], n_cells: int
) -> list[float | None]:
    """Mean cosine between the folds' own prototypes of each cell; None with fewer than two folds.

    A value near 1 says that the teachers, once aligned, mean the same by the cell.
    """
    means = [cell_means(unit[fold == f], cells[fold == f], n_cells) for f in np.unique(fold)]
    lengths = [np.linalg.norm(mean, axis=1) for mean in means]
    result: list[float | None] = []
    for cell in range(n_cells):
        rows = [m[cell] / n[cell] for m, n in zip(means, lengths, strict=True) if n[cell] > 1e-9]
        cosines = [float(a @ b) for a, b in combinations(rows, 2)]
        result.append(float(np.mean(cosines)) if cosines else None)
    return result


def consolidate(
    embedded: Embedded,
    settings: ConsolidateSettings,
    train_ratings: ArrayLike,
    train_mean: NDArray[np.floating] | None = None,
    anchors: NDArray[np.floating] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> PrototypeGrid:
    """Average the unit embeddings in every cell of the valence/arousal plane.

    Args:
        embedded: windows of people whom the teacher of their fold neither trained nor stopped on.
        settings: how.
        train_ratings: `[M, 2]`, ratings of the training rows, for quantile matching.
        train_mean: `[F, D]`, mean training embedding of each fold, for centring.
        anchors: `[F, M, D]`, shared windows embedded by each fold's teacher, for `crossfit`.
        provenance: what the caller knows: corpora, hashes of settings, split and teachers.

    Returns:
        The grid; its provenance tells settings, alignment residuals and cross-fold cosines too.

    Raises:
        InputError: for folds that cannot be aligned, or no window in any cell.
    """
    if settings.mode == "faithful":
        chosen = embedded.fold == settings.fold
        if not chosen.any():
            raise InputError(f"fold {settings.fold}", "has no embeddings", "choose another fold")
        embedded = embedded.take(chosen)
    unit, residuals = common_basis(embedded, settings, train_mean, anchors)
    placed = place(embedded, settings, np.asarray(train_ratings, dtype=np.float64))
    inside = np.isfinite(placed).all(axis=1)
    if not inside.any():
        raise InputError("ratings", "no window is rated", "use bins: predicted")
    embedded, unit, placed = embedded.take(inside), unit[inside], placed[inside]
    who = np.char.add(np.char.add(embedded.corpus.astype(str), "/"), embedded.subject.astype(str))
    cells = merge_small(
        cell_index(placed, settings.size), who, settings.size, settings.min_subjects
    )
    return _grid(unit, cells, who, embedded, settings, residuals, dict(provenance or {}))


def _grid(
    unit: Floats,
    cells: NDArray[np.int64],
    who: NDArray[np.str_],
    embedded: Embedded,
    settings: ConsolidateSettings,
    residuals: Floats,
    provenance: dict[str, Any],
) -> PrototypeGrid:
    """Put the parts of the grid together."""
    n_cells = settings.size**2
    counts = np.bincount(cells, minlength=n_cells).astype(np.int64)
    means = cell_means(unit, cells, n_cells)
    observed = counts > 0
    means[observed] = unit_rows(means[observed], "cell means")
    record = {
        "kind": "eeg",
        "consolidation": canonical(settings),
        "corpora": np.unique(embedded.corpus).tolist(),
        "folds": np.unique(embedded.fold).tolist(),
        "alignment_residual": residuals.tolist(),
        "cross_fold_cosine": cross_fold_cosine(unit, cells, embedded.fold, n_cells),
    }
    return PrototypeGrid(
        prototypes=fill_empty(means, counts, settings.size).astype(np.float32),
        centers=grid_centers(settings.size),
        counts=counts,
        n_subjects=people(cells, who, n_cells),
        filled=~observed,
        edges=grid_edges(settings.size),
        provenance=provenance | record,
    )
