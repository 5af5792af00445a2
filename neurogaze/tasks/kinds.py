"""Parts of another kind refused in one line: faces where recordings belong, and so on."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from neurogaze.errors import InputError

K = TypeVar("K")


def of_kind(where: str | Path, part: object, kind: type[K]) -> K:
    """A data module or task, if it is what its place asks for.

    Args:
        where: file or key that names it.
        part: what is there.
        kind: what must be there.

    Raises:
        InputError: for anything else.
    """
    if not isinstance(part, kind):
        raise InputError(where, f"is {_one(type(part))}", f"name {_one(kind)}")
    return part


def _one(kind: type) -> str:
    """A class in a sentence.

    >>> _one(int), _one(float)
    ('an int', 'a float')
    """
    article = "an" if kind.__name__[0].lower() in "aeiou" else "a"
    return f"{article} {kind.__name__}"
