"""Any picture file, or the bytes of one, to RGB; hostile bytes end in one clear line.

Depth, palette, transparency, ink and orientation are settled here, so that everything after sees
upright `uint8 [H, W, 3]`. Colour profiles are not applied: the students see grey.
"""

from __future__ import annotations

import io
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from einops import repeat
from numpy.typing import NDArray
from PIL import Image

from neurogaze.errors import InputError
from neurogaze.faces.decoding import refusing

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF")
"""Of Pillow; the others are seldom photographs, and each is one more decoder for hostile bytes."""

SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".webp", ".tif", ".tiff", ".gif")
"""Of files in these formats, in lower case."""

SAVE_AS = "save it as an 8-bit PNG or JPEG"

COLOUR_MODES = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV")
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
DEEP_MODES = ("I;16", "I;16B", "I;16L", "I;16N")
"""Grey of sixteen bits; sixteen bits a colour arrive as RGB, reduced by the decoder."""

ORIENTATION, BITS_PER_SAMPLE, PHOTOMETRIC = 0x0112, 258, 262
"""Tags of TIFF 6.0 and EXIF 2.3."""
WHITE_IS_ZERO = 0

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation of EXIF 2.3, section 4.6.4; 1 is upright."""

# A decoder's remarks on odd tags or sizes are not ours to print: what matters is refused by name.
# Set once, for a filter set and reset around each call would race between threads of a server.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


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
        picture.load()
        # a TIFF is turned by its decoder, which then says so: asked only after `load`
        turn = TURNS.get(_orientation(picture))
        rgb = _deep(picture, where) if _is_deep(picture) else _light(picture)
    return np.ascontiguousarray(_turned(rgb, turn))


def _check_header(picture: Image.Image, where: str | Path, limits: Limits) -> None:
    width, height = picture.size
    if width * height > limits.pixels:
        raise _too_many(where, f"{width}x{height}", limits)
    if width * height < 1:
        raise InputError(where, f"has {width}x{height} pixels", "replace it")
    if not (picture.mode in (*COLOUR_MODES, *ALPHA_MODES) or _is_deep(picture)):
        raise InputError(where, f"has pixels of mode {picture.mode!r}", SAVE_AS)


def _too_many(where: str | Path, size: str, limits: Limits) -> InputError:
    found = f"its size {size} exceeds the {limits.pixels} pixels that are read"
    return InputError(where, found, "save it smaller")


def _is_deep(picture: Image.Image) -> bool:
    """Whether it is grey of sixteen bits; older releases of Pillow call that "I" in a PNG."""
    return picture.mode in DEEP_MODES or (picture.mode == "I" and picture.format == "PNG")


def _orientation(picture: Image.Image) -> int:
    """EXIF orientation of a loaded picture; damaged EXIF data leave a picture as it is."""
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except Exception:
        return 1


def _light(picture: Image.Image) -> NDArray[np.uint8]:
    """Pixels of up to eight bits a channel as RGB; what shines through is white."""
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("RGB"), dtype=np.uint8)
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture.convert("RGBA"))
    return np.asarray(white.convert("RGB"), dtype=np.uint8)


def _deep(picture: Image.Image, where: str | Path) -> NDArray[np.uint8]:
    """Grey of nine to sixteen bits as RGB, its whole range brought to 0..255."""
    tags = getattr(picture, "tag_v2", {})
    bits = int(tags.get(BITS_PER_SAMPLE, (16,))[0])
    if not 8 < bits <= 16:
        raise InputError(where, f"has {bits} bits a pixel", SAVE_AS)
    full = 2**bits - 1
    levels = np.minimum(np.asarray(picture).astype(np.uint32), full)
    grey = ((levels * 255 + full // 2) // full).astype(np.uint8)
    if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        grey = 255 - grey
    return repeat(grey, "h w -> h w c", c=3)


def _turned(rgb: NDArray[np.uint8], turn: Image.Transpose | None) -> NDArray[np.uint8]:
    return rgb if turn is None else np.asarray(Image.fromarray(rgb).transpose(turn))
