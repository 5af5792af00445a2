"""The left hemisphere in place of the right: features of the mirrored head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.montage import partners


def mirror_index(channels: Sequence[str]) -> NDArray[np.int64]:
    """Which electrode to take in place of each, `[C]`; the midline stays.

    Args:
        channels: C names, each with its partner across the midline among them.

    Raises:
        InputError: for an unknown electrode, or one whose partner is not among them.
    """
    return partners(channels)


def mirror_features(
    features: NDArray[np.floating], channels: Sequence[str]
) -> NDArray[np.floating]:
    """Features with the hemispheres swapped by electrode name, so that every asymmetry turns over.

    A mirrored picture without swapped electrodes would be of another montage; this is the mirror
    image that a symmetric head could have produced. A copy; twice gives the features back.

    Args:
        features: `[..., C, K]`, electrodes by bands.
        channels: the C electrodes.

    Raises:
        InputError: for an unknown electrode, or one whose partner is not among them.
    """
    return np.take(features, mirror_index(channels), axis=-2)
