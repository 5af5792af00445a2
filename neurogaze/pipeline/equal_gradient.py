"""A control grid at equal push: the weight of Proto-KD at which it pulls as hard as the EEG's.

A grid whose prototypes are more alike pulls less at the same weight, so an arm can differ from
another by strength alone. Both strengths are measured on the untrained student.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from neurogaze import training
from neurogaze.errors import InputError
from neurogaze.losses.proto_kd import ProtoKD
from neurogaze.losses.seen import Seen
from neurogaze.prototypes.grid import PrototypeGrid

N_BATCHES = 4
"""Batches of training pictures that the norms are a mean over."""

DIGITS = 6
NOTHING = 1e-4
"""A pull so much weaker than the reference's is rounding error."""


def equal_weight(args: Sequence[str], reference: PrototypeGrid, grid: PrototypeGrid) -> float:
    """Weight at which a grid's initial gradient at the embedding is as long as the reference's.

    Args:
        args: command line of the training, seed included; its own weight belongs to `reference`.
        reference: the grid that the weight is meant for.
        grid: the other.

    Returns:
        The weight, to six digits.

    Raises:
        InputError: when the training has no Proto-KD, or a grid does not pull at all.
    """
    cli = training.build_cli(args, run=False, keep=False)
    task: Any = cli.model
    term = task.loss.proto
    if term is None:
        raise InputError("arm", "has no Proto-KD to rescale", "leave it out of equal_gradient")
    data: Any = cli.datamodule
    data.setup("fit")
    batches = [batch for _, batch in zip(range(N_BATCHES), data.calibration_loader(), strict=False)]
    strong, own = (_norm(task, term, batches, g) for g in (reference, grid))
    if own < NOTHING * strong:
        raise InputError("control grid", "does not pull at all", "leave it out of equal_gradient")
    return float(f"{term.weight * strong / own:.{DIGITS}g}")


def _norm(
    task: Any, term: ProtoKD, batches: Sequence[dict[str, Tensor]], grid: PrototypeGrid
) -> float:
    """Mean length over pictures of the gradient of the term at the embedding."""
    prototypes = torch.from_numpy(grid.prototypes.copy())
    centers = torch.tensor(grid.centers, dtype=torch.float32)
    norms = []
    for batch in batches:
        with torch.no_grad():
            out = task.student(batch["image"])
        leaf = out.embedding.detach().requires_grad_()
        seen = Seen(
            logits=out.logits,
            embedding=leaf,
            label=batch["label"],
            target=batch["target"],
            prototypes=prototypes,
            centers=centers,
        )
        (gradient,) = torch.autograd.grad(term(seen), leaf)
        norms.append(gradient.norm(dim=1) * len(leaf))  # the term is a mean over the batch
    return float(torch.cat(norms).mean())
