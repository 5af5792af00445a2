"""What watches a training: seeds, curves and the saved configuration.

Training resumes at the end of an epoch and then goes on bit for bit as if it had never stopped:
every epoch begins from a seed of its own, and the curves so far travel in the checkpoint.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import yaml
from lightning_fabric.plugins.io import TorchCheckpointIO
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import Checkpoint, EarlyStopping, ModelCheckpoint
from pytorch_lightning.cli import SaveConfigCallback

from neurogaze.artefacts import written_aside
from neurogaze.errors import InputError

EPOCH_STRIDE = 100_003
RANK_STRIDE = 2_654_435_761
"""Processes that train together drop units each by its own draws; the generator of a CPU looks at
32 bits of its seed, over which multiples of this prime are spread evenly (Knuth)."""
HIGHER_IS_BETTER = ("val/accuracy", "val/macro_f1_8way")
"""Scores whose running best is logged, as `<name>_best`."""
RISING = ("accuracy", "f1", "ccc", "explained")
"""Parts of the names of scores that are better when higher, whatever is trained."""


def refuse_overwritten(monitor: str | None, filename: str | None, mode: str) -> None:
    """Refuse checkpoints whose name or order of merit belies what they hold.

    Whoever resumes or judges a training takes `last.ckpt` for its last epoch, and Lightning would
    give that name to the best one; unless told otherwise it takes the lowest score for the best.

    Args:
        monitor: score that chooses the best epoch, or None.
        filename: name of that checkpoint, without its ending.
        mode: `min` or `max`.

    Raises:
        InputError: for a best epoch named `last`, or the worst one of a score.
    """
    if monitor is None:
        return
    if filename == "last":
        found = (
            f"is {monitor!r}, and checkpoint.filename is last: the best epoch would overwrite it"
        )
        remedy = "set checkpoint.filename to best and checkpoint.save_last to true"
        raise InputError("checkpoint.monitor", found, remedy)
    refuse_falling("checkpoint.mode", monitor, mode)


def refuse_falling(key: str, monitor: str, mode: str) -> None:
    """Refuse to take the worst epoch for the best: untold, Lightning looks for `min`.

    Args:
        key: that gives the mode.
        monitor: score that is watched.
        mode: `min` or `max`.

    Raises:
        InputError: for `min` of a score that is better when higher.
    """
    if mode == "min" and any(part in monitor for part in RISING):
        found = f"is min, and {monitor} is better when higher"
        raise InputError(key, found, "set it to max")


def refuse_worst(callbacks: Iterable[Callback]) -> None:
    """Refuse callbacks that keep or stop at the worst epoch of a score.

    Args:
        callbacks: of a trainer.

    Raises:
        InputError: as `refuse_overwritten` and `refuse_falling`.
    """
    for callback in callbacks:
        if isinstance(callback, ModelCheckpoint):
            refuse_overwritten(callback.monitor, callback.filename, callback.mode)
        elif isinstance(callback, EarlyStopping):
            refuse_falling("EarlyStopping.mode", callback.monitor, callback.mode)


class EpochSeed(Callback):
    """Seed torch at the start of every epoch, and do not train past a finished early stop.

    Args:
        seed: with the epoch it fixes dropout and every other global draw of that epoch.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """A resumed training that had already stopped early stops again at once."""
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, EarlyStopping) and callback.wait_count >= callback.patience:
                trainer.should_stop = True

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed this epoch once its loader has been started.

        Starting one takes a number from the global generator, and a resumed training does so at
        another moment than one that was never stopped.
        """
        if batch_idx == 0:
            own = RANK_STRIDE * trainer.global_rank
            torch.manual_seed(own + self.seed * EPOCH_STRIDE + trainer.current_epoch)


class RunningBest(Callback):
    """Log the highest value so far of each score, for what looks at the last value alone.

    A sweep optimises the value that was logged last. It must come before `Curves`, and its state
    travels in the checkpoint.
    """

    def __init__(self) -> None:
        self.best: dict[str, float] = {}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take in the scores of this epoch's validation, if there was one."""
        found = trainer.callback_metrics
        for name in HIGHER_IS_BETTER:
            if name in found:
                value = float(found[name])
                self.best[name] = max(value, self.best.get(name, value))
        logged = {f"{name}_best": value for name, value in self.best.items()}
        pl_module.log_dict(logged, on_step=False, on_epoch=True)

    def state_dict(self) -> dict[str, Any]:
        """The bests so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the bests of a checkpoint."""
        self.best = dict(state_dict["best"])


class Curves(Callback):
    """Keep one row of metrics an epoch and write them to `metrics.csv`.

    Lightning goes on telling the scores of the last validation. In the row of an epoch that was not
    validated they are left out, but for running bests, which hold for every epoch since.

    Args:
        folder: where the file goes.
    """

    def __init__(self, folder: str) -> None:
        self.path = Path(folder) / "metrics.csv"
        self.rows: list[dict[str, float]] = []
        self.validated = False

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """No validation of this epoch has been yet."""
        self.validated = False

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note that this epoch is validated; the check before a training does not count."""
        self.validated = self.validated or not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add this epoch; the first process writes the file aside, then renames it."""
        found = trainer.callback_metrics
        values = {k: float(v) for k, v in found.items() if self.validated or not _scored(k)}
        row = {"epoch": trainer.current_epoch, "step": trainer.global_step} | values
        self.rows = [r for r in self.rows if r["epoch"] != row["epoch"]] + [row]
        if trainer.is_global_zero:
            self._write()

    def _write(self) -> None:
        found = {name for row in self.rows for name in row}
        names = ["epoch", "step", *sorted(found - {"epoch", "step"})]
        with written_aside(self.path) as aside, aside.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, names)
            writer.writeheader()
            writer.writerows(self.rows)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the rows of a checkpoint."""
        self.rows = list(state_dict["rows"])


def _scored(name: str) -> bool:
    """Whether a metric is of one validation: not of training, and no running best."""
    return name.startswith("val/") and not name.endswith("_best")


class EveryLast(Checkpoint):
    """Save `last.ckpt` after every epoch, also after one that was not the best so far.

    Lightning writes it only beside a new best, and a resumed training would repeat the epochs
    since.
    """

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save, after the callback that keeps the best."""
        best = trainer.checkpoint_callback
        if isinstance(best, ModelCheckpoint) and best.monitor and best.save_last and best.dirpath:
            trainer.save_checkpoint(Path(best.dirpath) / "last.ckpt")


class WholeCheckpoints(TorchCheckpointIO):
    """Write a checkpoint aside, in its own folder, and rename it.

    Lightning moves it there from the system's temporary folder, which is a copy, and can be cut
    short, where the two lie on different disks.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Save; a killed process leaves the old file or the new one, never a part.

        Raises:
            OSError: as the disk has it, where PyTorch says that a position is unexpected.
        """
        with written_aside(Path(path)) as aside, aside.open("wb") as file:
            try:
                torch.save(checkpoint, file)
            except RuntimeError as error:
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from None
                raise


class SaveConfigBeside(SaveConfigCallback):
    """Save the parsed configuration as `config.yaml` beside the checkpoints, and tell loggers."""

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Write it once, at the start of a fit; several runs can share a logger's folder."""
        folder = getattr(trainer.checkpoint_callback, "dirpath", None)
        if stage != "fit" or folder is None:
            return
        text = self.parser.dump(self.config, skip_none=False, skip_validation=True)
        for logger in trainer.loggers:
            logger.log_hyperparams(yaml.safe_load(text))
        with written_aside(Path(folder) / "config.yaml") as aside:
            aside.write_text(text, encoding="utf-8")
