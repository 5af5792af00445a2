"""Occlusion: how much confidence is lost where a patch of the face is covered.

It asks a model for nothing but probabilities, so it explains an ONNX file as well as a checkpoint
(Zeiler and Fergus 2014, arXiv 1311.2901, section 4.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.progress import tracked

Predict = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
"""Faces `uint8 [N, H, W]` to probabilities `[N, classes]`."""

Area = tuple[slice, slice]
"""Rows and columns of a patch."""

PATCH = 8
"""Side of the covering patch, pixels: about that of an eye on a face of 48."""
STRIDE = 4
"""Pixels from one patch to the next."""
BATCH = 256


def patch_starts(side: int, patch: int = PATCH, stride: int = STRIDE) -> list[int]:
    """Where patches begin on one axis; the last one ends with the picture.

    >>> patch_starts(48, 8, 16), patch_starts(10, 8, 4)
    ([0, 16, 32, 40], [0, 2])
    """
    return sorted({*range(0, side - patch + 1, stride), side - patch})


def covered(face: NDArray[np.uint8], patch: int, stride: int) -> tuple[NDArray, list[Area]]:
    """Copies of a face with one patch each in its mean grey, and where the patches lie.

    Args:
        face: `uint8 [H, W]`.
        patch: side, pixels.
        stride: pixels from one patch to the next.

    Returns:
        `uint8 [P, H, W]`, and an area for each.

    Raises:
        InputError: for a patch that is larger than the face.
    """
    if patch < 1 or stride < 1 or patch > min(face.shape):
        found = f"of {patch} pixels on a face of {face.shape}, every {stride}"
        raise InputError("occluding patch", found, "use a smaller patch and a stride of 1 or more")
    tops, lefts = (patch_starts(side, patch, stride) for side in face.shape)
    places = list(product(tops, lefts))
    copies = np.repeat(face[None], len(places), axis=0)
    grey = np.uint8(round(float(face.mean())))
    where = [(slice(top, top + patch), slice(left, left + patch)) for top, left in places]
    for copy, area in zip(copies, where, strict=True):
        copy[area] = grey
    return copies, where


def occlusion_map(
    predict: Predict,
    face: NDArray[np.uint8],
    label: int,
    patch: int = PATCH,
    stride: int = STRIDE,
) -> NDArray[np.float64]:
    """Loss of probability of one class, mean over the patches that cover a pixel.

    Args:
        predict: faces to probabilities.
        face: `uint8 [H, W]`.
        label: the class.
        patch: side of the patch, pixels.
        stride: pixels from one patch to the next.

    Returns:
        `[H, W]`; above 0 where covering lowers the probability, below where it raises it.

    Raises:
        InputError: for a patch that is larger than the face.
    """
    copies, where = covered(face, patch, stride)
    every = np.concatenate([face[None], copies])
    starts = range(0, len(every), BATCH)
    said = np.concatenate([predict(every[i : i + BATCH])[:, label] for i in starts])
    total, times = np.zeros(face.shape), np.zeros(face.shape)
    for area, lost in zip(where, said[0] - said[1:].astype(np.float64), strict=True):
        total[area] += lost
        times[area] += 1
    return np.divide(total, times, out=np.zeros(face.shape), where=times > 0)


def occlusion_maps(
    predict: Predict, faces: NDArray[np.uint8], labels: Sequence[int], progress: bool = False
) -> NDArray[np.float64]:
    """The map of each face for a class of its own, `[N, H, W]`."""
    pairs = list(zip(faces, labels, strict=True))
    with tracked(pairs, "covering faces", shown=progress) as each:
        maps = [occlusion_map(predict, face, label) for face, label in each]
    return np.stack(maps) if maps else np.zeros(faces.shape)
