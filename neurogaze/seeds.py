"""Seeds of whatever is drawn by lot."""

from __future__ import annotations

from neurogaze.errors import InputError


def check_seed(seed: int, where: str) -> None:
    """Refuse a seed that NumPy does not take.

    Args:
        seed: of a generator.
        where: option that gave it.

    Raises:
        InputError: for a seed below 0.

    >>> check_seed(0, "--seed")
    >>> check_seed(-1, "--seed")
    Traceback (most recent call last):
    ...
    neurogaze.errors.InputError: --seed: is -1. Remedy: choose 0 or more.
    """
    if seed < 0:
        raise InputError(where, f"is {seed}", "choose 0 or more")
