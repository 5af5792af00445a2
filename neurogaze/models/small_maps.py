"""Convolutions over maps of a few pixels, one matrix product a tap: exact, and fast on a CPU.

In a network for small pictures the last maps have 2x2 or 3x3 pixels, and half of what a 3x3 kernel
meets there is padding. A convolution is the sum, over the taps of its kernel, of the matrix that a
tap holds times the pixels that it meets (Vasudevan, Anderson and Gregg 2017, arXiv 1704.04428).
Summed so, padding costs nothing, and each product is one that a processor does at full speed.
Elsewhere (larger maps, half precision, accelerators, exported graphs) PyTorch's own convolution
does the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple, cast

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

LARGEST_MAP = 9
"""Most pixels of a map that is convolved tap by tap; see `benchmarks/small_maps.py`."""

PRECISE = (torch.float32, torch.float64)
"""In half precision a sum over taps would be rounded at every tap."""


class Tap(NamedTuple):
    """One element of a kernel, and the pixels of both maps that it joins.

    Attributes:
        row: of the kernel.
        column: of the kernel.
        seen: rows and columns of the map that is read, as slices.
        made: rows and columns of the map that is written.
    """

    row: int
    column: int
    seen: tuple[slice, slice]
    made: tuple[slice, slice]


def joined(tap: int, size: int, out_size: int, stride: int, padding: int) -> tuple[slice, slice]:
    """What a tap joins along one axis: pixels that are read, and pixels that are written.

    Args:
        tap: position in the kernel, from 0.
        size: pixels of the map that is read.
        out_size: pixels of the map that is written.
        stride: of the convolution.
        padding: pixels of zeros on either side.

    >>> joined(0, size=3, out_size=3, stride=1, padding=1)  # the left tap meets padding first
    (slice(0, 2, 1), slice(1, 3, None))
    """
    shift = tap - padding
    made = [at for at in range(out_size) if 0 <= at * stride + shift < size]
    if not made:
        return slice(0, 0, stride), slice(0, 0)
    first, last = made[0], made[-1]
    return (
        slice(first * stride + shift, last * stride + shift + 1, stride),
        slice(first, last + 1),
    )


def taps(kernel: int, size: tuple[int, int], stride: int, padding: int) -> Iterator[Tap]:
    """All taps of a square kernel that meet a pixel.

    Args:
        kernel: its height and width.
        size: height and width of the map that is read.
        stride: of the convolution.
        padding: pixels of zeros on either side.
    """
    out = out_size(kernel, size, stride, padding)
    for row, column in product(range(kernel), repeat=2):
        rows = joined(row, size[0], out[0], stride, padding)
        columns = joined(column, size[1], out[1], stride, padding)
        if rows[1].stop and columns[1].stop:
            yield Tap(row, column, (rows[0], columns[0]), (rows[1], columns[1]))


def out_size(kernel: int, size: tuple[int, int], stride: int, padding: int) -> tuple[int, int]:
    """Height and width of the map that a convolution writes."""
    height, width = ((n + 2 * padding - kernel) // stride + 1 for n in size)
    return height, width


def pixels(image: Tensor, where: tuple[slice, slice]) -> Tensor:
    """Chosen pixels of `[B, C, H, W]` as rows `[B * h * w, C]`."""
    return rearrange(image[:, :, where[0], where[1]], "b c h w -> (b h w) c")


def add_pixels(image: Tensor, where: tuple[slice, slice], rows: Tensor) -> None:
    """Add rows `[B * h * w, C]` to chosen pixels of `[B, C, H, W]`, in place."""
    part = image[:, :, where[0], where[1]]
    part += rearrange(rows, "(b h w) c -> b c h w", h=part.shape[2], w=part.shape[3])


class TapByTap(torch.autograd.Function):
    """A convolution without bias, dilation or groups, `[B, C, H, W]` to `[B, D, H', W']`."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        """Sum what every tap makes of the pixels that it meets."""
        ctx.save_for_backward(image, weight)
        ctx.stride, ctx.padding = stride, padding
        kernel, size = weight.shape[2], (image.shape[2], image.shape[3])
        made = image.new_zeros(
            (len(image), len(weight), *out_size(kernel, size, stride, padding))
        ).contiguous(memory_format=torch.channels_last)
        for tap in taps(kernel, size, stride, padding):
            add_pixels(
                made, tap.made, pixels(image, tap.seen) @ weight[:, :, tap.row, tap.column].T
            )
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        """Gradients with respect to the image and to the weight, where they are asked for."""
        image, weight = ctx.saved_tensors
        of_image = torch.zeros_like(image) if ctx.needs_input_grad[0] else None
        of_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        size = (image.shape[2], image.shape[3])
        for tap in taps(weight.shape[2], size, ctx.stride, ctx.padding):
            rows = pixels(gradient, tap.made)
            if of_image is not None:
                add_pixels(of_image, tap.seen, rows @ weight[:, :, tap.row, tap.column])
            if of_weight is not None:
                of_weight[:, :, tap.row, tap.column] = rows.T @ pixels(image, tap.seen)
        return of_image, of_weight, None, None


class SmallMapConv2d(nn.Conv2d):
    """`nn.Conv2d` that goes tap by tap where that is exact and faster; same weights, same names."""

    def forward(self, image: Tensor) -> Tensor:
        """Convolve `[B, C, H, W]`."""
        if not worth_it(image):
            return super().forward(image)
        stride, padding = self.stride[0], cast(int, self.padding[0])
        return cast(Tensor, TapByTap.apply(image, self.weight, stride, padding))


def worth_it(image: Tensor) -> bool:
    """Whether a map is small, in full precision, on a CPU, and not being exported or compiled."""
    return (
        image.shape[-2] * image.shape[-1] <= LARGEST_MAP
        and image.dtype in PRECISE
        and image.device.type == "cpu"
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def fits(conv: nn.Module) -> bool:
    """Whether a layer is a plain square convolution, larger than 1x1, that can go tap by tap."""
    return (
        type(conv) is nn.Conv2d
        and conv.kernel_size[0] == conv.kernel_size[1] > 1
        and len({*conv.stride}) == len({*conv.padding}) == 1
        and not isinstance(conv.padding, str)
        and conv.padding_mode == "zeros"
        and conv.bias is None
        and {*conv.dilation, conv.groups} == {1}
    )


def ready_small_maps(network: nn.Module) -> None:
    """Let every convolution of a network that can be summed tap by tap do so, in place.

    Parameters stay the same objects with the same values; they lie in memory channel by channel
    then, so that each tap is a matrix.
    """
    for conv in network.modules():
        if fits(conv):
            # the class alone: a layer built anew would draw weights, and change what a seed means
            conv.__class__ = SmallMapConv2d
            conv.to(memory_format=torch.channels_last)
