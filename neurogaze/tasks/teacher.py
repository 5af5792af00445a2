"""The teacher's task: regress valence and arousal from band differential entropy."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule
from torch import Tensor

import neurogaze
from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import concordance
from neurogaze.losses.concordance import va_loss
from neurogaze.models.teacher import Teacher
from neurogaze.tasks.optimisation import Optimisation, build_optimiser


def trial_means(values: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Mean of the rows of each trial, in the order of the sorted trial names.

    Args:
        values: `[n, 2]`.
        trials: trial name of each row, `[n]`.

    >>> trial_means(np.array([[0.0, 1.0], [1.0, 1.0], [4.0, 0.0]]), np.array(["a", "a", "b"]))
    array([[0.5, 1. ],
           [4. , 0. ]])
    """
    names, inverse = np.unique(trials, return_inverse=True)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, inverse, values)
    return sums / np.bincount(inverse)[:, None]


class TeacherTask(LightningModule):
    """Train a teacher on rated trials; judge it by CCC over the trial means of inner subjects.

    Args:
        teacher: the network; its standardisation comes from the training fold.
        optimisation: optimiser and schedule.
        mse_weight: share of the squared error in the loss; the rest is 1 - CCC.
        noise: Gaussian noise on each training feature, in standard deviations of that feature over
            the training fold. It is a ridge penalty in another form (Bishop 1995, Neural
            Computation 7).
    """

    def __init__(
        self,
        teacher: Teacher,
        optimisation: Optimisation = Optimisation(),
        mse_weight: float = 0.5,
        noise: float = 0.5,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.teacher = teacher
        self.optimisation = optimisation
        self.mse_weight = mse_weight
        self.noise = noise
        self.provenance: dict[str, Any] = {}
        self.config_hash = ""
        self._seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def setup(self, stage: str) -> None:
        """Take channels, statistics and provenance from the data.

        Raises:
            InputError: when the data have other electrodes or bands than the teacher.
        """
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        if tuple(data.channels) != tuple(self.teacher.channels):
            raise InputError(
                "model.teacher.channels",
                f"{list(self.teacher.channels)} are not the electrodes of the data "
                f"{list(data.channels)}",
                "name the electrodes of the corpus in the teacher's configuration",
            )
        n_bands = self.teacher.feature_mean.shape[1]
        if len(data.bands) != n_bands:
            raise InputError(
                "model.teacher.n_bands",
                f"{n_bands} does not fit the bands {list(data.bands)}",
                "set it to the number of bands of the features",
            )
        if stage == "fit":
            mean, std = data.statistics
            self.teacher.set_statistics(torch.as_tensor(mean), torch.as_tensor(std))
            self.provenance = dict(data.provenance) | {"bands": list(data.bands)}

    def on_validation_start(self) -> None:
        """Refuse features that were computed in another way than those of the checkpoint.

        Raises:
            InputError: naming both settings.
        """
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        own, asked = self.provenance, data.provenance
        if own and own["settings_hash"] != asked["settings_hash"]:
            raise InputError(
                "data.features",
                f"are {asked['features']}, but the checkpoint was trained with {own['features']}",
                "give the data the features of the checkpoint",
            )

    def on_test_start(self) -> None:
        """Refuse to test on people (or events) that these weights learned from or stopped on.

        Raises:
            InputError: naming some of them.
        """
        self.on_validation_start()
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        own, asked = self.provenance, data.provenance
        if own.get("corpus") != asked["corpus"]:
            return
        known = {*own["train_units"], *own["stop_units"]} & {*asked["test_units"]}
        if known:
            raise InputError(
                "checkpoint",
                f"of fold {own['fold']} knows {sorted(known)[:3]} of test fold {asked['fold']}",
                "test the fold that these weights held out (--data.fold)",
            )

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Loss of one batch: squared error and concordance of V and A."""
        features = batch["features"]
        if self.noise:
            features = features + self.noise * self.teacher.feature_std * torch.randn_like(features)
        out = self.teacher(features)
        loss = va_loss(out.va, batch["va"], self.mse_weight)
        self.log("train/loss", loss, on_epoch=True, on_step=False, batch_size=len(out.va))
        return loss

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Keep predictions; they are judged over all trials at once."""
        out = self.teacher(batch["features"])
        self._seen.append((out.va, batch["va"], batch["row"]))

    def test_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """As in validation."""
        self.validation_step(batch, batch_idx)

    def on_validation_epoch_end(self) -> None:
        """Log CCC over trial means."""
        self._judge("val")

    def on_test_epoch_end(self) -> None:
        """Log CCC over trial means."""
        self._judge("test")

    def _judge(self, prefix: str) -> None:
        predicted, truth, rows = (
            torch.cat(part).cpu().numpy() for part in zip(*self._seen, strict=True)
        )
        self._seen.clear()
        names = self.trainer.datamodule.table.trial[rows]  # type: ignore[attr-defined]
        predicted, truth = trial_means(predicted, names), trial_means(truth, names)
        valence, arousal = (concordance(truth[:, i], predicted[:, i]) for i in (0, 1))
        scores = {"ccc_valence": valence, "ccc_arousal": arousal, "ccc": (valence + arousal) / 2}
        self.log_dict({f"{prefix}/{k}": float(v) for k, v in scores.items()}, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """AdamW and cosine by default."""
        steps = int(self.trainer.estimated_stepping_batches)
        return build_optimiser(self.optimisation, self.teacher.parameters(), steps)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let electrodes, bands, preprocessing and split travel with the weights."""
        checkpoint["neurogaze"] = {
            "kind": "teacher",
            "version": neurogaze.__version__,
            "channels": list(self.teacher.channels),
            "config_hash": self.config_hash,
            "provenance": self.provenance,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of another kind or of other electrodes."""
        record = checkpoint.get("neurogaze", {})
        if record.get("kind") != "teacher":
            raise InputError(
                "checkpoint", f"holds {record.get('kind')!r}, not a teacher", "pass a teacher"
            )
        if record["channels"] != list(self.teacher.channels):
            raise InputError(
                "checkpoint",
                f"was trained on electrodes {record['channels']}, not {self.teacher.channels}",
                "build the teacher with the electrodes of the checkpoint",
            )
        self.provenance = record["provenance"]
        self.config_hash = record.get("config_hash", "")
