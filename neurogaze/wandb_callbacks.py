"""Weights & Biases: a logger that needs no account, and what its run directory holds at the end.

Switched on by `experiments/wandb.yaml`; nothing else imports this module.
"""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import WandbLogger

KEPT = {"config.yaml": "neurogaze.yaml", "metrics.csv": "metrics.csv"}
"""Files of a fit that go into the W&B run, and their names there; `config.yaml` is W&B's own."""


def wandb_mode() -> str:
    """`WANDB_MODE` where it is set; else online for a run of a sweep's agent, offline for others.

    An agent needs the account anyway, and a sweep learns nothing from a run that is offline.
    """
    agent = "online" if os.environ.get("WANDB_SWEEP_ID") else "offline"
    return os.environ.get("WANDB_MODE") or agent


def wandb_logger(project: str = "neurogaze", folder: str = "runs") -> WandbLogger:
    """Build the logger; without an account it writes to disk only.

    Args:
        project: on W&B; `WANDB_PROJECT` and the project of a sweep come first.
        folder: holds `wandb/`, a directory each run; `WANDB_DIR` comes first.
    """
    name = os.environ.get("WANDB_PROJECT") or project
    place = os.environ.get("WANDB_DIR") or folder
    return WandbLogger(project=name, save_dir=place, mode=wandb_mode())


class WandbRecord(Callback):
    """Leave a picture of the last confusion matrix, the configuration and the curves in the run.

    The run is finished with the training. Without a W&B logger, or for a task without a confusion
    matrix of emotions, it does what is left of that.
    """

    def __init__(self) -> None:
        self.counts: np.ndarray | None = None

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the counts of this validation; the task resets them right after."""
        matrix: Any = getattr(pl_module, "confusion", None)
        if matrix is not None and not trainer.sanity_checking:
            self.counts = matrix.compute().cpu().numpy()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the picture and copy the files."""
        folder = getattr(trainer.checkpoint_callback, "dirpath", None)
        for logger in _loggers(trainer):
            if self.counts is not None:
                logger.log_image("val/confusion", [_picture(self.counts)])
            for name, kept in KEPT.items():
                if folder and (Path(folder) / name).exists():
                    shutil.copyfile(Path(folder) / name, Path(logger.experiment.dir) / kept)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Finish the run: another training in this process begins one of its own."""
        if stage == "fit":
            for logger in _loggers(trainer):
                logger.experiment.finish()


def _loggers(trainer: Trainer) -> list[WandbLogger]:
    """The W&B loggers, in the process that may log."""
    found = [logger for logger in trainer.loggers if isinstance(logger, WandbLogger)]
    return found if trainer.is_global_zero else []


def _picture(counts: np.ndarray) -> Any:
    """The confusion matrix as an image: counts, and per cent of each row."""
    from PIL import Image

    from neurogaze.report.figures_faces import counts_figure

    return Image.open(io.BytesIO(counts_figure(counts)))
