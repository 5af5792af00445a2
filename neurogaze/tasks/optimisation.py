"""How weights move: one optimiser and one schedule, stepped once a batch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from neurogaze.errors import InputError

MIN_LR_RATIO = 0.01


@dataclass(frozen=True)
class Optimisation:
    """Optimiser and learning-rate schedule.

    Args:
        name: `adamw`, or `sgd` with Nesterov momentum.
        lr: highest learning rate, above 0.
        weight_decay: decay of matrices and kernels, 0 or more; biases and norms are left alone.
        momentum: for `sgd`, in [0, 1); 0 is plain gradient descent.
        schedule: `cosine` falls from `lr` to a hundredth of it; `onecycle` rises first.
        warmup: share of all steps over which `onecycle` rises, in [0, 1).

    Raises:
        InputError: for a number outside these bounds, or one that is not finite.
    """

    name: Literal["adamw", "sgd"] = "adamw"
    lr: float = 1e-3
    weight_decay: float = 1e-2
    momentum: float = 0.9
    schedule: Literal["cosine", "onecycle"] = "cosine"
    warmup: float = 0.25

    def __post_init__(self) -> None:
        """Refuse steps that lead nowhere, and a rise that leaves no step to fall."""
        fits = {
            "lr": (0 < self.lr < math.inf, "use a number above 0"),
            "weight_decay": (0 <= self.weight_decay < math.inf, "use 0 or more"),
            "momentum": (0 <= self.momentum < 1, "use 0 or more, and less than 1"),
            "warmup": (0 <= self.warmup < 1, "use a share below 1"),
        }
        for name, (fit, remedy) in fits.items():
            if not fit:
                found = f"is {getattr(self, name)}"
                raise InputError(f"model.optimisation.{name}", found, remedy)


def lr_factor(progress: float, schedule: str, warmup: float) -> float:
    """Share of the highest learning rate at a point of training.

    Args:
        progress: share of all steps done, in [0, 1].
        schedule: `cosine` or `onecycle`.
        warmup: share of all steps spent rising, for `onecycle`.

    >>> [round(lr_factor(p, "cosine", 0.0), 3) for p in (0.0, 0.5, 1.0)]
    [1.0, 0.505, 0.01]
    >>> [round(lr_factor(p, "onecycle", 0.25), 3) for p in (0.0, 0.25, 1.0)]
    [0.04, 1.0, 0.01]
    """
    if schedule == "onecycle" and progress < warmup:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * progress / warmup))
    start = warmup if schedule == "onecycle" else 0.0
    share = min(1.0, (progress - start) / (1 - start))
    return MIN_LR_RATIO + (1 - MIN_LR_RATIO) * 0.5 * (1 + math.cos(math.pi * share))


def build_optimiser(
    settings: Optimisation, parameters: Iterable[nn.Parameter], total_steps: int
) -> dict[str, Any]:
    """Build what `LightningModule.configure_optimizers` returns.

    Args:
        settings: optimiser and schedule.
        parameters: those that learn; vectors (biases, norms) get no weight decay.
        total_steps: batches in the whole training.
    """
    matrices: list[nn.Parameter] = []
    vectors: list[nn.Parameter] = []
    for parameter in parameters:
        (matrices if parameter.ndim > 1 else vectors).append(parameter)
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    optimiser: torch.optim.Optimizer
    if settings.name == "adamw":
        optimiser = torch.optim.AdamW(groups, lr=settings.lr)
    else:
        momentum = settings.momentum
        # PyTorch refuses Nesterov's step where there is no momentum; without any it is the same.
        optimiser = torch.optim.SGD(
            groups, lr=settings.lr, momentum=momentum, nesterov=momentum > 0
        )

    def factor(step: int) -> float:
        return lr_factor(step / max(1, total_steps), settings.schedule, settings.warmup)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
