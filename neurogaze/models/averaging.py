"""Averaged weights: an exponential moving average that follows a network, and its batch norms."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def average_decay(step: int, highest: float) -> float:
    """Decay of the average after `step` updates: `min(highest, (1 + t) / (10 + t))`.

    >>> average_decay(0, 0.999), round(average_decay(100, 0.999), 3), average_decay(10**6, 0.999)
    (0.1, 0.918, 0.999)
    """
    return min(highest, (1 + step) / (10 + step))


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
        batches: inputs, un-augmented.
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
    for batch in batches:
        model(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(mode)
