"""Random flips, turns, shifts, sizes, blur, light and holes, for a whole batch at once.

Every parameter comes from one generator that the caller supplies, so that equal seeds give equal
batches on every device and whatever else draws random numbers. All geometry, the crop included,
is one warp: a picture is resampled once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

import torch
from einops import einsum, rearrange
from torch import Tensor
from torch.nn.functional import interpolate

from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import centred

N_PARAMETERS = 13
N_LENS_PARAMETERS = 4
"""Drawn after the others, and only where they are used."""
ERASE_AREA = (0.02, 0.20)
"""Share of the picture that a hole covers (Zhong et al., AAAI 2020, use up to 0.4)."""
ERASE_ASPECT = (0.4, 2.5)
"""Height over width of a hole, log-uniform."""
BLUR_SIGMA = (0.5, 1.5)
"""Standard deviation of a blur, pixels of the input."""
BLUR_KERNEL = 9
COARSE_SIDE = (0.3, 0.75)
"""Side of a coarse picture, share of the input; at 44 pixels 13 to 33."""
COARSE_STEPS = 8
PROBABILITIES = ("flip", "erase", "blur", "coarse")


@dataclass(frozen=True)
class AugmentSettings:
    """How far pictures are varied in training.

    Args:
        flip: probability of a mirror image.
        degrees: largest turn to either side, degrees.
        translate: largest shift along each axis, share of the picture.
        scale: largest change of size; 0.1 means 0.9 to 1.1 times.
        brightness: largest change of grey level, on 0..1.
        contrast: largest change of contrast about the mean grey; 0.2 means 0.8 to 1.2 times.
        erase: probability of a hole of one random grey level.
        blur: probability of a Gaussian blur, as of a lens out of focus.
        coarse: probability of a loss of resolution, as of a small face in a webcam picture.
        enabled: False leaves pictures as evaluation sees them.

    Raises:
        InputError: for a negative range, a probability above 1, or a scale of 1 or more.
    """

    flip: float = 0.5
    degrees: float = 15.0
    translate: float = 0.1
    scale: float = 0.1
    brightness: float = 0.2
    contrast: float = 0.2
    erase: float = 0.25
    blur: float = 0.0
    coarse: float = 0.0
    enabled: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0 or (field.name in PROBABILITIES and value > 1):
                raise InputError(f"augment.{field.name}", f"is {value}", "choose a value in range")
        if self.scale >= 1:
            raise InputError("augment.scale", f"is {self.scale}", "choose a value below 1")


def augment(
    images: Tensor, settings: AugmentSettings, size: int, generator: torch.Generator
) -> Tensor:
    """Vary a batch of pictures.

    Args:
        images: `float [B, 1, H, W]` in 0..1, square, on any device.
        settings: how far.
        size: height and width to return, pixels: a crop from the middle, or an enlargement.
        generator: source of all chance; `13 * B` numbers are drawn on its device, and `4 * B` more
            where pictures may be blurred or coarse.

    Returns:
        `float32 [B, 1, size, size]` in 0..1.
    """
    if not settings.enabled:
        return centred(images, size)
    chance = torch.rand(len(images), N_PARAMETERS, generator=generator, device=generator.device)
    chance = chance.to(images.device)
    moved = warped(images, settings, size, chance[:, :5])
    if settings.blur or settings.coarse:
        shape = (len(images), N_LENS_PARAMETERS)
        lens = torch.rand(shape, generator=generator, device=generator.device).to(images.device)
        moved = coarsened(blurred(moved, settings, lens[:, :2]), settings, lens[:, 2:])
    return erased(relit(moved, settings, chance[:, 5:7]), settings, chance[:, 7:])


def _spread(chance: Tensor, extent: float) -> Tensor:
    """Uniform numbers in 0..1 to numbers in -extent..extent."""
    return (2.0 * chance - 1.0) * extent


def warped(images: Tensor, settings: AugmentSettings, size: int, chance: Tensor) -> Tensor:
    """Flip, turn, resize, shift and crop in one bilinear warp; the border is repeated outwards.

    Args:
        images: `float [B, 1, H, W]`.
        settings: how far.
        size: height and width to return.
        chance: `[B, 5]` uniform: flip, turn, size, shift across, shift down.
    """
    from kornia.geometry.transform import get_affine_matrix2d, warp_affine

    height, width = images.shape[-2:]
    extent = torch.tensor([width, height], dtype=images.dtype, device=images.device)
    centre = ((extent - 1.0) / 2.0).expand(len(images), 2)
    zoom = 1.0 + _spread(chance[:, 2:3], settings.scale)
    mirror = 1.0 - 2.0 * (chance[:, 0:1] < settings.flip).to(images.dtype)
    moved = get_affine_matrix2d(
        translations=_spread(chance[:, 3:5], settings.translate) * extent,
        center=centre,
        scale=torch.cat([zoom * mirror, zoom], dim=1),
        angle=_spread(chance[:, 1], settings.degrees),
    )
    to_output = _crop_matrix(height, width, size).to(images) @ moved
    return warp_affine(
        images, to_output[:, :2], (size, size), padding_mode="border", align_corners=True
    )


def _crop_matrix(height: int, width: int, size: int) -> Tensor:
    """Pixels of the picture to pixels of the middle part, enlarged if it is too small, `[3, 3]`."""
    side = min(size, height, width)
    ratio = size / side
    left, top = (width - side) // 2, (height - side) // 2
    across, down = (ratio * (0.5 - edge) - 0.5 for edge in (left, top))
    return torch.tensor([[ratio, 0.0, across], [0.0, ratio, down], [0.0, 0.0, 1.0]])


def blurred(images: Tensor, settings: AugmentSettings, chance: Tensor) -> Tensor:
    """Blur some pictures, each by its own width; the border is mirrored.

    Args:
        images: `float [B, 1, H, W]`.
        settings: how often.
        chance: `[B, 2]` uniform: whether, width.
    """
    from kornia.filters import gaussian_blur2d

    if not settings.blur:
        return images
    least, most = BLUR_SIGMA
    sigma = (least + chance[:, 1:2] * (most - least)).expand(len(images), 2)
    soft = gaussian_blur2d(images, (BLUR_KERNEL, BLUR_KERNEL), sigma, border_type="reflect")
    return torch.where(rearrange(chance[:, 0] < settings.blur, "b -> b 1 1 1"), soft, images)


def coarsened(images: Tensor, settings: AugmentSettings, chance: Tensor) -> Tensor:
    """Shrink some pictures by area and enlarge them bilinearly, each to its own size.

    Args:
        images: `float [B, 1, S, S]`.
        settings: how often.
        chance: `[B, 2]` uniform: whether, size.
    """
    if not settings.coarse:
        return images
    bank = torch.stack([_coarse_matrix(images.shape[-1], side) for side in coarse_sides(images)])
    which = (chance[:, 1] * COARSE_STEPS).long().clamp(max=COARSE_STEPS - 1)
    matrix = bank.to(images)[which]
    rough = einsum(matrix, images, matrix, "b i h, b c h w, b j w -> b c i j")
    return torch.where(rearrange(chance[:, 0] < settings.coarse, "b -> b 1 1 1"), rough, images)


def coarse_sides(images: Tensor) -> list[int]:
    """The sizes that pictures of this size may shrink to, pixels, smallest first."""
    least, most = COARSE_SIDE
    shares = torch.linspace(least, most, COARSE_STEPS).tolist()
    return [max(1, round(share * images.shape[-1])) for share in shares]


@cache
def _coarse_matrix(size: int, side: int) -> Tensor:
    """Shrinking a line of `size` pixels to `side` and enlarging it again, `[size, size]`."""
    line = rearrange(torch.eye(size), "row place -> 1 row place")
    small = interpolate(line, size=side, mode="area")
    back = interpolate(small, size=size, mode="linear", align_corners=False)
    return rearrange(back, "1 row place -> place row")


def relit(images: Tensor, settings: AugmentSettings, chance: Tensor) -> Tensor:
    """Change contrast about the mean of each picture, then brightness; clip to 0..1.

    Args:
        images: `float [B, 1, H, W]`.
        settings: how far.
        chance: `[B, 2]` uniform: brightness, contrast.
    """
    brightness = rearrange(_spread(chance[:, 0], settings.brightness), "b -> b 1 1 1")
    contrast = rearrange(1.0 + _spread(chance[:, 1], settings.contrast), "b -> b 1 1 1")
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return ((images - mean) * contrast + mean + brightness).clamp(0.0, 1.0)


def erased(images: Tensor, settings: AugmentSettings, chance: Tensor) -> Tensor:
    """Cover a rectangle with one grey level in some pictures.

    Args:
        images: `float [B, 1, H, W]`.
        settings: how often.
        chance: `[B, 6]` uniform: whether, area, aspect, top, left, grey level.
    """
    height, width = images.shape[-2:]
    area = ERASE_AREA[0] + chance[:, 1] * (ERASE_AREA[1] - ERASE_AREA[0])
    aspect = ERASE_ASPECT[0] * (ERASE_ASPECT[1] / ERASE_ASPECT[0]) ** chance[:, 2]
    down = _within(height, (area * aspect).sqrt().clamp(max=1.0), chance[:, 3])
    across = _within(width, (area / aspect).sqrt().clamp(max=1.0), chance[:, 4])
    chosen = rearrange(chance[:, 0] < settings.erase, "b -> b 1 1")
    hole = rearrange(down, "b h -> b h 1") & rearrange(across, "b w -> b 1 w") & chosen
    level = rearrange(chance[:, 5], "b -> b 1 1 1").to(images.dtype)
    return torch.where(rearrange(hole, "b h w -> b 1 h w"), level, images)


def _within(length: int, share: Tensor, place: Tensor) -> Tensor:
    """Mark, of `length` pixels, a stretch of `share` of them at `place`: `bool [B, length]`."""
    start = (place * (1.0 - share) * length).round()
    stop = start + (share * length).round()
    position = torch.arange(length, device=share.device)
    return (position >= start[:, None]) & (position < stop[:, None])
