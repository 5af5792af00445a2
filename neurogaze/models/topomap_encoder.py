"""A small convolutional network on scalp maps that are made on the device.

A map is linear in the electrode values, so it is one matrix product; no map is ever stored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from einops import einsum, rearrange, reduce, repeat
from torch import Tensor, nn

from neurogaze.errors import InputError

WIDTHS = (32, 64, 128)

MapMode = Literal["hull", "head"]
MapMethod = Literal["cubic", "linear"]


@dataclass(frozen=True)
class Maps:
    """How scalp maps are drawn; see `neurogaze.eeg.topomap.interpolation_matrix`.

    Args:
        size: points on a side.
        mode: "hull" ends at the outer electrodes, "head" at the head circle.
        method: "cubic" or "linear".
        symmetric: average each map with its mirror image, left to right.
    """

    size: int = 32
    mode: MapMode = "hull"
    method: MapMethod = "cubic"
    symmetric: bool = False

    def layout(self, channels: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Weights `[size * size, C]` and mask `[size * size]`; needs electrode positions."""
        from neurogaze.eeg.topomap import interpolation_matrix

        matrix, mask = interpolation_matrix(
            channels, self.size, self.mode, self.method, self.symmetric
        )
        return torch.tensor(matrix), torch.tensor(mask)


def draw_maps(features: Tensor, matrix: Tensor, mask: Tensor) -> Tensor:
    """Interpolate electrode values to maps and add the mask as the last channel.

    Args:
        features: `[B, C, K]`, standardised, so that the 0 outside the mask is the mean.
        matrix: `[size * size, C]`, interpolation weights.
        mask: bool `[size * size]`, True where the map has a value.

    Returns:
        `[B, K + 1, size, size]`, laid out in memory with the channels last.
    """
    maps = einsum(matrix, features, "p c, b c k -> b p k")
    maps = torch.where(mask[:, None], maps, maps.new_zeros(()))
    seen = repeat(mask.to(maps.dtype), "p -> b p 1", b=features.shape[0])
    return rearrange(torch.cat([maps, seen], 2), "b (y x) k -> b k y x", y=math.isqrt(len(mask)))


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
    Maps and kernels lie in memory with the channels last, which is faster on a CPU.

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
        stages = nn.Sequential(*(_stage(inputs, outputs) for inputs, outputs in pairs))
        self.stages = stages.to(memory_format=torch.channels_last)

    def forward(self, features: Tensor) -> Tensor:
        """Encode standardised features, `[B, C, K]` to `[B, 128]`."""
        maps = draw_maps(features, self.matrix, self.mask)
        return reduce(self.stages(maps), "b d y x -> b d", "mean")
