"""Features of a person beside all recordings of that person, of those to be judged too.

People differ in the power of their EEG far more than feelings move it. Who may wait for recordings
of a person can take that difference out without a single rating. It is not training: no label and
nobody else is looked at. But a result had so is of a person who was recorded before, so it carries
a note wherever it goes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_DEVIATION = 1e-6
"""Nats; a feature that varies less is not scaled up beyond this, in a person as in a fold."""


def within_person(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Features of one person in that person's own standard deviations, around their mean.

    Args:
        features: all windows of one person, `[N, C, K]`, nats or bits.

    Returns:
        `float32 [N, C, K]` of mean 0 and population deviation 1 over N; a feature that does not
        vary, such as that of a single window, is 0.

    >>> within_person(np.float32([[[1.0, 5.0]], [[3.0, 5.0]]])).tolist()
    [[[-1.0, 0.0]], [[1.0, 0.0]]]
    """
    wide = features.astype(np.float64)
    deviation = np.maximum(wide.std(axis=0), LEAST_DEVIATION)
    return ((wide - wide.mean(axis=0)) / deviation).astype(np.float32)
