"""The teacher's task: regress valence and arousal from band differential entropy."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule
from torch import Tensor

from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.mirror import mirror_index
from neurogaze.eeg.table import RATINGS
from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import concordance
from neurogaze.losses.concordance import check_share, va_loss
from neurogaze.models.teacher import Teacher, TeacherOutput
from neurogaze.tasks.held_out import (
    checkpoint_record,
    refuse_known,
    refuse_other_features,
    refuse_warmed_on,
    taken_up,
)
from neurogaze.tasks.judging import trial_means
from neurogaze.tasks.kinds import of_kind
from neurogaze.tasks.lengths import planned_steps
from neurogaze.tasks.optimisation import Optimisation, build_optimiser
from neurogaze.tasks.trainers import check_trainer
from neurogaze.tasks.warm_start import WarmStart, read_warm_start, take_weights


def _predicted(out: TeacherOutput) -> Tensor:
    """All that a teacher predicts, `[B, 2 or 3]`, in single precision."""
    if out.dominance is None:
        return out.va.float()
    return torch.cat([out.va, out.dominance[:, None]], dim=1).float()


def _rated(batch: dict[str, Tensor], n_axes: int) -> Tensor:
    """Ratings of the same axes, `[B, 2 or 3]`."""
    return torch.cat([batch["va"], batch["dominance"][:, None]], dim=1)[:, :n_axes]


class TeacherTask(LightningModule):
    """Train a teacher on rated trials; judge it by CCC over the trial means of inner subjects.

    Args:
        teacher: the network; its standardisation comes from the training fold.
        optimisation: optimiser and schedule.
        mse_weight: share of the squared error in the loss; the rest is 1 - CCC.
        noise: Gaussian noise on each training feature, in standard deviations of that feature over
            the training fold. It is a ridge penalty in another form (Bishop 1995, Neural
            Computation 7).
        mirror: probability of swapping the hemispheres of a training window; what tells left from
            right, such as frontal asymmetry, is then lost.
        init_from: weights of a masked-band warm-up to start from.

    Raises:
        InputError: for a probability or share outside [0, 1], or an electrode without its mirror
            image.
    """

    swap: Tensor

    def __init__(
        self,
        teacher: Teacher,
        optimisation: Optimisation = Optimisation(),
        mse_weight: float = 0.5,
        noise: float = 0.5,
        mirror: float = 0.0,
        init_from: WarmStart | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= mirror <= 1:
            raise InputError("model.mirror", f"{mirror}", "use a probability")
        check_share(mse_weight)
        self.save_hyperparameters()
        self.teacher = teacher
        self.optimisation = optimisation
        self.mse_weight = mse_weight
        self.noise, self.mirror, self.init_from = noise, mirror, init_from
        swap = mirror_index(teacher.channels) if mirror else np.arange(len(teacher.channels))
        self.register_buffer("swap", torch.from_numpy(swap), persistent=False)
        self.provenance: dict[str, Any] = {}
        self.config_hash = ""
        self._seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def setup(self, stage: str) -> None:
        """Take statistics and provenance from the data, and the weights to start from.

        Raises:
            InputError: for faces; when the data have other electrodes or bands than the teacher, or
                windows without a rating that it predicts; for a size of batches that changes; or
                when the weights to start from know people of the test fold.
        """
        given: Any = self.trainer
        data = of_kind("--data", given.datamodule, EEGDataModule)
        check_trainer(self.trainer)
        self.teacher.check_montage(data.channels, data.bands)
        if stage != "fit":
            return
        self._check_ratings(data)
        if data.batch_schedule:
            found = f"is {list(data.batch_schedule)}, and the cosine of a teacher counts batches"
            raise InputError("data.batch_schedule", found, "leave it to the RBTransformer")
        mean, std = data.statistics
        self.teacher.set_statistics(torch.as_tensor(mean), torch.as_tensor(std))
        self.provenance = dict(data.provenance) | {"bands": list(data.bands)}
        if self.init_from is not None:
            self._start_from(self.init_from)

    def _check_ratings(self, data: EEGDataModule) -> None:
        """Refuse windows without the ratings that this teacher learns."""
        if data.smote:
            found = "makes windows up that have a class and no ratings"
            raise InputError("data.smote", found, "set it to false, or train a classifier")
        used = np.concatenate([data.rows[part] for part in ("train", "stop")])
        for axis in RATINGS[: self.teacher.n_outputs]:
            lacking = int((~np.isfinite(getattr(data.table, axis)[used])).sum())
            if lacking:
                found = f"lacks {axis} in {lacking:,} of {len(used):,} windows"
                remedy = "predict fewer (model.teacher.n_outputs), or leave data.target null"
                raise InputError(data.table.corpus, found, remedy)

    def _start_from(self, pin: WarmStart) -> None:
        """Take the weights of a warm-up that knows nobody of the test fold."""
        given = read_warm_start(pin)
        refuse_warmed_on(given["provenance"], self.provenance)
        if given["provenance"]["bands"] != self.provenance["bands"]:
            found = f"was warmed up on bands {given['provenance']['bands']}"
            raise InputError(pin.path, found, f"warm up on {self.provenance['bands']}")
        take_weights(self.teacher, given["state"], given["channels"])
        self.provenance["init_from"] = {"sha256": pin.sha256, **given["provenance"]}

    def on_validation_start(self) -> None:
        """Refuse features that were computed in another way than those of the checkpoint."""
        refuse_other_features(self.provenance, self._asked())

    def on_test_start(self) -> None:
        """Refuse to test on people (or events) that these weights learned from or stopped on."""
        refuse_other_features(self.provenance, self._asked())
        refuse_known(self.provenance, self._asked())

    def _asked(self) -> dict[str, Any]:
        """Provenance of the data at hand."""
        return self.trainer.datamodule.provenance  # type: ignore[attr-defined]

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Loss of one batch: squared error and concordance, in single precision."""
        predicted = _predicted(self.teacher(self._varied(batch["features"])))
        loss = va_loss(predicted, _rated(batch, predicted.shape[1]), self.mse_weight)
        self.log("train/loss", loss, on_epoch=True, on_step=False, batch_size=len(predicted))
        return loss

    def _varied(self, features: Tensor) -> Tensor:
        """Training windows, some mirrored, with noise."""
        if self.mirror:
            chosen = torch.rand(len(features), 1, 1, device=features.device) < self.mirror
            features = torch.where(chosen, features[:, self.swap], features)
        if self.noise:
            features = features + self.noise * self.teacher.feature_std * torch.randn_like(features)
        return features

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Keep predictions; they are judged over all trials at once."""
        predicted = _predicted(self.teacher(batch["features"]))
        self._seen.append((predicted, _rated(batch, predicted.shape[1]), batch["row"]))

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
        ccc = [concordance(truth[:, i], predicted[:, i]) for i in range(truth.shape[1])]
        scores = {f"ccc_{axis}": value for axis, value in zip(RATINGS, ccc, strict=False)}
        scores["ccc"] = sum(ccc) / len(ccc)
        self.log_dict({f"{prefix}/{k}": float(v) for k, v in scores.items()}, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """AdamW and cosine by default."""
        steps = planned_steps(self.trainer)
        return build_optimiser(self.optimisation, self.teacher.parameters(), steps)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let electrodes, bands, preprocessing and split travel with the weights."""
        checkpoint["neurogaze"] = checkpoint_record(
            "teacher", self.teacher.channels, self.config_hash, self.provenance
        )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of another kind or of other electrodes, and to go on with other data."""
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
        hashes = self.config_hash, record.get("config_hash", "")
        self.provenance, self.config_hash = taken_up(
            self, self.provenance, record["provenance"], hashes
        )
