"""The file of one person in the feature store: features laid out for mapping, names deflated.

One `.npz` a person, because one file can be renamed into place as a whole and two cannot. Inside it
the features, which hardly compress, are stored as they are, so that a reader maps them instead of
copying them; names and ratings are few, deflated, and read into memory. NumPy reads the file as any
other `.npz`. It carries no times: equal columns make equal bytes.
"""

from __future__ import annotations

import io
import mmap
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import written_aside

MAPPED = "features"
"""The column that is mapped."""

PARSER = Lock()
"""Held while NumPy parses the head of an array: threads of CPython 3.11 share the depth counter of
the parser, and one that finds another's count dies of a SystemError (CPython issue 106905)."""

LOCAL_HEADER, LOCAL_SIGNATURE = struct.Struct("<4s22xHH"), b"PK\x03\x04"
"""Signature, length of the name and of the extra field, before the bytes of a member of a ZIP."""

HEAD_BYTES = 1024
"""More than the header of an array takes."""

UNREADABLE = (
    OSError, ValueError, KeyError, EOFError, RuntimeError,
    struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What reading raises for a file that is missing, cut short or altered."""


def write_columns(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """Write the columns of one person, aside and renamed.

    Args:
        path: the file.
        columns: arrays of numbers or text by name.

    Raises:
        ValueError: for an array of Python objects.
    """
    with written_aside(path) as aside, zipfile.ZipFile(aside, "w") as archive:
        for name, array in columns.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            stored = name == MAPPED
            member.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            with archive.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)


def read_columns(path: Path) -> dict[str, NDArray[Any]]:
    """Read the columns of one person; every byte is checked against its CRC-32.

    Args:
        path: a file of `write_columns`.

    Returns:
        Arrays by name; `features` is mapped and read-only.

    Raises:
        Exception: one of `UNREADABLE`, for a file that is missing, cut short or altered.
    """
    with zipfile.ZipFile(path) as archive:
        columns = {
            name.removesuffix(".npy"): _inflated(archive, name)
            for name in archive.namelist()
            if name != f"{MAPPED}.npy"
        }
        return {**columns, MAPPED: _mapped(path, archive.getinfo(f"{MAPPED}.npy"))}


def _inflated(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """One member, as a copy in memory."""
    content = io.BytesIO(archive.read(name))
    with PARSER:
        return np.asarray(np.load(content, allow_pickle=False))


def _mapped(path: Path, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One stored member as a view of the file."""
    with path.open("rb") as stream:
        whole = memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    start = member.header_offset
    signature, *lengths = LOCAL_HEADER.unpack_from(whole, start)
    start += LOCAL_HEADER.size + sum(lengths)
    content = whole[start : start + member.file_size]
    if signature != LOCAL_SIGNATURE or zlib.crc32(content) != member.CRC:
        raise zipfile.BadZipFile(f"{path}: {member.filename} is damaged")
    head = io.BytesIO(content[:HEAD_BYTES])
    with PARSER:
        np.lib.format.read_magic(head)
        shape, by_column, dtype = np.lib.format.read_array_header_1_0(head)
    offset = head.tell()
    return np.ndarray(shape, dtype, buffer=content, offset=offset, order="F" if by_column else "C")
