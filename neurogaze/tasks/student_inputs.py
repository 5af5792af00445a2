"""What a student is trained with, opened and checked before the first step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, Trainer
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint, Timer
from torch import Tensor

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.images import FaceTable
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.models.student import BackboneRecipe
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.tasks.pins import GridPin, LogitsPin, load_logits


def check_classes(labels: Sequence[str], width: int) -> None:
    """Refuse data in another class order, and a network with another number of logits.

    Args:
        labels: class order of the data.
        width: logits of the network.

    Raises:
        InputError: naming both orders, or both numbers.
    """
    if list(labels) != list(EMOTIONS):
        found = f"have the class order {list(labels)}, not {list(EMOTIONS)}"
        raise InputError("the data", found, "map the classes of the corpus by name")
    if width != len(EMOTIONS):
        found = f"has {width} logits, not {len(EMOTIONS)}"
        raise InputError("model.student", found, f"give one for each of {EMOTIONS}")


def check_pictures(recipe: BackboneRecipe, preprocessing: FacePreprocessing) -> None:
    """Refuse pictures that a backbone was not built for.

    Raises:
        InputError: when pictures have other channels, or another size, than the backbone.
    """
    given = (preprocessing.channels, preprocessing.size)
    if given != (recipe.in_chans, recipe.img_size or preprocessing.size):
        found = f"makes {given[0]} channels of {given[1]} pixels, the student is {recipe}"
        raise InputError("data.preprocessing", found, "give both the same")


def check_preparation(own: Mapping[str, Any] | None, given: Mapping[str, Any]) -> None:
    """Refuse to judge by images prepared in another way than those of the training.

    Args:
        own: preprocessing that the checkpoint names, or None.
        given: that of the data.

    Raises:
        InputError: naming both.
    """
    if own is not None and own != given:
        raise InputError(
            "data.preprocessing",
            f"is {given}, but the checkpoint was trained with {own}",
            "give the data the preprocessing of the checkpoint",
        )


def check_selection(ema_decay: float, callbacks: Iterable[Callback]) -> None:
    """Refuse to select or stop by a moving average, which is itself at the last epoch only.

    The batch norms of the averaged weights are re-estimated in the last epoch. In any other they
    are those of the followed network, and a score of the two together is nobody's.

    Raises:
        InputError: for a moving average beside a callback that monitors a score.
    """
    watching = (c for c in callbacks if isinstance(c, ModelCheckpoint | EarlyStopping))
    monitored = [(type(c).__name__, c.monitor) for c in watching if c.monitor]
    if ema_decay and monitored:
        name, score = monitored[0]
        raise InputError(
            "model.ema_decay",
            f"is {ema_decay}, and {name}.monitor is {score!r}",
            "report the last epoch (checkpoint.monitor null, no early stop), or set ema_decay to 0",
        )


def check_length(swa_start: float | None, trainer: Trainer) -> None:
    """Refuse a mean of epochs in a training that something else than its epochs may end.

    It begins at a share of `max_epochs`: ended before, what is deployed would be the network of
    another epoch, or an untrained one.

    Raises:
        InputError: for `max_steps` or `max_time` beside a mean of epochs.
    """
    made: Any = trainer  # what Lightning's callbacks connector adds has no types
    limits = {
        "max_steps": made.max_steps > 0 and not made.fast_dev_run,
        "max_time": any(isinstance(callback, Timer) for callback in made.callbacks),
    }
    ending = [name for name, given in limits.items() if given]
    if swa_start is None or not ending:
        return
    found = f"is {swa_start}, and trainer.{ending[0]} may end the training"
    raise InputError("model.swa_start", found, "give trainer.max_epochs alone, or set it to null")


def open_grid(pin: GridPin | None, needed: bool, dim: int) -> PrototypeGrid | None:
    """Open a pinned grid; one that is not needed is checked all the same.

    Args:
        pin: path and hash, or None.
        needed: whether a term of the objective takes it.
        dim: width of the student's embedding.

    Returns:
        The grid, or None where it is not needed: an arm without the term has no grid, whatever its
        base configuration pins.

    Raises:
        InputError: when it is needed and not given, or is not what the pin says.
    """
    if pin is None:
        if needed:
            raise InputError(
                "model.grid",
                "is null, but the objective has a Proto-KD term",
                "pin a grid by path and sha256, or set `loss.proto` to null",
            )
        return None
    grid = PrototypeGrid.load(Path(pin.path), sha256=pin.sha256, dim=dim)
    return grid if needed else None


def open_logits(pin: LogitsPin | None, pictures: FaceTable, without: str | None) -> Tensor:
    """Open the pinned logits that an objective needs.

    Args:
        pin: path and hash, or None.
        pictures: that are trained on.
        without: the emotion that the data leave out, or None.

    Returns:
        `float32 [n, 8]`.

    Raises:
        InputError: when they are not given, are not what the pin says, are of other images, or
            tell of an emotion that is left out.
    """
    if pin is None:
        raise InputError(
            "model.teacher_logits",
            "is null, but the objective has a logit-KD term",
            "pin stored logits, or set `loss.kd` to null",
        )
    if without is not None:
        raise InputError(
            "model.teacher_logits",
            f"would tell of {without}, which the data leave out",
            "set `loss.kd` to null, or `data.without`",
        )
    return load_logits(pin, pictures.ids, pictures.dataset, pictures.groups)
