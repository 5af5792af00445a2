"""Noise, blur, low contrast, JPEG and occlusion at five severities, the same for every student.

Severities 1 to 5 after Hendrycks and Dietterich (2019), "Benchmarking Neural Network Robustness to
Common Corruptions and Perturbations", arXiv 1903.12261. They publish one set of parameters a size
of picture; 48 pixels lie between their sets for 32 and 64. Ours are:

* noise, contrast and JPEG: as published for 64 pixels (Tiny ImageNet-C);
* blur: published for 64 pixels, times 48/64, so that it covers the same share of a face;
* occlusion: not in their set. Areas, aspect and the two levels are ours.

A result is rounded to the nearest grey level, where their code cuts off the fraction. What chance a
picture meets depends on the seed, the corruption, the severity and its id, and on nothing else:
not on its place in the table, nor on the pictures beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import WHITE

Picture = NDArray[np.uint8]

SEVERITIES = (1, 2, 3, 4, 5)
NOISE_DEVIATION = (0.04, 0.08, 0.12, 0.15, 0.18)
"""Standard deviation of the noise, as a share of white; published for 64 pixels."""
BLUR_SIGMA = (0.375, 0.5625, 0.75, 0.9375, 1.125)
"""Standard deviation of the kernel, pixels; (0.5, 0.75, 1, 1.25, 1.5) at 64 pixels, times 48/64."""
CONTRAST = (0.4, 0.3, 0.2, 0.1, 0.05)
"""Factor on the distance from the mean grey of the picture; published for 64 pixels."""
JPEG_QUALITY = (65, 58, 50, 40, 25)
"""Quality as Pillow counts it; published for 64 pixels."""
OCCLUDED_AREA = (0.05, 0.1, 0.2, 0.3, 0.4)
"""Share of the picture under the rectangle; ours."""
OCCLUSION_ASPECT = (0.5, 2.0)
"""Height over width of the rectangle, log-uniform; ours."""
OCCLUSION_LEVELS = (0, 128)
"""Black or mid-grey, with equal chance; ours."""


def noise(picture: Picture, deviation: float, generator: np.random.Generator) -> Picture:
    """Add Gaussian noise, independent from pixel to pixel, and clip.

    Args:
        picture: `uint8 [H, W]`.
        deviation: standard deviation, share of white.
        generator: draws one normal number a pixel.
    """
    shift = deviation * WHITE * generator.standard_normal(picture.shape)
    return _grey(picture + shift)


def blur(picture: Picture, sigma: float, generator: np.random.Generator) -> Picture:
    """Convolve with a Gaussian, the border repeated outwards.

    Args:
        picture: `uint8 [H, W]`.
        sigma: standard deviation of the kernel, pixels.
        generator: not used; blur has no chance in it.
    """
    from scipy.ndimage import gaussian_filter

    return _grey(gaussian_filter(picture.astype(np.float64), sigma, mode="nearest"))


def contrast(picture: Picture, factor: float, generator: np.random.Generator) -> Picture:
    """Bring every pixel nearer to the mean grey of the picture.

    Args:
        picture: `uint8 [H, W]`.
        factor: what remains of the distance from the mean.
        generator: not used; there is no chance in it.
    """
    mean = picture.mean()
    return _grey((picture - mean) * factor + mean)


def jpeg(picture: Picture, quality: float, generator: np.random.Generator) -> Picture:
    """Store as grey JPEG and read back, in memory.

    Args:
        picture: `uint8 [H, W]`.
        quality: 1 to 95, as Pillow counts it.
        generator: not used; there is no chance in it.
    """
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=int(quality))
    with Image.open(stream) as stored:
        return np.array(stored)


def occlusion(picture: Picture, area: float, generator: np.random.Generator) -> Picture:
    """Cover a rectangle, wholly inside the picture, with one level of grey.

    Args:
        picture: `uint8 [H, W]`.
        area: share of the picture to cover; sides are rounded to whole pixels.
        generator: draws aspect, place and level.
    """
    height, width = picture.shape
    low, high = np.log(OCCLUSION_ASPECT)
    aspect = np.exp(generator.uniform(low, high))
    down = min(height, round(height * np.sqrt(area * aspect)))
    across = min(width, round(area * height * width / max(1, down)))
    top = int(generator.integers(0, height - down, endpoint=True))
    left = int(generator.integers(0, width - across, endpoint=True))
    covered = picture.copy()
    covered[top : top + down, left : left + across] = generator.choice(OCCLUSION_LEVELS)
    return covered


def _grey(values: NDArray[np.floating]) -> Picture:
    """Nearest grey levels, clipped to what a picture can hold."""
    return np.rint(np.clip(values, 0, WHITE)).astype(np.uint8)


class Corruption(NamedTuple):
    """A way to spoil a picture.

    Attributes:
        apply: picture `uint8 [H, W]`, level and generator to a picture of the same shape.
        levels: its parameter at severities 1 to 5.
    """

    apply: Callable[[Picture, float, np.random.Generator], Picture]
    levels: tuple[float, ...]


CORRUPTIONS: Mapping[str, Corruption] = {
    "noise": Corruption(noise, NOISE_DEVIATION),
    "blur": Corruption(blur, BLUR_SIGMA),
    "contrast": Corruption(contrast, CONTRAST),
    "jpeg": Corruption(jpeg, JPEG_QUALITY),
    "occlusion": Corruption(occlusion, OCCLUDED_AREA),
}
"""All of them by name, in the order of tables and figures."""


def generator_of(seed: int, corruption: str, severity: int, row: str) -> np.random.Generator:
    """The source of chance of one picture under one condition.

    Args:
        seed: another seed is another draw for every picture.
        corruption: name of the corruption.
        severity: 1 to 5.
        row: id of the picture.
    """
    text = f"{seed}|{corruption}|{severity}|{row}"
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest(), "little"))


def corrupt(
    images: NDArray[np.uint8],
    ids: Sequence[str] | NDArray[np.str_],
    corruption: str,
    severity: int,
    seed: int = 0,
) -> NDArray[np.uint8]:
    """Spoil pictures in one way, each by its own chance.

    Args:
        images: `uint8 [N, H, W]`.
        ids: name of each picture, `[N]`; its chance depends on it.
        corruption: one of `CORRUPTIONS`.
        severity: 1 to 5. The clean picture is no severity.
        seed: of the chance.

    Returns:
        `uint8 [N, H, W]`, new memory.

    Raises:
        InputError: for another corruption or severity, other types, or ids that do not fit.
    """
    if corruption not in CORRUPTIONS:
        found = f"{corruption!r} is not known"
        raise InputError("corruption", found, f"use one of {', '.join(CORRUPTIONS)}")
    if severity not in SEVERITIES:
        raise InputError(f"{corruption} severity", f"is {severity}", "use 1 to 5")
    if images.dtype != np.uint8 or images.ndim != 3 or len(ids) != len(images):
        found = f"are {images.dtype} of shape {images.shape} with {len(ids)} ids"
        raise InputError("pictures", found, "give uint8 [N, H, W] and N ids")
    apply, levels = CORRUPTIONS[corruption]
    spoiled = np.empty(images.shape, np.uint8)
    for row, (picture, name) in enumerate(zip(images, ids, strict=True)):
        draw = generator_of(seed, corruption, severity, str(name))
        spoiled[row] = apply(np.asarray(picture), levels[severity - 1], draw)
    return spoiled
