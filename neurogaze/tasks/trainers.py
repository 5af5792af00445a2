"""What a Lightning trainer may be asked for: nothing that our tasks and loaders cannot do."""

from __future__ import annotations

from typing import Any

from pytorch_lightning import Trainer

from neurogaze.errors import InputError


def check_trainer(trainer: Trainer) -> None:
    """Refuse what a trainer would do to inputs and batches that are ours to make.

    Raises:
        InputError: for weights in half or double precision, beside which inputs are float32, and
            for `overfit_batches`, which takes our batches for those of another loader.
    """
    made: Any = trainer
    if "true" in str(made.precision) and made.precision != "32-true":
        found = f"is {made.precision}, and the inputs of every network here are float32"
        raise InputError("trainer.precision", found, "use 32-true, bf16-mixed or 16-mixed")
    if made.overfit_batches:
        found = f"is {made.overfit_batches}, which this loader cannot repeat"
        raise InputError("trainer.overfit_batches", found, "use trainer.limit_train_batches")
