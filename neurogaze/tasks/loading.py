"""Checkpoints back to tasks, without unpickling anything but tensors and plain values."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pytorch_lightning import LightningModule

from neurogaze.errors import InputError

T = TypeVar("T", bound=LightningModule)


def load_task(path: Path, kind: type[T]) -> T:
    """Load a checkpoint on the CPU, in evaluation mode; the task checks its contract.

    Args:
        path: checkpoint of a training.
        kind: `TeacherTask` or `StudentTask`.

    Raises:
        InputError: naming the file, when it cannot be read or holds another kind of task.
    """
    try:
        task: T = kind.load_from_checkpoint(path, map_location="cpu", weights_only=True)
    except InputError as error:
        raise InputError(path, error.found, error.remedy) from error
    except Exception as error:
        name = kind.__name__.removesuffix("Task").lower()
        found = f"is no readable {name} checkpoint ({type(error).__name__})"
        raise InputError(path, found, "train it again") from error
    return task.eval()
