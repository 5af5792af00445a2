"""MAT 5 files for SciPy, inflated and checked on the way.

SciPy follows the types and sizes of a MAT 5 file into memory that is not there, and the process
ends in a signal. What it reads here was walked through first, by the layout of MathWorks, "MAT-File
Format" (chapter 1): each element lies inside the one around it, has a type that its place allows,
and as many bytes as its dimensions ask for.
"""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Container, Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from neurogaze.eeg.corpora.sources import readable

HEADER_BYTES, LITTLE_ENDIAN = 128, b"\x00\x01IM"
BLOCK_BYTES = 2**18
TAG_BYTES = 8
INT8, UINT8, UINT16, INT32, UINT32, MATRIX, COMPRESSED = 1, 2, 4, 5, 6, 14, 15
ITEM_BYTES = {INT8: 1, UINT8: 1, 3: 2, UINT16: 2, INT32: 4, UINT32: 4, 7: 4, 9: 8, 12: 8, 13: 8}
"""Bytes of a number of each type."""
TEXT = frozenset({INT8, UINT8, UINT16, 16, 17, 18})  # the last three are UTF-8, -16 and -32
CELL, STRUCT, CHAR, NUMBERS = 1, 2, 4, range(6, 16)
COMPLEX_FLAG = 0x800
MAX_DIMENSIONS, MAX_DEPTH = 32, 16
MAX_FIELD_NAME = 64

Item = TypeVar("Item")
Walk = Generator[int, bytes, Item]
"""A walk asks for bytes by their number and is sent them; a negative number is passed over."""


def load_mat(path: Path, names: list[str] | None = None) -> dict[str, Any]:
    """Variables of a MAT 5 file.

    Args:
        path: the file.
        names: variables wanted; None for all.

    Raises:
        InputError: if the file is damaged or of another version.
    """
    with readable(path), path.open("rb") as stream:
        return loaded(stream, names)


def loaded(stream: BinaryIO, names: list[str] | None = None) -> dict[str, Any]:
    """Variables of an open MAT 5 file, which is read from its first byte on.

    Raises:
        ValueError: for an element that does not fit its place; SciPy and zlib raise others.
    """
    from scipy.io import loadmat

    checked: Any = CheckedMat(stream)
    return dict(loadmat(checked, variable_names=names))


class CheckedMat(io.RawIOBase):
    """A MAT 5 file as a stream without compression, every byte of it walked through.

    It goes forward, and back only within the block at hand.

    Args:
        stream: the file, at its first byte.

    Raises:
        ValueError: from any reading method, for an element that does not fit its place.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._blocks = _checked(_inflated(stream))
        self._block, self._start, self._at = b"", 0, 0

    def _next(self) -> bool:
        """Have the next block at hand, unless there is none."""
        block = next(self._blocks, b"")
        if block:
            self._start += len(self._block)
            self._block = block
        return bool(block)

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        parts, wanted = [], math.inf if size is None or size < 0 else size
        while wanted > 0:
            offset = self._at - self._start
            if offset == len(self._block) and not self._next():
                break
            offset = self._at - self._start
            part = self._block[offset : offset + int(min(wanted, len(self._block)))]
            parts.append(part)
            self._at += len(part)
            wanted -= len(part)
        return b"".join(parts)

    def tell(self) -> int:
        """Place in the inflated file."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, which must not lie before the block at hand.

        Raises:
            ValueError: for a place that is gone, or one counted from the end.
        """
        target = offset + (self._at if whence == 1 else 0)
        if target < self._start or whence == 2:
            raise ValueError("this stream does not go back")
        while target > self._start + len(self._block) and self._next():
            pass
        self._at = min(target, self._start + len(self._block))
        return self._at


def _inflated(stream: BinaryIO) -> Iterator[bytes]:
    """Blocks of the file: its header, then its elements, those compressed inflated."""
    header = stream.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or header[-4:] != LITTLE_ENDIAN:
        raise ValueError("no header of a MAT 5 file")
    yield header
    while tag := stream.read(TAG_BYTES):
        if len(tag) < TAG_BYTES:
            raise ValueError("ends within a tag")
        kind, size = struct.unpack("<II", tag)
        if kind != COMPRESSED:
            yield tag
            yield from _blocks(stream, size)
            continue
        yield from _first_matrix(_deflated(stream, size))


def _deflated(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """What the next `size` bytes of a file inflate to, in blocks."""
    inflate = zlib.decompressobj()
    for block in _blocks(stream, size):
        while block and not inflate.eof:
            yield inflate.decompress(block, BLOCK_BYTES)
            block = inflate.unconsumed_tail
    yield inflate.flush()


def _first_matrix(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The one element that was compressed; what follows it, where it was overlong, is dropped."""
    held, left = b"", math.inf
    for block in blocks:
        held += block
        if left == math.inf and len(held) >= TAG_BYTES:
            left = TAG_BYTES + struct.unpack("<II", held[:TAG_BYTES])[1]
        if left < math.inf:
            yield held[: int(left)]
            left -= min(left, len(held))
            held = b""


def _blocks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """The next bytes of a file, in blocks."""
    while size:
        block = stream.read(min(size, BLOCK_BYTES))
        if not block:
            raise ValueError(f"ends {size} bytes early")
        size -= len(block)
        yield block


