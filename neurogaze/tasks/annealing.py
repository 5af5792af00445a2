"""The optimiser of arXiv:2511.13954: AdamW on every parameter, cosine stepped once an epoch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True)
class AnnealedAdamW:
    """AdamW whose learning rate falls along half a cosine, epoch by epoch.

    Args:
        lr: of the first epoch.
        weight_decay: of all parameters, biases and norms included, as in the released code.
        floor: learning rate that the cosine ends at.
    """

    lr: float = 1e-3
    weight_decay: float = 1e-3
    floor: float = 1e-6


def build_annealed(
    settings: AnnealedAdamW, parameters: Iterable[nn.Parameter], epochs: int
) -> dict[str, Any]:
    """Build what `LightningModule.configure_optimizers` returns.

    Args:
        settings: learning rates and decay.
        parameters: those that learn.
        epochs: of the whole training; `floor` is reached after the last.
    """
    optimiser = torch.optim.AdamW(parameters, lr=settings.lr, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimiser, T_max=max(1, epochs), eta_min=settings.floor
    )
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "epoch"}}
