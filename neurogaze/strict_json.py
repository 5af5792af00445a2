"""JSON from a file that somebody may have altered: whatever is wrong with it is a `ValueError`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

DIGITS = 18
"""Of a whole number, at most: it fits 64 bits, and a float."""

Pairs = list[tuple[str, Any]]


def parse(text: str, pairs: Callable[[Pairs], Any] | None = None) -> Any:
    r"""Parse JSON, and refuse what Python's parser takes but no one can use.

    Args:
        text: the JSON.
        pairs: makes a value of the keys and values of an object, in place of a `dict`.

    Raises:
        ValueError: for text that is no JSON or nests without end, NaN and infinity, numbers too
            large for a float, whole numbers of more than `DIGITS` digits, and half characters,
            which no file can hold.

    >>> parse('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    >>> parse("1" * 400)
    Traceback (most recent call last):
    ...
    ValueError: a whole number of 400 digits
    >>> parse(r'"\ud800"')
    Traceback (most recent call last):
    ...
    ValueError: half of a character
    """
    try:
        found = json.loads(
            text,
            parse_int=_whole,
            parse_float=_finite,
            parse_constant=_refused,
            object_pairs_hook=pairs,
        )
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError("nests too deeply") from error
    except UnicodeEncodeError as error:
        raise ValueError("half of a character") from error
    return found


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > DIGITS:
        raise ValueError(f"a whole number of {len(digits.lstrip('-'))} digits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number too large for a float")
    return value


def _refused(name: str) -> float:
    raise ValueError(f"{name} is no number")
