"""Embeddings and their valence and arousal to a prototype grid (after arXiv:2509.11916).

A cell's prototype is the mean of the unit embeddings whose valence and arousal fall in it. Networks
trained apart share no basis, so embeddings of several fold teachers are first rotated onto one of
them, by an orthogonal Procrustes fit on windows that all of them embedded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurogaze.affect import grid_centers, grid_edges
from neurogaze.artefacts import canonical
from neurogaze.errors import InputError
from neurogaze.prototypes.alignment import align_folds, cross_fold_cosine
from neurogaze.prototypes.cells import (
    group_sums,
    people,
    prototypes_of,
    quantile_matched,
    spreads,
)
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.placed import Placed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ConsolidateSettings:
    """How a grid is made from embeddings.

    Args:
        mode: `faithful` uses one teacher and the people it held out; `crossfit` aligns all fold
            teachers, each embedding the people it held out.
        size: cells on one axis.
        bins: place a window by the teacher's `predicted` valence and arousal, or by the `rated`.
        quantile_match: give predictions the distribution of the training ratings, by corpus, fold
            and axis; a weak teacher predicts the mean and would fill one cell.
        center: subtract the mean embedding of the training fold first.
        fold: the teacher of `faithful`.
        min_subjects: cells with fewer people are merged into the nearest cell with enough.
        smoothing: standard deviation of a Gaussian over cell centres, in units of valence and
            arousal, by which the sums of cells are mixed; 0: none.

    Raises:
        InputError: for a size or smoothing that makes no grid.
    """

    mode: Literal["faithful", "crossfit"] = "crossfit"
    size: int = 5
    bins: Literal["predicted", "rated"] = "predicted"
    quantile_match: bool = True
    center: bool = True
    fold: int = 0
    min_subjects: int = 1
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a grid without cells, and a kernel that is none."""
        if self.size < 1:
            raise InputError("settings.size", f"is {self.size}", "give 1 or more, such as 5")
        if not 0.0 <= self.smoothing < np.inf:
            raise InputError("settings.smoothing", f"is {self.smoothing}", "give 0 or a width")


@dataclass(frozen=True, eq=False)
class Embedded:
    """Windows of held-out people as the teachers see them.

    Args:
        embedding: float32 `[N, D]`, not normalised.
        va: float64 `[N, 2]`, predicted valence and arousal.
        rated: float64 `[N, 2]`, ratings; NaN where nobody rated.
        subject: str `[N]`, person; two corpora of the same people name them alike.
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


def place(
    embedded: Embedded, settings: ConsolidateSettings, train_ratings: Sequence[ArrayLike]
) -> Floats:
    """Valence and arousal by which windows are put in cells, `[N, 2]`; NaN = in none.

    Predictions are ranked within each corpus and fold, because teachers differ in scale, and take
    the distribution of the ratings that the teacher of the fold was trained on: those of the people
    it held out have no part in it.

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
    for fold in np.unique(embedded.fold).tolist():
        reference = _reference(train_ratings, fold)
        for name in np.unique(embedded.corpus):
            rows = (embedded.corpus == name) & (embedded.fold == fold)
            for axis in (0, 1):
                if rows.any():
                    placed[rows, axis] = quantile_matched(placed[rows, axis], reference[:, axis])
    return placed


def _reference(train_ratings: Sequence[ArrayLike], fold: int) -> Floats:
    """Ratings of the training people of a fold, `[M, 2]`."""
    ratings: ArrayLike = train_ratings[fold] if fold < len(train_ratings) else []
    reference = np.asarray(ratings, dtype=np.float64).reshape(-1, 2)
    reference = reference[np.isfinite(reference).all(axis=1)]
    if not len(reference):
        raise InputError(
            "training ratings", f"there are none of fold {fold}", "set quantile_match: false"
        )
    return reference


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


