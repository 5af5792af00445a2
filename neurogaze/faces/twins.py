"""Pictures of one set that lie, pixel by pixel, in another: memory would answer for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurogaze.faces.images import FaceTable


def twin_free(valid: FaceTable, train: FaceTable) -> NDArray[np.bool_]:
    """Which rows show a picture that training does not hold.

    Twins within `valid` do not count, and labels play no part.

    Args:
        valid: the pictures that judge.
        train: those that taught.

    Returns:
        `bool [len(valid)]`.
    """
    return ~np.isin(valid.groups, train.groups)
