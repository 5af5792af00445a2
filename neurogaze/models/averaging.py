"""Averaged weights: a moving average (EMA) or the mean of epochs (SWA), and its batch norms."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from neurogaze.errors import InputError


def average_decay(step: int, highest: float) -> float:
    """Decay of the average after `step` updates: `min(highest, (1 + t) / (10 + t))`.

    >>> average_decay(0, 0.999), round(average_decay(100, 0.999), 3), average_decay(10**6, 0.999)
    (0.1, 0.918, 0.999)
    """
    return min(highest, (1 + step) / (10 + step))


def swa_first(start: float, epochs: int) -> int:
    """First epoch whose last weights enter the mean, counted from 0.

    Args:
        start: share of training done before it, in [0, 1).
        epochs: in the whole training.

    >>> swa_first(0.75, 100), swa_first(0.75, 30), swa_first(0.99, 10)
    (75, 22, 9)
    """
    return int(start * epochs)


def swa_decay(epoch: int, first: int) -> float:
    """Decay that makes `update_average` the equal mean of the weights at the end of epochs.

    With n epochs in the mean it is n / (n + 1) (Izmailov et al. 2018, arXiv 1803.05407, algorithm
    1); up to the first of them the average is a copy of the network.

    Args:
        epoch: that ends now, counted from 0.
        first: as `swa_first` says.

    >>> [round(swa_decay(epoch, 2), 3) for epoch in range(6)]
    [0.0, 0.0, 0.0, 0.5, 0.667, 0.75]
    """
    taken = max(0, epoch - first)
    return taken / (taken + 1)


def check_averaging(ema_decay: float, swa_start: float | None) -> bool:
    """Whether weights are averaged at all.

    Raises:
        InputError: for both averages at once, or a number out of range.
    """
    if not 0 <= ema_decay < 1:
        raise InputError("model.ema_decay", f"is {ema_decay}", "use a number from 0 to below 1")
    if swa_start is None:
        return ema_decay > 0
    if not 0 <= swa_start < 1:
        raise InputError("model.swa_start", f"is {swa_start}", "use a share from 0 to below 1")
    if ema_decay:
        raise InputError(
            "model.swa_start",
            f"is {swa_start}, and model.ema_decay {ema_decay}",
            "keep one average: set ema_decay to 0, or swa_start to null",
        )
    return True


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the average toward the model: `a <- decay * a + (1 - decay) * m`; buffers are copied."""
    for kept, seen in zip(average.parameters(), model.parameters(), strict=True):
        kept.lerp_(seen.detach().to(kept.dtype), 1 - decay)
    for held, current in zip(average.buffers(), model.buffers(), strict=True):
        held.copy_(current)


@torch.no_grad()
def reestimate_batchnorm(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace batch-norm statistics by those of the given batches, each batch counted alike.

    Averaged weights have not seen their own activations; statistics copied from the followed
    network do not fit them (Izmailov et al. 2018, arXiv 1803.05407, section 3.2).

    Args:
        model: network whose `BatchNorm` layers are re-estimated in place; its mode is restored.
        batches: inputs, un-augmented; a later batch of a single one is left out.
    """
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta, mode = [norm.momentum for norm in norms], model.training
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative mean over the batches
    model.eval()
    for norm in norms:
        norm.train()
    try:
        for i, batch in enumerate(batches):
            if i == 0 or len(batch) > 1:  # a remainder of one has no spread, where maps are 1x1
                model(batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        model.train(mode)
