"""A control grid at equal push: the weight of Proto-KD at which it pulls as hard as the EEG's.

A grid whose prototypes are more alike pulls less at the same weight, so an arm can differ from
another by strength alone. Both strengths are measured on the untrained student.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from neurogaze import training
from neurogaze.errors import InputError
from neurogaze.losses.proto_kd import ProtoKD
from neurogaze.losses.seen import Seen
from neurogaze.prototypes.grid import PrototypeGrid

N_PICTURES = 2048
"""Training pictures that the norms are a mean over, to the end of the batch."""

MEASURED_ON = f"{N_PICTURES} pictures in the order of the first epoch"
"""What decides a weight besides the settings of its training."""

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
    batches = first_pictures(data)
    strong, own = (_norm(task, term, batches, g) for g in (reference, grid))
    if own < NOTHING * strong:
        raise InputError("control grid", "does not pull at all", "leave it out of equal_gradient")
    return float(f"{term.weight * strong / own:.{DIGITS}g}")


def first_pictures(data: Any, n: int = N_PICTURES) -> list[dict[str, Tensor]]:
    """The first batches of the first epoch, as evaluation sees them.

    The top of the table would not do: a corpus that lies in a folder a class is sorted by class.

    Args:
        data: module of the training, set up and without a trainer.
        n: pictures that are wanted; the last batch is a whole one.
    """
    drawn = islice(data.train_dataloader(), -(-n // data.batch_size))
    return [data.on_after_batch_transfer(batch, 0) for batch in drawn]


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
