"""What fold teachers look at, and which recordings are behind a prototype: arrays for pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from einops import reduce
from numpy.typing import NDArray
from rich.progress import track

from neurogaze.eeg.splits import Split, evaluation_rows, fold_rows
from neurogaze.eeg.table import FeatureTable
from neurogaze.models.attention_maps import attention_weights
from neurogaze.pipeline.embedding import Embedder, FoldTeacher
from neurogaze.prototypes.cells import group_sums
from neurogaze.prototypes.consolidate import Embedded

MAX_WINDOWS = 256
"""Windows of each fold that saliency and attention are averaged over."""

Features = NDArray[np.float32]


def saliency(fold: FoldTeacher, features: Features) -> NDArray[np.float64]:
    """Mean |gradient x input| of valence and of arousal, `[2, C, K]`.

    The input is the standardised feature, so an entry tells how far the output would move, to first
    order, if this electrode and band went to their mean over the training fold.

    Args:
        fold: a trained teacher.
        features: `[n, C, K]`, nats.
    """
    raw = torch.from_numpy(features.copy()).requires_grad_()
    va = fold.task.teacher(raw).va
    shares = []
    for axis in (0, 1):
        (gradient,) = torch.autograd.grad(va[:, axis].sum(), raw, retain_graph=axis == 0)
        moved = gradient * (raw.detach() - fold.task.teacher.feature_mean)
        shares.append(reduce(moved.abs(), "n c k -> c k", "mean").numpy())
    return np.stack(shares).astype(np.float64)


def mean_attention(fold: FoldTeacher, features: Features) -> NDArray[np.float64] | None:
    """Attention between electrodes, mean over windows, heads and layers, `[C, C]`; rows sum to 1.

    None for a teacher without attention.
    """
    weights = attention_weights(fold.task.teacher, torch.from_numpy(features))
    if not len(weights):
        return None
    return reduce(weights.double(), "layer n head q k -> q k", "mean").numpy()


def standardised(
    table: FeatureTable,
    folds: Sequence[Embedder],
    embedded: Embedded,
    rows: NDArray[np.int64],
    matched: bool = False,
) -> Features:
    """Embedded rows as their teachers saw them: in deviations from the training mean, `[n, C, K]`.

    Args:
        table: the corpus.
        folds: the teachers that embedded it.
        embedded: as `embed_held_out` gave it.
        rows: rows of the table it has, likewise.
        matched: whether moments of the corpus were matched to the training fold.
    """
    seen = np.zeros((len(rows), *table.features.shape[1:]), np.float32)
    for fold in folds:
        mine = embedded.fold == fold.fold
        mean, std = fold.moments
        seen[mine] = (fold.features(table, matched)[rows[mine]] - mean) / std
    return seen


def cell_features(seen: Features, cells: NDArray[np.int64], n_cells: int) -> Features:
    """Mean standardised feature of the members of each cell, `[n_cells, C, K]`; NaN without any."""
    shape = seen.shape[1:]
    sums = group_sums(seen.reshape(len(seen), -1).astype(np.float64), cells, n_cells)
    counts = np.bincount(cells, minlength=n_cells).astype(np.float64)
    counts[counts == 0] = np.nan
    return (sums / counts[:, None]).reshape(n_cells, *shape).astype(np.float32)


def explain(
    table: FeatureTable, split: Split, folds: Sequence[FoldTeacher]
) -> dict[str, np.ndarray]:
    """Saliency and attention of the teachers on people they held out, averaged over folds.

    Returns:
        `channels`, `bands`, `saliency float32 [2, C, K]` (valence, arousal) and, where the teachers
        have attention, `attention float32 [C, C]`.
    """
    shares, looks = [], []
    for fold in track(list(folds), "explaining teachers", transient=True, disable=len(folds) < 3):
        rows = evaluation_rows(table, fold_rows(table, split, fold.fold)["test"])
        features = table.features[_spread(rows)]
        shares.append(saliency(fold, features))
        looks.append(mean_attention(fold, features))
    known = [look for look in looks if look is not None]
    arrays = {
        "channels": np.array(table.channels),
        "bands": np.array(table.bands),
        "saliency": np.mean(shares, axis=0).astype(np.float32),
    }
    return arrays | ({"attention": np.mean(known, axis=0).astype(np.float32)} if known else {})


def _spread(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most `MAX_WINDOWS` of the rows, evenly apart."""
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), MAX_WINDOWS)).round().astype(np.int64)
    return rows[chosen]
