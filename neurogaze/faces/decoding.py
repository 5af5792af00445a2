"""Picture files to grey arrays; a file that is no such picture is named, not guessed at.

Pixels are those of the file as it is stored, which is what published corpora and their face boxes
mean. Pictures of unknown origin are read by `neurogaze.faces.upright`.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from neurogaze.errors import InputError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""Of Pillow. It goes by the content, whatever the name says, and each further format is one more
decoder for hostile bytes: PostScript would even start another program, Ghostscript."""

READABLE_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")
"""Pillow modes of at most eight bits a channel; others would be clipped, not converted."""

LONGEST_REASON = 120
"""Characters of a decoder's own words that are passed on: they may quote the file."""


def read_grey(path: Path, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Read one picture as grey levels.

    Args:
        path: in one of `FORMATS`; colour is turned into ITU-R 601 luma.
        size: `(height, width)` in pixels that the picture must have, or None for any.

    Returns:
        `uint8 [H, W]`.

    Raises:
        InputError: when the file is missing, is no such picture, or has another size or depth.
    """
    with refusing(path), opened(path) as picture:
        _check_header(path, picture, size)
        return np.asarray(picture.convert("L"), dtype=np.uint8)


def opened(path: Path) -> Image.Image:
    """Open a picture file, inside a block of `refusing`.

    Raises:
        InputError: for what is no regular file: a pipe or a device would never end.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(path, "is not a regular file", "restore the picture")
    return Image.open(path, formats=FORMATS)


@contextmanager
def refusing(where: str | Path) -> Iterator[None]:
    """Turn whatever a decoder raises inside the block into one `InputError` about `where`.

    Decoders raise any error at all on damaged bytes, so none is listed: only calls of a decoder
    belong inside the block.

    Raises:
        InputError: for a missing file, and for bytes that are no picture.
    """
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(where, "there is no such file", "restore the picture") from None
    except Exception as error:
        remedy = "replace the file by the picture it is named after"
        raise InputError(where, f"not a picture ({_brief(error, where)})", remedy) from error


def _check_header(path: Path, picture: Image.Image, size: tuple[int, int] | None) -> None:
    found = (picture.height, picture.width)
    if size is not None and found != size:
        found_text, expected = f"{found[0]}x{found[1]} pixels", f"{size[0]}x{size[1]}"
        raise InputError(path, found_text, f"supply the {expected} picture of the corpus")
    if picture.mode not in READABLE_MODES:
        raise InputError(path, f"pixel mode {picture.mode!r}", "save it as 8-bit grey or RGB")


def _brief(error: BaseException, where: str | Path) -> str:
    """The words of a decoder in one printable line, without the folder."""
    if isinstance(error, UnidentifiedImageError):
        return "its format is unknown"
    text = str(error).replace(str(where), Path(where).name) or type(error).__name__
    line = "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}..."
