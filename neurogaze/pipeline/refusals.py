"""Numbers and names of settings files that there cannot be: refused before hours are spent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from neurogaze.errors import InputError

WORD = re.compile(r"[A-Za-z0-9_+.]+")
"""Names of arms: they become the beginning of folders, which ends with a hyphen."""

LAST_WORD = re.compile(r"[A-Za-z0-9_+.-]+")
"""Names of data sets: they become the end of folders."""

NAME = re.compile(r"[A-Za-z0-9_+.][A-Za-z0-9_+. ]*")
"""Names that become folders with a blank written as "_"."""

ONE_A_CORE = "give 1 or more, or null for one a core"
"""What to do about a number of workers that there cannot be."""

LAST_SEED = 2**32 - 1
"""The largest seed that NumPy and Lightning take."""


def refuse_below_one(key: str, count: int | None, remedy: str = "give 1 or more") -> None:
    """Refuse a count below 1.

    Args:
        key: that gives it.
        count: as given; None is left to others.
        remedy: what to do.

    Raises:
        InputError: naming the key.
    """
    if count is not None and count < 1:
        raise InputError(key, f"is {count}", remedy)


def refuse_no_seed(key: str, seeds: Iterable[int]) -> None:
    """Refuse seeds that no generator takes.

    Args:
        key: that gives them.
        seeds: as given.

    Raises:
        InputError: naming the key and the first of them.
    """
    for seed in seeds:
        if not 0 <= seed <= LAST_SEED:
            raise InputError(key, f"{seed} is no seed", f"choose from 0 to {LAST_SEED}")


def refuse_unfit_seeds(seeds: Sequence[int]) -> None:
    """Refuse seeds over which nothing could be averaged.

    Args:
        seeds: as given under `seeds`.

    Raises:
        InputError: for none, one that no generator takes, or one that stands there twice.
    """
    if not seeds:
        raise InputError("seeds", "are none", "name one or more, such as [0, 1, 2]")
    refuse_no_seed("seeds", seeds)
    twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
    if twice:  # it would count as two draws, and be one
        raise InputError("seeds", f"name {twice} more than once", "name each once")


def refuse_no_folders(key: str, names: Iterable[str], last: bool = False) -> None:
    """Refuse names that make no folder as they are.

    Args:
        key: that gives them.
        names: as given.
        last: whether they stand at the end of a folder's name, where a hyphen parts nothing.

    Raises:
        InputError: naming the key and the first of them.
    """
    pattern, signs = (LAST_WORD, "_, +, . and -") if last else (WORD, "_, + and .")
    for name in names:
        if not pattern.fullmatch(name):
            raise InputError(key, f"{name!r} makes no folder", f"use letters, digits, {signs}")


def refuse_shared_folders(key: str, names: Iterable[str]) -> None:
    """Refuse names that make no folder, or the folder of another where a blank is "_".

    Args:
        key: that gives them.
        names: as given.

    Raises:
        InputError: naming the key and the first of them.
    """
    known: dict[str, str] = {}
    for name in names:
        if not NAME.fullmatch(name):
            remedy = "use letters, digits, _, +, . and blanks"
            raise InputError(key, f"{name!r} makes no folder", remedy)
        other = known.setdefault(name.replace(" ", "_"), name)
        if other != name:
            found = f"{other!r} and {name!r} would share a folder, where a blank is _"
            raise InputError(key, found, "let them differ in more than blanks")
