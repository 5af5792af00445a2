"""Two pictures in one: mixup and CutMix, drawn for every picture of a batch by itself.

Everything follows from the seed of the batch, so a resumed run mixes the same pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor

from neurogaze.errors import InputError

KINDS = ("none", "mixup", "cutmix", "either")
STREAM = 1
"""Keeps these numbers apart from those of the augmentation under the same seed."""


@dataclass(frozen=True)
class MixSettings:
    """How pictures are blended in training.

    Args:
        kind: "mixup" blends grey levels (Zhang et al. 2018, arXiv 1710.09412); "cutmix" pastes a
            rectangle (Yun et al. 2019, arXiv 1905.04899); "either" tosses a coin for each picture.
        alpha: the share of a picture is drawn from Beta(alpha, alpha).
        probability: how many of the pictures are blended; the others stay as they are.

    Raises:
        InputError: for an unknown kind, a probability outside 0..1 or an alpha of 0 or less.
    """

    kind: Literal["none", "mixup", "cutmix", "either"] = "none"
    alpha: float = 1.0
    probability: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError("mixing.kind", f"is {self.kind!r}", f"use one of {KINDS}")
        if not self.alpha > 0:
            raise InputError("mixing.alpha", f"is {self.alpha}", "give a number above 0")
        if not 0 <= self.probability <= 1:
            found = f"is {self.probability}"
            raise InputError("mixing.probability", found, "give a number from 0 to 1")


UNMIXED = MixSettings()


@dataclass(frozen=True, eq=False)
class Mix:
    """How one batch is blended.

    Args:
        partner: int64 `[B]`, place in the batch of the other picture; a permutation.
        lam: float32 `[B]`, share of the own picture; 1 where nothing is blended.
        box: int64 `[B, 4]`, top, bottom, left, right of what is pasted, ends excluded; empty where
            nothing is.
    """

    partner: Tensor
    lam: Tensor
    box: Tensor


def draw_mix(n: int, size: int, settings: MixSettings, seed: int) -> Mix | None:
    """Decide how a batch of `n` square pictures of `size` pixels is blended.

    A pasted box is cut off at the border, and its share is that of the pixels left, exactly. A
    picture that is its own partner is not blended.

    Returns:
        The plan on the CPU, or None where the settings blend nothing.
    """
    if settings.kind == "none":
        return None
    rng = np.random.default_rng([seed, STREAM])
    partner = rng.permutation(n)
    lam = rng.beta(settings.alpha, settings.alpha, size=n)
    chance = rng.random((n, 4))
    mixed = (chance[:, 0] < settings.probability) & (partner != np.arange(n))
    share = {"mixup": 0.0, "cutmix": 1.0, "either": 0.5}[settings.kind]
    pasted = mixed & (chance[:, 1] < share)
    box = np.where(pasted[:, None], pasted_box(lam, chance[:, 2:], size), 0)
    covered = (box[:, 1] - box[:, 0]) * (box[:, 3] - box[:, 2]) / size**2
    lam = np.where(pasted, 1.0 - covered, np.where(mixed, lam, 1.0))
    return Mix(
        torch.from_numpy(partner), torch.from_numpy(lam.astype(np.float32)), torch.from_numpy(box)
    )


def pasted_box(
    lam: NDArray[np.float64], place: NDArray[np.float64], size: int
) -> NDArray[np.int64]:
    """Rectangles that cover `1 - lam` of a square picture, as Yun et al. draw them (eq. 2).

    Args:
        lam: `[n]`, share of the own picture.
        place: `[n, 2]` in 0..1, centre down and across.
        size: side of the picture, pixels.

    Returns:
        `int64 [n, 4]`: top, bottom, left, right, cut off at the border.

    >>> pasted_box(np.array([0.75]), np.array([[0.5, 0.9]]), 8).tolist()
    [[2, 6, 5, 8]]
    """
    side = np.floor(size * np.sqrt(1.0 - lam)).astype(np.int64)
    start = np.floor(place * size).astype(np.int64) - (side // 2)[:, None]
    ends = np.stack([start, start + side[:, None]], axis=2).clip(0, size)
    return np.asarray(rearrange(ends, "n line end -> n (line end)"), dtype=np.int64)


def mixed_images(images: Tensor, mix: Mix) -> Tensor:
    """Blend pictures as planned.

    Args:
        images: `float [B, C, S, S]`, on any device.
        mix: the plan.

    Returns:
        As `images`; a picture with a share of 1 is returned as it is, bit by bit.
    """
    top, bottom, left, right = mix.box.to(images.device).unbind(1)
    line = torch.arange(images.shape[-1], device=images.device)
    down = (line >= top[:, None]) & (line < bottom[:, None])
    across = (line >= left[:, None]) & (line < right[:, None])
    inside = rearrange(down, "b h -> b 1 h 1") & rearrange(across, "b w -> b 1 1 w")
    pasted = rearrange(bottom > top, "b -> b 1 1 1") & rearrange(right > left, "b -> b 1 1 1")
    lam = rearrange(mix.lam.to(images.device), "b -> b 1 1 1")
    own = torch.where(pasted, (~inside).to(images.dtype), lam.to(images.dtype))
    return own * images + (1.0 - own) * images[mix.partner.to(images.device)]


def mixed_rows(rows: Tensor, partner: Tensor, lam: Tensor) -> Tensor:
    """Blend target distributions, `[B, C]`, as the pictures were: `lam t + (1 - lam) t[partner]`.

    >>> mixed_rows(torch.eye(2), torch.tensor([1, 0]), torch.tensor([0.75, 1.0])).tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """
    own = rearrange(lam, "b -> b 1").to(rows.dtype)
    return own * rows + (1.0 - own) * rows[partner]
