"""The classifier's task: tell levels of a rating, or the classes of a corpus, apart."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn import functional as F

from neurogaze.artefacts import canonical
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.targets import ClassTarget
from neurogaze.errors import InputError
from neurogaze.models.rbtransformer import RBTransformer
from neurogaze.tasks.annealing import AnnealedAdamW, build_annealed
from neurogaze.tasks.held_out import (
    checkpoint_record,
    refuse_known,
    refuse_other_features,
    taken_up,
)
from neurogaze.tasks.judging import classified
from neurogaze.tasks.kinds import of_kind
from neurogaze.tasks.lengths import planned_epochs
from neurogaze.tasks.trainers import check_trainer

TARGET, OPTIMISATION = ClassTarget(), AnnealedAdamW()
"""Defaults of `ClassifierTask`."""

CHUNK = 4096
"""Windows classified at once."""


class ClassifierTask(LightningModule):
    """Train a classifier on windows; judge it over windows and over trials.

    The data must have the same `target`; theirs draws the threshold from the training rows and
    fills rare classes up.

    Args:
        model: the network, features `[B, C, K]` to logits `[B, n_classes]`.
        target: what to tell apart.
        label_smoothing: share of the target that is spread over all classes.
        optimisation: optimiser and schedule.
        standardise: give the network features in standard deviations of the training fold from its
            mean; else raw ones, as the released code does.

    Raises:
        InputError: for a network with another number of classes than the target.
    """

    feature_mean: Tensor
    feature_std: Tensor

    def __init__(
        self,
        model: RBTransformer,
        target: ClassTarget = TARGET,
        label_smoothing: float = 0.12,
        optimisation: AnnealedAdamW = OPTIMISATION,
        standardise: bool = True,
    ) -> None:
        super().__init__()
        if model.n_classes != target.n_classes:
            raise InputError(
                "model.n_classes",
                f"{model.n_classes} does not fit a target of {target.name}",
                f"set it to {target.n_classes}",
            )
        self.save_hyperparameters()
        self.model, self.target = model, target
        self.label_smoothing, self.optimisation = label_smoothing, optimisation
        self.standardise = standardise
        shape = (model.n_channels, model.n_bands)
        self.register_buffer("feature_mean", torch.zeros(shape))
        self.register_buffer("feature_std", torch.ones(shape))
        self.channels: tuple[str, ...] = ()
        self.provenance: dict[str, Any] = {}
        self.config_hash = ""
        self._seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def setup(self, stage: str) -> None:
        """Take electrodes, statistics and provenance from the data.

        Raises:
            InputError: for faces; for data with another target, other electrodes or other bands.
        """
        given: Any = self.trainer
        data = of_kind("--data", given.datamodule, EEGDataModule)
        check_trainer(self.trainer)
        if data.target != self.target:
            found = f"is {data.target and data.target.name}, the task's is {self.target.name}"
            raise InputError("data.target", found, "give both the same target")
        shape = (len(data.channels), len(data.bands))
        if shape != tuple(self.feature_mean.shape):
            raise InputError(
                "model.n_channels, model.n_bands",
                f"{tuple(self.feature_mean.shape)} do not fit {list(data.channels)} and "
                f"{list(data.bands)}",
                f"set them to {shape[0]} and {shape[1]}",
            )
        if self.channels and tuple(data.channels) != self.channels:
            found = f"{list(data.channels)} are not those of the checkpoint {list(self.channels)}"
            raise InputError("electrodes of the data", found, "use the same corpus and order")
        if stage == "fit":
            self._learn_of(data)

    def _learn_of(self, data: Any) -> None:
        """Take what travels with the weights."""
        if self.standardise:
            mean, std = (torch.as_tensor(part) for part in data.statistics)
            self.feature_mean.copy_(mean)
            self.feature_std.copy_(std)
        self.channels = tuple(data.channels)
        self.provenance = dict(data.provenance) | {"bands": list(data.bands)}

    def forward(self, features: Tensor) -> Tensor:
        """Classify raw features, `[B, C, K]` in nats to logits `[B, n_classes]`."""
        return self.model((features - self.feature_mean) / self.feature_std)

    def probabilities(self, features: Tensor) -> Tensor:
        """Class probabilities of raw features, without dropout and gradients, part by part.

        Args:
            features: `[B, C, K]`, differential entropies as in the feature table.

        Returns:
            `float32 [B, n_classes]`, on the device of the weights; rows sum to 1.
        """
        training = self.training
        self.eval()
        with torch.no_grad():
            parts = [self(part.to(self.device)).float() for part in torch.split(features, CHUNK)]
        self.train(training)
        return torch.cat(parts).softmax(dim=1)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Cross-entropy of one batch, in single precision."""
        logits = self(batch["features"]).float()
        loss = F.cross_entropy(logits, batch["target"], label_smoothing=self.label_smoothing)
        self.log("train/loss", loss, on_epoch=True, on_step=False, batch_size=len(logits))
        return loss

    def predict_step(self, batch: dict[str, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """`probabilities` `[B, n_classes]`, `target` `[B]` and the `row` of the table `[B]`."""
        probabilities = self.probabilities(batch["features"])
        return {"probabilities": probabilities, "target": batch["target"], "row": batch["row"]}

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Keep predictions; they are judged all at once."""
        probabilities = self(batch["features"]).float().softmax(dim=1)
        self._seen.append((probabilities, batch["target"], batch["row"]))

    def test_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """As in validation."""
        self.validation_step(batch, batch_idx)

    def on_validation_start(self) -> None:
        """Refuse features that were computed in another way than those of the checkpoint."""
        refuse_other_features(self.provenance, self._asked())

    def on_test_start(self) -> None:
        """Refuse to test on people (or events) that these weights learned from or stopped on."""
        refuse_other_features(self.provenance, self._asked())
        refuse_known(self.provenance, self._asked())

    def on_predict_start(self) -> None:
        """As before a test."""
        self.on_test_start()

    def _asked(self) -> dict[str, Any]:
        """Provenance of the data at hand."""
        return self.trainer.datamodule.provenance  # type: ignore[attr-defined]

    def on_validation_epoch_end(self) -> None:
        """Log the scores."""
        self._judge("val")

    def on_test_epoch_end(self) -> None:
        """Log the scores."""
        self._judge("test")

    def _judge(self, prefix: str) -> None:
        """Log accuracy, balanced accuracy and macro-F1 over windows and over trials."""
        parts = zip(*self._seen, strict=True)
        probabilities, truth, rows = (torch.cat(part).cpu().numpy() for part in parts)
        self._seen.clear()
        trials = self.trainer.datamodule.table.trial[rows]  # type: ignore[attr-defined]
        scores = classified(probabilities, truth, trials)
        self.log_dict({f"{prefix}/{k}": v for k, v in scores.items()}, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """AdamW and a cosine over the epochs of the trainer."""
        epochs = planned_epochs(self.trainer)
        return build_annealed(self.optimisation, self.model.parameters(), epochs)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let electrodes, target, preprocessing and split travel with the weights."""
        record = checkpoint_record("classifier", self.channels, self.config_hash, self.provenance)
        checkpoint["neurogaze"] = record | {"target": canonical(self.target)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of another kind or target, and to go on with other data."""
        record = checkpoint.get("neurogaze", {})
        if record.get("kind") != "classifier":
            found = f"holds {record.get('kind')!r}, not a classifier"
            raise InputError("checkpoint", found, "pass a classifier")
        if record["target"] != canonical(self.target):
            found = f"was trained for {record['target']}, not {self.target.name}"
            raise InputError("checkpoint", found, "build the task with its target")
        self.channels = tuple(record["channels"])
        hashes = self.config_hash, record.get("config_hash", "")
        self.provenance, self.config_hash = taken_up(
            self, self.provenance, record["provenance"], hashes
        )
