"""How long a training is planned to be: what schedules and ramps are stretched over."""

from __future__ import annotations

import math

from pytorch_lightning import Trainer

from neurogaze.errors import InputError

REMEDY = "give trainer.max_epochs; max_steps or max_time may end it sooner"


def planned_epochs(trainer: Trainer) -> int:
    """Epochs of a training whose schedule counts them; 1 where none is to be trained.

    Raises:
        InputError: for a training without a last epoch (`max_epochs` -1).
    """
    epochs = trainer.max_epochs
    if epochs is None or epochs < 0:
        found = f"is {epochs}, and this task counts epochs, for a schedule, ramp or average"
        raise InputError("trainer.max_epochs", found, REMEDY)
    return max(1, epochs)


def planned_steps(trainer: Trainer) -> int:
    """Steps of the optimiser in a whole training, which a schedule is stretched over.

    Raises:
        InputError: for a training without a last step (neither `max_epochs` nor `max_steps`).
    """
    steps = trainer.estimated_stepping_batches
    if not math.isfinite(steps):
        found = f"is {trainer.max_epochs}, so that nobody knows how long the training will be"
        raise InputError("trainer.max_epochs", found, REMEDY)
    return int(steps)
