"""A small convolutional network on scalp maps that are made on the device.

A map is linear in the electrode values, so it is one matrix product; no map is ever stored.
"""

from __future__ import annotations

import math

import torch
from einops import einsum, rearrange, reduce, repeat
from torch import Tensor, nn

from neurogaze.errors import InputError

WIDTHS = (32, 64, 128)


def draw_maps(features: Tensor, matrix: Tensor, mask: Tensor) -> Tensor:
    """Interpolate electrode values to maps and add the mask as the last channel.

    Args:
        features: `[B, C, K]`, standardised, so that the 0 outside the mask is the mean.
        matrix: `[size * size, C]`, interpolation weights.
        mask: bool `[size * size]`, True where the map has a value.

    Returns:
        `[B, K + 1, size, size]`.
    """
    maps = einsum(matrix, features, "p c, b c k -> b k p")
    maps = torch.where(mask, maps, maps.new_zeros(()))
    seen = repeat(mask.to(maps.dtype), "p -> b 1 p", b=features.shape[0])
    return rearrange(torch.cat([maps, seen], 1), "b k (y x) -> b k y x", y=math.isqrt(len(mask)))


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    """Convolution, batch normalisation, GELU and a pool that halves the map."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.GELU(),
        nn.MaxPool2d(2),
    )


class TopomapEncoder(nn.Module):
    """Three convolutions over the band maps of a window, then the mean over the map.

    The matrix and the mask are kept with the weights: a checkpoint holds its own electrode layout.

    Args:
        matrix: `[size * size, C]`, interpolation weights of the electrodes.
        mask: bool `[size * size]`, True inside the map.
        n_bands: frequency bands.
    """

    matrix: Tensor
    mask: Tensor
    width = WIDTHS[-1]

    def __init__(self, matrix: Tensor, mask: Tensor, n_bands: int = 4) -> None:
        super().__init__()
        side = math.isqrt(len(mask))
        if side * side != len(mask) or len(matrix) != len(mask) or side < 2 ** len(WIDTHS):
            raise InputError(
                "map_size",
                f"{len(matrix)} rows and {len(mask)} mask points make no usable square map",
                f"use a map of at least {2 ** len(WIDTHS)} points a side",
            )
        self.register_buffer("matrix", matrix.float())
        self.register_buffer("mask", mask.bool())
        pairs = zip((n_bands + 1, *WIDTHS), WIDTHS, strict=False)
        self.stages = nn.Sequential(*(_stage(inputs, outputs) for inputs, outputs in pairs))

    def forward(self, features: Tensor) -> Tensor:
        """Encode standardised features, `[B, C, K]` to `[B, 128]`."""
        maps = draw_maps(features, self.matrix, self.mask)
        return reduce(self.stages(maps), "b d y x -> b d", "mean")
