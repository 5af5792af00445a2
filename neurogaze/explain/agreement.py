"""Whether maps over faces lie where the muscles of the expression act, and what chance gives.

A map is cut to as many of its highest pixels as the mask of the emotion has, never to pixels where
it is 0. Intersection over union (IoU) of both is 1 for a map that fills the mask and nothing else,
and does not reward large masks as such; what pixels drawn blindly would reach is told beside it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from einops import rearrange
from numpy.typing import NDArray
from scipy.stats import hypergeom

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.explain.regions import EMOTION_UNITS, emotion_mask, emotion_masks
from neurogaze.faces.reading import FACE_SIZE

Floats = NDArray[np.float64]
PIXELS = FACE_SIZE**2


class Agreement(NamedTuple):
    """How one set of maps agrees with the masks of its own emotions.

    Attributes:
        rows: which of the maps given: those of an emotion with action units, `int64 [M]`.
        iou: with the mask of its own emotion, `[M]`.
        chance: expected of as many pixels drawn blindly, `[M]`.
        others: mean over the masks of the other emotions, each cut to its own size, `[M]`.
    """

    rows: NDArray[np.int64]
    iou: Floats
    chance: Floats
    others: Floats


def ranks(maps: NDArray[np.floating]) -> NDArray[np.int64]:
    """Place of each pixel of a map, 0 the highest; the earlier wins a tie, `[N, H, W]`.

    A pixel that is not above 0 comes after every one that could be asked for.

    Raises:
        InputError: for a map with a value that is not finite, which has no place.
    """
    flat = rearrange(np.asarray(maps, np.float64), "n h w -> n (h w)")
    broken = np.flatnonzero(~np.isfinite(flat).all(axis=1))
    if broken.size:
        found = f"{broken.size} of {len(flat)} are not finite, the first is number {broken[0]}"
        raise InputError("maps", found, "look for a diverged run")
    order = np.argsort(-flat, axis=1, kind="stable")
    places = np.empty(flat.shape, np.int64)
    np.put_along_axis(places, order, np.arange(flat.shape[1])[None], axis=1)
    places[flat <= 0] = flat.shape[1]
    return rearrange(places, "n (h w) -> n h w", w=maps.shape[2])


def top_pixels(maps: NDArray[np.floating], n: int) -> NDArray[np.bool_]:
    """The `n` highest pixels of each map, only where it is above 0; the earlier wins a tie.

    Args:
        maps: `[N, H, W]`.
        n: how many.

    Raises:
        InputError: for a map that is not finite.

    >>> top_pixels(np.array([[[0.2, 0.9], [0.0, 0.1]]]), 2).tolist()
    [[[True, True], [False, False]]]
    """
    return ranks(maps) < n


def iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Floats:
    """Intersection over union of masks, over their last two axes; 0 where both are empty."""
    both = (first & second).sum(axis=(-2, -1))
    either = (first | second).sum(axis=(-2, -1))
    return np.divide(both, either, out=np.zeros(np.shape(either)), where=either > 0)


def chance_iou(drawn: int, mask: int, pixels: int = PIXELS) -> float:
    """Expected IoU of a mask with pixels drawn without looking: exact, hypergeometric.

    Args:
        drawn: how many pixels are drawn.
        mask: how many the mask has.
        pixels: of the picture.

    >>> round(chance_iou(1, 1, 4), 3), chance_iou(0, 5)
    (0.25, 0.0)
    """
    if drawn + mask == 0:
        return 0.0
    hits = np.arange(max(0, drawn + mask - pixels), min(drawn, mask) + 1)
    return float((hypergeom.pmf(hits, pixels, mask, drawn) * hits / (drawn + mask - hits)).sum())


def agreement(maps: NDArray[np.floating], labels: NDArray[np.integer]) -> Agreement:
    """Agreement of each map with the mask of the emotion it explains.

    Args:
        maps: `[N, 48, 48]`, evidence for the class in `labels`.
        labels: class of each map, `[N]`; neutral is left out.

    Raises:
        InputError: for maps of another size, not one label each, or a map of an emotion with
            action units that is not finite.
    """
    if maps.shape[1:] != (FACE_SIZE, FACE_SIZE) or labels.shape != maps.shape[:1]:
        found = f"{maps.shape} with labels {labels.shape}"
        raise InputError("maps", found, f"give [N, {FACE_SIZE}, {FACE_SIZE}] and [N]")
    masks = emotion_masks()
    acting = np.flatnonzero(masks.any(axis=(1, 2)))
    rows = np.flatnonzero(np.isin(labels, acting))
    own, chance, others = np.zeros(len(rows)), np.zeros(len(rows)), np.zeros(len(rows))
    places = ranks(maps[rows])
    for mask_of in acting:
        size = int(masks[mask_of].sum())
        top = places < size
        each, mine = iou(top, masks[mask_of]), labels[rows] == mask_of
        own[mine] = each[mine]
        drawn, which = np.unique(top[mine].sum(axis=(1, 2)), return_inverse=True)
        chance[mine] = np.array([chance_iou(int(n), size) for n in drawn])[which]
        others[~mine] += each[~mine] / (len(acting) - 1)
    return Agreement(rows, own, chance, others)


def mean_map_iou(maps: NDArray[np.floating], emotion: str) -> float:
    """Agreement of the mean of maps of one emotion with its mask, as of a "global" heat map.

    Raises:
        InputError: for maps whose mean is not finite.
    """
    mask, mean = emotion_mask(emotion), np.asarray(maps, np.float64).mean(axis=0, keepdims=True)
    return float(iou(top_pixels(mean, int(mask.sum())), mask)[0])


def acting_emotions(labels: NDArray[np.integer]) -> list[str]:
    """Emotions with action units that labels hold, in the order of `EMOTIONS`."""
    return [n for i, n in enumerate(EMOTIONS) if n in EMOTION_UNITS and (labels == i).any()]
