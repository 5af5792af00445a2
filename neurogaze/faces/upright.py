"""Decoded pictures to upright RGB or grey, the same in training and in deployment.

Depth, palette, transparency, ink and orientation are settled here, so that everything after sees
upright `uint8`. Colour profiles are not applied: the students see grey.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from einops import repeat
from numpy.typing import NDArray
from PIL import Image

from neurogaze.errors import InputError
from neurogaze.faces.decoding import opened, refusing

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


def read_upright(path: Path) -> NDArray[np.uint8]:
    """Read one picture file as upright grey levels, as a deployed student is shown it.

    Args:
        path: in one of `decoding.FORMATS`; colour is turned into ITU-R 601 luma.

    Returns:
        `uint8 [H, W]`, of the upright picture.

    Raises:
        InputError: when the file is missing, is no such picture, or has another depth.
    """
    with refusing(path), opened(path) as picture:
        return np.asarray(Image.fromarray(upright_rgb(picture, path)).convert("L"), dtype=np.uint8)


def upright_rgb(picture: Image.Image, where: str | Path) -> NDArray[np.uint8]:
    """Decode a picture upright and in colour.

    Palettes are looked up, transparency is laid on white, ink (CMYK) becomes light, sixteen bits
    are scaled to eight, and the EXIF orientation is applied.

    Args:
        picture: opened, not necessarily loaded.
        where: what to call it in messages.

    Returns:
        `uint8 [H, W, 3]`, red first.

    Raises:
        InputError: for pixels of another kind; decoders raise anything, see `decoding.refusing`.
    """
    if not (picture.mode in (*COLOUR_MODES, *ALPHA_MODES) or _is_deep(picture)):
        raise InputError(where, f"has pixels of mode {picture.mode!r}", SAVE_AS)
    picture.load()
    # a TIFF is turned by its decoder, which then says so: asked only after `load`
    turn = TURNS.get(_orientation(picture))
    rgb = _deep(picture, where) if _is_deep(picture) else _light(picture)
    return np.ascontiguousarray(_turned(rgb, turn))


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
