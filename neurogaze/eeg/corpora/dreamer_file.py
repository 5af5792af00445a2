"""The one file of DREAMER, opened once: how many people, which version, and its content.

All three come from the same open handle, so the hash is that of the bytes that were read, also
where the file is replaced meanwhile. The number of people stands in the first bytes of the file: a
run whose features are stored already never unpacks the recordings.
"""

from __future__ import annotations

import hashlib
import os
import struct
import threading
import weakref
import zlib
from io import BufferedReader
from pathlib import Path

import numpy as np

from neurogaze.artefacts import file_hash
from neurogaze.eeg.corpora.mat5 import loaded
from neurogaze.eeg.corpora.sources import Identity, Stamp, readable, stamp, stamp_of
from neurogaze.errors import InputError

RECORD = "DREAMER"
PEOPLE = "Data"
RELEASE = "supply DREAMER.mat as released (Zenodo record 546113)"

HEAD_BYTES = 4096
"""More than the header, the names of the fields and the size of the first of them take."""

MOST_PEOPLE = 1000
"""A header that promises more is damaged."""

HEADER_BYTES, LITTLE_ENDIAN = 128, b"IM"
MATRIX, COMPRESSED = 14, 15  # types of a data element
CELL_CLASS, STRUCT_CLASS = 1, 2  # classes of an array


class DreamerFile:
    """`DREAMER.mat`, opened at the first question and closed when its content was handed out.

    Safe to ask from several threads.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stream: BufferedReader | None = None
        self._identity: Identity | None = None
        self._stamp: Stamp = (-1, -1, -1)  # of the version that was hashed

    def _opened(self) -> BufferedReader:
        """The handle, at the first byte."""
        if self._stream is None:
            self._stream = self.path.open("rb")
            weakref.finalize(self, self._stream.close)
        self._stream.seek(0)
        return self._stream

    def n_people(self) -> int | None:
        """Number of people by the first bytes, None where they do not begin as released."""
        with self._lock, readable(self.path, RELEASE):
            return people_in(self._opened().read(HEAD_BYTES))

    def identity(self) -> Identity:
        """Name, size and SHA-256 of the file, which is read for it in blocks.

        Raises:
            InputError: if the file cannot be read, or differs from what it was at the first call.
        """
        with self._lock:
            if self._identity is None:
                self._identity = self._hashed()
            elif (now := stamp(self.path)) != self._stamp:
                with readable(self.path, "restore the file"):
                    same = file_hash(self.path) == self._identity["sha256"]
                if not same:
                    raise self._another()
                if self._stream is None:
                    self._stamp = now
            return dict(self._identity)

    def _hashed(self) -> Identity:
        with readable(self.path, "restore the file"):
            stream = self._opened()
            self._stamp = _stamp(stream)
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return {"file": self.path.name, "bytes": stream.tell(), "sha256": digest}

    def content(self) -> np.ndarray:
        """The struct of the file, `[1, 1]`, which the caller keeps as long as it needs it.

        A second call opens the file anew.

        Raises:
            InputError: if the file is damaged, holds something else, or changed since `identity`.
        """
        with self._lock, readable(self.path):
            self._refuse_another()
            with self._opened() as stream:
                self._stream = None
                content = loaded(stream, [RECORD])
        if RECORD not in content:
            raise InputError(self.path, f"holds no variable {RECORD!r}", RELEASE)
        return np.asarray(content[RECORD])

    def _refuse_another(self) -> None:
        """The hash that was given out has to fit what is read now."""
        known = self._identity
        if known is None or _stamp(self._opened()) == self._stamp:
            return
        if self._hashed() != known:
            raise self._another()

    def _another(self) -> InputError:
        return InputError(self.path, "changed while it was in use", "start again")


def _stamp(stream: BufferedReader) -> Stamp:
    """`stamp` of an open file."""
    return stamp_of(os.fstat(stream.fileno()))


def people_in(head: bytes) -> int | None:
    """Number of people that the first bytes of a DREAMER file promise.

    Read by the layout of MAT 5 files (MathWorks, MAT-File Format, 1999-2018, chapter 1): a header,
    one compressed element, in it a struct whose first field is the cell of people.

    Args:
        head: at least the first kilobytes.

    Returns:
        The number, or None where the file is laid out in another way.
    """
    try:
        return _people_in(head)
    except (struct.error, zlib.error, IndexError, UnicodeDecodeError):
        return None


def _people_in(head: bytes) -> int | None:
    if head[HEADER_BYTES - len(LITTLE_ENDIAN) : HEADER_BYTES] != LITTLE_ENDIAN:
        return None
    matrix = head[HEADER_BYTES:]
    if _tag(matrix)[0] == COMPRESSED:
        matrix = zlib.decompressobj().decompress(matrix[8:], HEAD_BYTES)
    flags, dims, name, width, names, first = _elements(matrix, 6)
    fields = names.decode("ascii").split("\0")
    if (flags[0], name, fields[0]) != (STRUCT_CLASS, RECORD.encode(), PEOPLE) or not width:
        return None
    flags, dims = _elements(first, 2)
    count = int(np.prod(np.frombuffer(dims, dtype="<i4"), dtype=np.int64))
    return count if flags[0] == CELL_CLASS and 0 < count <= MOST_PEOPLE else None


def _tag(element: bytes) -> tuple[int, int, int]:
    """Type, size and place of the data of an element; short ones keep it inside the tag."""
    kind, size = struct.unpack_from("<II", element)
    return (kind & 0xFFFF, kind >> 16, 4) if kind >> 16 else (kind, size, 8)


def _elements(matrix: bytes, count: int) -> list[bytes]:
    """The first parts of a matrix element, as much of them as there is; matrices keep their tag."""
    if _tag(matrix)[0] != MATRIX:
        raise IndexError
    parts, rest = [], matrix[8:]
    for _ in range(count):
        kind, size, start = _tag(rest)
        parts.append(rest if kind == MATRIX else rest[start : start + size])
        rest = rest[start + size + (-(start + size)) % 8 :]
    return parts
