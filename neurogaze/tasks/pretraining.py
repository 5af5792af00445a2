"""Masked-band warm-up: a teacher learns to fill in what it cannot see, without any rating.

Some entries (an electrode in a band) of each window are hidden, which is to say set to their mean;
the embedding of the rest must tell them. The idea is that of masked autoencoders (He et al. 2022,
arXiv:2111.06377) on differential entropies.
"""

from __future__ import annotations

from typing import Any

import torch
from einops import rearrange
from pytorch_lightning import LightningModule
from torch import Tensor, nn

from neurogaze.eeg.support import SupportDataModule
from neurogaze.errors import InputError
from neurogaze.models.teacher import Teacher
from neurogaze.tasks.held_out import checkpoint_record, taken_up
from neurogaze.tasks.kinds import of_kind
from neurogaze.tasks.lengths import planned_steps
from neurogaze.tasks.optimisation import Optimisation, build_optimiser
from neurogaze.tasks.trainers import check_trainer

VALIDATION_SEED = 0
"""Of the entries hidden in validation, the same in every epoch."""


def draw_mask(shape: torch.Size, share: float, generator: torch.Generator | None = None) -> Tensor:
    """Entries to hide, `bool [B, C, K]`, each with the probability `share`."""
    return torch.rand(shape, generator=generator) < share


class PretrainingTask(LightningModule):
    """Train a teacher's encoder to reconstruct hidden entries from its embedding.

    Judged on whole people it did not learn from, by the share of variance explained: 1 - squared
    error / squared distance from the training mean, over hidden entries.

    Args:
        teacher: the network; its head is not used.
        mask: probability of hiding an entry.
        optimisation: optimiser and schedule.

    Raises:
        InputError: for a share that hides nothing or everything.
    """

    def __init__(
        self,
        teacher: Teacher,
        mask: float = 0.3,
        optimisation: Optimisation = Optimisation(),
    ) -> None:
        super().__init__()
        if not 0 < mask < 1:
            raise InputError("model.mask", f"{mask}", "use a share between 0 and 1")
        self.save_hyperparameters()
        self.teacher, self.mask, self.optimisation = teacher, mask, optimisation
        width, entries = teacher.head.in_features, teacher.feature_mean.numel()
        self.decoder = nn.Linear(width, entries)
        self.provenance: dict[str, Any] = {}
        self.config_hash = ""
        self._generator = torch.Generator()
        self._sums = torch.zeros(3, dtype=torch.float64)

    def setup(self, stage: str) -> None:
        """Take statistics and provenance from the data.

        Raises:
            InputError: for other data than recordings without ratings; when they have other
                electrodes or bands than the teacher.
        """
        given: Any = self.trainer
        data = of_kind("--data", given.datamodule, SupportDataModule)
        check_trainer(self.trainer)
        self.teacher.check_montage(data.channels, data.bands)
        if stage == "fit":
            mean, std = data.statistics
            self.teacher.set_statistics(mean, std)
            self.provenance = dict(data.provenance) | {"bands": list(data.bands)}

    def forward(self, features: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Reconstruct windows of which some entries are hidden.

        Args:
            features: `[B, C, K]`, nats.
            hidden: `bool [B, C, K]`.

        Returns:
            Reconstruction and truth, `[B, C, K]`, in standard deviations from the training mean.
        """
        mean, std = self.teacher.feature_mean, self.teacher.feature_std
        embedding = self.teacher(torch.where(hidden, mean, features)).embedding
        filled = rearrange(self.decoder(embedding), "b (c k) -> b c k", c=len(mean))
        return filled.float(), (features - mean) / std

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Mean squared error over the hidden entries of a batch."""
        features = batch["features"]
        hidden = draw_mask(features.shape, self.mask).to(features.device)
        filled, truth = self(features, hidden)
        loss = ((filled - truth).square() * hidden).sum() / hidden.sum().clamp(min=1)
        self.log("train/loss", loss, on_epoch=True, on_step=False, batch_size=len(features))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Hide the same entries in every epoch."""
        self._generator.manual_seed(VALIDATION_SEED)
        self._sums.zero_()

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Add up squared errors, squared distances from the mean, and hidden entries."""
        features = batch["features"]
        hidden = draw_mask(features.shape, self.mask, self._generator).to(features.device)
        filled, truth = self(features, hidden)
        error, spread = ((filled - truth).square() * hidden).sum(), (truth.square() * hidden).sum()
        self._sums += torch.stack([error, spread, hidden.sum()]).double().cpu()

    def on_validation_epoch_end(self) -> None:
        """Log the mean squared error and the share of variance explained."""
        error, spread, count = self._sums.tolist()
        scores = {"val/loss": error / max(1.0, count), "val/explained": 1 - error / spread}
        self.log_dict(scores, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """AdamW and cosine by default; the head does not learn."""
        steps = planned_steps(self.trainer)
        head = {id(parameter) for parameter in self.teacher.head.parameters()}
        learning = [p for p in self.parameters() if id(p) not in head]
        return build_optimiser(self.optimisation, learning, steps)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let electrodes, bands and the people seen travel with the weights."""
        checkpoint["neurogaze"] = checkpoint_record(
            "pretrained", self.teacher.channels, self.config_hash, self.provenance
        )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of another kind, and to go on with other data."""
        record = checkpoint.get("neurogaze", {})
        if record.get("kind") != "pretrained":
            found = f"holds {record.get('kind')!r}, not a warm-up"
            raise InputError("checkpoint", found, "pass a checkpoint of a PretrainingTask")
        hashes = self.config_hash, record.get("config_hash", "")
        self.provenance, self.config_hash = taken_up(
            self, self.provenance, record["provenance"], hashes
        )