def place_in_common_basis(
    embedded: Embedded,
    settings: ConsolidateSettings,
    train_ratings: Sequence[ArrayLike],
    train_mean: NDArray[np.floating] | None = None,
    anchors: NDArray[np.floating] | None = None,
) -> Placed:
    """Choose, align and place embeddings; the arguments are those of `consolidate`.

    Raises:
        InputError: for folds that cannot be aligned, or no window that can be placed.
    """
    rows = np.arange(len(embedded.embedding))
    if settings.mode == "faithful":
        rows = np.flatnonzero(embedded.fold == settings.fold)
        if not len(rows):
            raise InputError(f"fold {settings.fold}", "has no embeddings", "choose another fold")
        embedded = embedded.take(rows)
    unit, residuals = common_basis(embedded, settings, train_mean, anchors)
    va = place(embedded, settings, train_ratings)
    inside = np.flatnonzero(np.isfinite(va).all(axis=1))
    if not len(inside):
        raise InputError("ratings", "no window is rated", "use bins: predicted")
    chosen = embedded.take(inside)
    return Placed(
        unit=unit[inside],
        va=va[inside],
        subject=chosen.subject.astype(str),
        corpus=chosen.corpus,
        fold=chosen.fold,
        row=rows[inside],
        residuals=residuals,
    )


def consolidate(
    embedded: Embedded,
    settings: ConsolidateSettings,
    train_ratings: Sequence[ArrayLike],
    train_mean: NDArray[np.floating] | None = None,
    anchors: NDArray[np.floating] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> PrototypeGrid:
    """Average the unit embeddings in every cell of the valence/arousal plane.

    Args:
        embedded: windows of people whom the teacher of their fold neither trained nor stopped on.
        settings: how.
        train_ratings: one array `[M, 2]` a fold, what the people it was trained on said, for
            quantile matching; empty where predictions are not matched.
        train_mean: `[F, D]`, mean training embedding of each fold, for centring.
        anchors: `[F, M, D]`, shared windows embedded by each fold's teacher, for `crossfit`.
        provenance: what the caller knows: corpora, hashes of settings, split and teachers.

    Returns:
        The grid; its provenance tells settings, alignment residuals, cross-fold cosines and
        spreads too.

    Raises:
        InputError: for folds that cannot be aligned, or no window in any cell.
    """
    placed = place_in_common_basis(embedded, settings, train_ratings, train_mean, anchors)
    return grid_of(placed, settings, provenance)


def grid_of(
    placed: Placed, settings: ConsolidateSettings, provenance: Mapping[str, Any] | None = None
) -> PrototypeGrid:
    """Average placed embeddings by cell and put the grid together.

    Args:
        placed: unit embeddings in one basis.
        settings: size, merging and smoothing of cells.
        provenance: what the caller knows; its `kind` is "eeg" unless it says another.
    """
    size, n_cells = settings.size, settings.size**2
    cells = placed.cells(size, settings.min_subjects)
    counts = np.bincount(cells, minlength=n_cells).astype(np.int64)
    sums = group_sums(placed.unit, cells, n_cells)
    prototypes = prototypes_of(sums, counts, size, settings.smoothing)
    record = {
        "consolidation": canonical(settings),
        "corpora": np.unique(placed.corpus).tolist(),
        "folds": np.unique(placed.fold).tolist(),
        "n_windows": len(placed.unit),
        "alignment_residual": placed.residuals.tolist(),
        "cross_fold_cosine": cross_fold_cosine(placed.unit, cells, placed.fold, n_cells),
        "spread": spreads(sums, counts, prototypes),
    }
    return PrototypeGrid(
        prototypes=prototypes.astype(np.float32),
        centers=grid_centers(size),
        counts=counts,
        n_subjects=people(cells, placed.subject, n_cells),
        filled=counts == 0,
        edges=grid_edges(size),
        provenance={"kind": "eeg"} | dict(provenance or {}) | record,
    )
