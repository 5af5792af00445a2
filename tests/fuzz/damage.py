"""Ways in which a file is damaged, each a pure function of its content and a generator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

MOST_BITS = 8
LONGEST_BLOCK = 12  # as a power of two, bytes


def place(size: int, rng: np.random.Generator) -> int:
    """A byte of a file: anywhere, or near one of its ends, where formats keep their structure."""
    near = int(size ** rng.random()) - 1
    return min(size - 1, (int(rng.integers(size)), near, size - 1 - near)[rng.integers(3)])


def _block(size: int, rng: np.random.Generator) -> slice:
    start = place(size, rng)
    return slice(start, start + int(2 ** (LONGEST_BLOCK * rng.random())))


def cut(content: bytes, rng: np.random.Generator) -> bytes:
    """The beginning only."""
    return content[: place(len(content), rng)]


def flip(content: bytes, rng: np.random.Generator) -> bytes:
    """A few bits turned over."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, MOST_BITS + 1)):
        changed[place(len(changed), rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def zero(content: bytes, rng: np.random.Generator) -> bytes:
    """A block of zeros."""
    changed = bytearray(content)
    where = _block(len(changed), rng)
    changed[where] = bytes(len(changed[where]))
    return bytes(changed)


def double(content: bytes, rng: np.random.Generator) -> bytes:
    """A block that is there twice, so that all that follows has moved."""
    where = _block(len(content), rng)
    return content[: where.stop] + content[where] + content[where.stop :]


def digit(content: bytes, rng: np.random.Generator) -> bytes:
    """One digit of a number in text exchanged for another, or a bit turned over without one."""
    changed = bytearray(content)
    start = place(len(changed), rng)
    at = next((i for i in range(start, len(changed)) if chr(changed[i]).isdecimal()), None)
    if at is None:
        return flip(content, rng)
    changed[at] = ord("0") + int(rng.integers(10))
    return bytes(changed)


DAMAGES: tuple[Callable[[bytes, np.random.Generator], bytes], ...] = (
    cut, flip, zero, double, digit,
)  # fmt: skip


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """The content after one kind of damage, which differs from it.

    Args:
        content: not empty.
        rng: decides the kind and the place.
    """
    while True:
        changed = DAMAGES[rng.integers(len(DAMAGES))](content, rng)
        if changed != content:
            return changed
