"""Any picture file, or the bytes of one, to RGB; hostile bytes end in one clear line.

What an upright picture is, `neurogaze.faces.upright` says, for training too; here are the limits
of what strangers may send.
"""

from __future__ import annotations

import io
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neurogaze.errors import InputError
from neurogaze.faces.decoding import FORMATS, refusing
from neurogaze.faces.upright import upright_rgb

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".webp", ".tif", ".tiff", ".gif")
"""Of files in these formats, in lower case."""


@dataclass(frozen=True)
class Limits:
    """The largest picture that is read.

    Args:
        pixels: width times height, as its header says it; checked before anything is decoded.
        bytes: of the file.
    """

    pixels: int = 50_000_000
    bytes: int = 50_000_000


def read_rgb(
    path_or_bytes: Path | bytes, limits: Limits = Limits(), name: str = ""
) -> NDArray[np.uint8]:
    """Read one picture upright and in colour.

    The first frame of an animation; palettes are looked up, transparency is laid on white, ink
    (CMYK) becomes light, sixteen bits are scaled to eight, and the EXIF orientation is applied.

    Args:
        path_or_bytes: a file, or its content.
        limits: larger pictures are refused.
        name: what to call the picture in messages; "" for its path.

    Returns:
        `uint8 [H, W, 3]`, red first.

    Raises:
        InputError: for a file that cannot be read, exceeds a limit, or is no picture in one of
            `FORMATS`; for nothing else, whatever the bytes are.
    """
    if isinstance(path_or_bytes, bytes):
        where: str | Path = name or "picture"
        content = path_or_bytes
    else:
        where = name or path_or_bytes
        content = _content(path_or_bytes, where, limits)
    _check_bytes(where, len(content), limits)
    with refusing(where):
        return _decoded(content, where, limits)


def _content(path: Path, where: str | Path, limits: Limits) -> bytes:
    """The bytes of a regular file: a pipe or a device would never end."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(where, "is not a regular file", "give a picture file")
        _check_bytes(where, status.st_size, limits)
        with path.open("rb") as file:
            return file.read(limits.bytes + 1)
    except InputError:  # a ValueError too, and one that says all there is to say
        raise
    except FileNotFoundError:
        raise InputError(where, "there is no such file", "check the name") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(where, f"cannot be read ({reason})", "check its rights") from error


def _check_bytes(where: str | Path, size: int, limits: Limits) -> None:
    if size == 0:
        raise InputError(where, "is empty (0 bytes)", "copy the picture again")
    if size > limits.bytes:
        found = f"is larger than {limits.bytes} bytes"
        raise InputError(where, found, "save it smaller")


def _decoded(content: bytes, where: str | Path, limits: Limits) -> NDArray[np.uint8]:
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise _too_many(where, "in pixels", limits) from None
    with picture:
        _check_header(picture, where, limits)
        return upright_rgb(picture, where)


def _check_header(picture: Image.Image, where: str | Path, limits: Limits) -> None:
    width, height = picture.size
    if width * height > limits.pixels:
        raise _too_many(where, f"{width}x{height}", limits)
    if width * height < 1:
        raise InputError(where, f"has {width}x{height} pixels", "replace it")


def _too_many(where: str | Path, size: str, limits: Limits) -> InputError:
    found = f"its size {size} exceeds the {limits.pixels} pixels that are read"
    return InputError(where, found, "save it smaller")