def _checked(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks, each handed on after the walk went through it."""
    walk = _file()
    wanted, held = next(walk), b""
    for block in blocks:
        held, at = held + block, 0
        while at < len(held):
            step = min(abs(wanted), len(held) - at)
            if 0 <= step < wanted:
                break
            at += step
            if wanted + step < 0:
                wanted += step
            else:
                wanted = walk.send(held[at - step : at] if wanted > 0 else b"")
        held = held[at:]
        if block:
            yield block


def _file() -> Walk[None]:
    """Walk through a file."""
    yield HEADER_BYTES
    while True:
        kind, size = struct.unpack("<II", (yield TAG_BYTES))
        if kind != MATRIX or not size:
            raise ValueError(f"element of type {kind} where a variable should be")
        yield from _matrix(size, 0)


def _matrix(left: int, depth: int) -> Walk[None]:
    """Walk through an array of `left` bytes, tag not counted."""
    if depth > MAX_DEPTH:
        raise ValueError(f"arrays lie more than {MAX_DEPTH} deep in each other")
    flags, left = yield from _part(left, {UINT32}, 8)
    dimensions, left = yield from _part(left, {INT32}, 4 * MAX_DIMENSIONS)
    _, left = yield from _part(left, {INT8, 16}, left)
    if len(flags) != 8 or len(dimensions) % 4 or len(dimensions) < 8:
        raise ValueError(f"array of {len(dimensions)} bytes of dimensions")
    shape = struct.unpack(f"<{len(dimensions) // 4}i", dimensions)
    if min(shape) < 0:
        raise ValueError(f"array of shape {shape}")
    (word,) = struct.unpack("<I", flags[:4])
    left = yield from _content(word, math.prod(shape), left, depth)
    if left:
        raise ValueError(f"array of shape {shape} ends {left} bytes early")


def _content(word: int, count: int, left: int, depth: int) -> Walk[int]:
    """Walk through the items of an array; returns the bytes that are left."""
    kind = word & 0xFF
    if kind in NUMBERS:
        for _ in range(2 if word & COMPLEX_FLAG else 1):
            left = yield from _numbers(left, count)
        return left
    if kind == CHAR:
        return (yield from _text(left, count))
    if kind == STRUCT:
        width, left = yield from _part(left, {INT32}, 4)
        names, left = yield from _part(left, {INT8}, left)
        length = int.from_bytes(width, "little")
        if not 0 < length <= MAX_FIELD_NAME or len(names) % length:
            raise ValueError(f"{len(names)} bytes of field names of {length}")
        count *= len(names) // length
    elif kind != CELL:
        raise ValueError(f"array of class {kind}")
    if count * TAG_BYTES > left:
        raise ValueError(f"{count} arrays in {left} bytes")
    for _ in range(count):
        left = yield from _child(left, depth)
    return left


def _child(left: int, depth: int) -> Walk[int]:
    """Walk through an array within another; returns the bytes that are left."""
    kind, size = struct.unpack("<II", (yield TAG_BYTES))
    left -= TAG_BYTES + size
    if kind != MATRIX or left < 0:
        raise ValueError(f"element of type {kind} and {size} bytes where an array should be")
    if size:
        yield from _matrix(size, depth + 1)
    return left


def _tag(left: int, allowed: Container[int]) -> Walk[tuple[int, int, bytes]]:
    """A tag; returns type, size, and the data of a short element, which are in the tag."""
    if left < TAG_BYTES:
        raise ValueError(f"element in {left} bytes")
    tag = yield TAG_BYTES
    kind, size = struct.unpack("<II", tag)
    short = kind >> 16
    if short:
        kind, size = kind & 0xFFFF, short
    padded = 0 if short else size + -size % TAG_BYTES
    if kind not in allowed or short > 4 or TAG_BYTES + padded > left:
        raise ValueError(f"element of type {kind} and {size} bytes in {left}")
    return kind, size, tag[4 : 4 + short]


def _part(left: int, allowed: Container[int], most: int) -> Walk[tuple[bytes, int]]:
    """A short part of an array; returns its data and the bytes that are left of the array."""
    _, size, data = yield from _tag(left, allowed)
    if size > most:
        raise ValueError(f"{size} bytes where there are at most {most}")
    if data or not size:
        return data, left - TAG_BYTES
    padded = size + -size % TAG_BYTES
    data = yield padded
    return data[:size], left - TAG_BYTES - padded


def _passed(left: int, size: int, data: bytes) -> Walk[int]:
    """Pass over the data of an element; returns the bytes that are left of the array."""
    padded = 0 if data else size + -size % TAG_BYTES
    if padded:
        yield -padded
    return left - TAG_BYTES - padded


def _numbers(left: int, count: int) -> Walk[int]:
    """Pass over numbers; returns the bytes that are left of the array."""
    kind, size, data = yield from _tag(left, ITEM_BYTES)
    if size != count * ITEM_BYTES[kind]:
        raise ValueError(f"{size} bytes of type {kind} for {count} numbers")
    return (yield from _passed(left, size, data))


def _text(left: int, count: int) -> Walk[int]:
    """Pass over characters; returns the bytes that are left of the array."""
    kind, size, data = yield from _tag(left, TEXT)
    if count > size:
        raise ValueError(f"{size} bytes of type {kind} for {count} characters")
    return (yield from _passed(left, size, data))
