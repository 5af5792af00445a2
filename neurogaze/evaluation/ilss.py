"""ILSS: one number for the mean and the spread of accuracies over folds."""

from __future__ import annotations

import math

from neurogaze.errors import InputError

WEIGHT, POWER = 71.0, 2.5
FLOOR, CEILING = 1e-10, 10.0


def ilss(mean_percent: float, sd_percent: float) -> float:
    """ILSS of the RBTransformer repository, which rewards a high mean and a small spread.

    `(sqrt(mean) / 10) * min(-log10(sd / (1 + 71 mean^2.5) + 1e-10), 10)`.

    Args:
        mean_percent: mean accuracy over folds, 0 to 100.
        sd_percent: its standard deviation over folds, 0 to 100.

    Returns:
        A number from 0 to 10.

    Raises:
        InputError: for a value outside 0 to 100.

    >>> round(ilss(99.74, 0.06), 2)
    8.05
    """
    for name, value in (("mean_percent", mean_percent), ("sd_percent", sd_percent)):
        if not 0 <= value <= 100:
            raise InputError(name, f"{value} is no percentage", "give a value from 0 to 100")
    spread = sd_percent / (1 + WEIGHT * mean_percent**POWER)
    return math.sqrt(mean_percent) / 10 * min(-math.log10(spread + FLOOR), CEILING)
