"""Which factors a loss term may have."""

from __future__ import annotations

import math

from neurogaze.errors import InputError


def check_weight(name: str, weight: float) -> None:
    """Refuse a factor that would drive a loss upwards without end, or make it no number.

    A factor of 0 is one: the term is not computed.

    Args:
        name: of the factor, as a person sets it.
        weight: the factor.

    Raises:
        InputError: for one that is negative or not finite.

    >>> check_weight("model.loss.kd.weight", 0.0)
    """
    if not 0 <= weight < math.inf:
        raise InputError(name, f"is {weight}", "use 0 or more")
