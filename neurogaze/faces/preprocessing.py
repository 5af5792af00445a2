"""Grey pictures to what a network takes: the same steps in training, evaluation and deployment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from einops import rearrange, repeat
from torch import Tensor
from torch.nn.functional import interpolate

from neurogaze.errors import InputError

WHITE = 255.0


@dataclass(frozen=True)
class FacePreprocessing:
    """How a grey picture becomes network input.

    Args:
        size: height and width of the input, pixels.
        channels: 1, or 3 to repeat the grey channel.
        mean: subtracted from grey levels in 0..1.
        std: divided by afterwards.

    Raises:
        InputError: for a size, number of channels, mean or deviation that makes no picture.
    """

    size: int = 44
    channels: int = 1
    mean: float = 0.5
    std: float = 0.25

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError("preprocessing.size", f"is {self.size}", "give pixels, such as 44")
        if self.channels not in (1, 3):
            raise InputError("preprocessing.channels", f"is {self.channels}", "use 1 or 3")
        if not math.isfinite(self.mean):
            raise InputError("preprocessing.mean", f"is {self.mean}", "give a number, such as 0.5")
        if not (math.isfinite(self.std) and self.std > 0):
            raise InputError("preprocessing.std", f"is {self.std}", "give a number above 0")


def to_unit(images: Tensor) -> Tensor:
    """Grey levels in 0..1 with a channel axis, `float32 [B, 1, H, W]`.

    Args:
        images: `uint8 [B, H, W]`, or already `float [B, 1, H, W]` in 0..1.

    Raises:
        InputError: for any other type or shape.
    """
    if images.dtype == torch.uint8 and images.ndim == 3:
        return rearrange(images, "b h w -> b 1 h w").float() / WHITE
    if images.is_floating_point() and images.ndim == 4 and images.shape[1] == 1:
        return images.float()
    raise InputError(
        "face images",
        f"are {images.dtype} of shape {tuple(images.shape)}",
        "give uint8 [B, H, W] or float [B, 1, H, W] in 0..1",
    )


def centred(images: Tensor, size: int) -> Tensor:
    """Cut `size` x `size` pixels out of the middle; enlarge bilinearly where there are fewer.

    Args:
        images: `float [B, 1, H, W]`.
        size: height and width to return, pixels. A side with an odd number of pixels to spare
            loses the additional one at the end.
    """
    height, width = images.shape[-2:]
    side = min(size, height, width)
    top, left = (height - side) // 2, (width - side) // 2
    cut = images[..., top : top + side, left : left + side]
    if side == size:
        return cut
    return interpolate(cut, size=(size, size), mode="bilinear", align_corners=False)


def to_input(images: Tensor, prep: FacePreprocessing) -> Tensor:
    """Centre, standardise and repeat channels, without chance.

    Args:
        images: `uint8 [B, H, W]`, or `float [B, 1, H, W]` in 0..1.
        prep: the settings.

    Returns:
        `float32 [B, channels, size, size]`.

    Raises:
        InputError: for another type or shape of images.
    """
    grey = (centred(to_unit(images), prep.size) - prep.mean) / prep.std
    return repeat(grey, "b 1 h w -> b c h w", c=prep.channels) if prep.channels > 1 else grey
