"""Random flips, turns, shifts, sizes, light and holes, for a whole batch at once.

Every parameter comes from one generator that the caller supplies, so that equal seeds give equal
batches on every device and whatever else draws random numbers. All geometry, the crop included,
is one warp: a picture is resampled once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from einops import rearrange
from torch import Tensor

from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import centred

N_PARAMETERS = 13
ERASE_AREA = (0.02, 0.20)
"""Share of the picture that a hole covers (Zhong et al., AAAI 2020, use up to 0.4)."""
ERASE_ASPECT = (0.4, 2.5)
"""Height over width of a hole, log-uniform."""
PROBABILITIES = ("flip", "erase")


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
        generator: source of all chance; `13 * B` numbers are drawn on its device.

    Returns:
        `float32 [B, 1, size, size]` in 0..1.
    """
    if not settings.enabled:
        return centred(images, size)
    chance = torch.rand(len(images), N_PARAMETERS, generator=generator, device=generator.device)
    chance = chance.to(images.device)
    return erased(
        relit(warped(images, settings, size, chance[:, :5]), settings, chance[:, 5:7]),
        settings,
        chance[:, 7:],
    )


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
