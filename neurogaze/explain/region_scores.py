"""Region agreement as scores with intervals over people, recordings and equal pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from einops import rearrange
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.evaluation.scoring import Score, group_interval
from neurogaze.evaluation.statistics import bootstrap_sums, bootstrap_weights
from neurogaze.explain.agreement import (
    acting_emotions,
    agreement,
    iou,
    mean_map_iou,
    top_pixels,
)
from neurogaze.explain.regions import emotion_mask
from neurogaze.faces.reading import FACE_SIZE

Floats = NDArray[np.float64]
N_RESAMPLES = 200
"""Resamples of mean maps, which cost a sort of every pixel each."""


def region_scores(
    maps: NDArray[np.floating],
    labels: NDArray[np.integer],
    groups: NDArray[Any] | None,
    seed: int,
) -> dict[str, Score]:
    """Agreement of maps with action-unit masks: by emotion, and mean over emotions.

    Args:
        maps: `[N, 48, 48]`, evidence for the class in `labels`.
        labels: class of each map, `[N]`.
        groups: maps that share a name are resampled together; None: each alone.
        seed: of the resampling.

    Returns:
        `region_iou_<emotion>` (mean over faces), `region_chance_<emotion>` (what as many pixels
        drawn blindly reach), `region_others_<emotion>` (the same maps on the masks of the other
        emotions), `region_mean_map_<emotion>` (IoU of the mean map), and `region_iou`,
        `region_chance`, `region_others`, `region_mean_map`: means over the emotions that there are.
        Empty where no map is of an emotion with action units.
    """
    found, names = agreement(maps, labels), acting_emotions(labels)
    if not names:
        return {}
    own = labels[found.rows]
    parts = None if groups is None else groups[found.rows]
    is_of = np.stack([own == EMOTIONS.index(name) for name in names], axis=1).astype(np.float64)
    scores: dict[str, Score] = {}
    values = (("iou", found.iou), ("chance", found.chance), ("others", found.others))
    for kind, each in values:
        added = np.concatenate([is_of * each[:, None], is_of], axis=1)
        point = _class_means(added.sum(axis=0, keepdims=True))
        spread = _class_means(bootstrap_sums(added, parts, seed))
        scores |= _named(kind, names, point[0], spread, parts, is_of)
    point, spread = _mean_maps(maps[found.rows], own, names, parts, seed)
    return scores | _named("mean_map", names, point, spread, parts, is_of)


def _class_means(sums: Floats) -> Floats:
    """Means of each class from sums and counts, `[R, 2 E]` to `[R, E]`; NaN where it is missing."""
    total, n = np.split(sums, 2, axis=1)
    return np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0)


def _named(
    kind: str,
    names: list[str],
    point: Floats,
    spread: Floats,
    groups: NDArray[Any] | None,
    is_of: Floats,
) -> dict[str, Score]:
    """Scores of each emotion, and their mean; what a draw does not hold is no part of it."""
    scores = {
        f"region_{kind}_{name}": Score(
            float(point[k]), *group_interval(_drawn(spread[:, k]), groups), int(is_of[:, k].sum())
        )
        for k, name in enumerate(names)
    }
    mean = group_interval(np.nanmean(spread, axis=1), groups)
    return {f"region_{kind}": Score(float(point.mean()), *mean, len(is_of)), **scores}


def _drawn(values: Floats) -> Floats:
    """Those of the draws in which the class occurs."""
    return values[np.isfinite(values)]


def _mean_maps(
    maps: NDArray[np.floating],
    labels: NDArray[np.integer],
    names: list[str],
    groups: NDArray[Any] | None,
    seed: int,
) -> tuple[Floats, Floats]:
    """IoU of the mean map of each emotion, `[E]`, and in every resample, `[R, E]` or NaN."""
    weights = np.concatenate(list(bootstrap_weights(len(maps), groups, seed, N_RESAMPLES)))
    points, spread = [], []
    for name in names:
        own, mask = labels == EMOTIONS.index(name), emotion_mask(name)
        flat = rearrange(np.asarray(maps[own], np.float64), "n h w -> n (h w)")
        sums = rearrange(weights[:, own] @ flat, "r (h w) -> r h w", h=FACE_SIZE)
        points.append(mean_map_iou(maps[own], name))
        agreed = iou(top_pixels(sums, int(mask.sum())), mask)
        spread.append(np.where(weights[:, own].any(axis=1), agreed, np.nan))
    return np.asarray(points), np.stack(spread, axis=1)
