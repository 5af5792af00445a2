"""Picture files to grey arrays; a file that is no such picture is named, not guessed at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neurogaze.errors import InputError

READABLE_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")
"""Pillow modes of at most eight bits a channel; others would be clipped, not converted."""


def read_grey(path: Path, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Read one picture as grey levels.

    Args:
        path: any format that Pillow reads; colour is turned into ITU-R 601 luma.
        size: `(height, width)` in pixels that the picture must have, or None for any.

    Returns:
        `uint8 [H, W]`.

    Raises:
        InputError: when the file is missing, is no picture, or has another size or depth.
    """
    try:
        with Image.open(path) as picture:
            _check_header(path, picture, size)
            return np.asarray(picture.convert("L"), dtype=np.uint8)
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(path, "there is no such file", "restore the picture") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        remedy = "replace the file by the picture it is named after"
        raise InputError(path, f"not a picture ({_brief(error, path)})", remedy) from error


def _check_header(path: Path, picture: Image.Image, size: tuple[int, int] | None) -> None:
    found = (picture.height, picture.width)
    if size is not None and found != size:
        found_text, expected = f"{found[0]}x{found[1]} pixels", f"{size[0]}x{size[1]}"
        raise InputError(path, found_text, f"supply the {expected} picture of the corpus")
    if picture.mode not in READABLE_MODES:
        raise InputError(path, f"pixel mode {picture.mode!r}", "save it as 8-bit grey or RGB")


def _brief(error: BaseException, path: Path) -> str:
    return str(error).replace(str(path), path.name) or type(error).__name__
