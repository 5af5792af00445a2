"""Warm-up of a student's backbone on faces without labels, by VICReg."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor

import neurogaze
from neurogaze.artefacts import canonical
from neurogaze.errors import InputError
from neurogaze.faces.unlabelled import UnlabelledFaces
from neurogaze.faces.witnessed import no_keys
from neurogaze.losses.vicreg import PUBLISHED, VicregWeights, spread, vicreg
from neurogaze.models.face_projection import Expander
from neurogaze.models.student import Student, feature_width
from neurogaze.tasks.face_warm_start import KIND, SEEN, seen_by
from neurogaze.tasks.held_out import taken_up
from neurogaze.tasks.kinds import of_kind
from neurogaze.tasks.lengths import planned_steps
from neurogaze.tasks.optimisation import Optimisation, build_optimiser
from neurogaze.tasks.student_inputs import check_pictures
from neurogaze.tasks.trainers import check_trainer


class FacePretrainingTask(LightningModule):
    """Teach a backbone to see that two views show one picture.

    Nothing is validated: the objective says nothing of emotions. `train/spread` tells a collapse
    (1 is even, 0 is none).

    Args:
        student: only its backbone learns; built as that of the student to come.
        weights: factors of the three terms.
        width: of the expander.
        optimisation: optimiser and schedule.
    """

    def __init__(
        self,
        student: Student,
        weights: VicregWeights = PUBLISHED,
        width: int = 1024,
        optimisation: Optimisation = Optimisation(lr=1e-3, weight_decay=1e-4),
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.student = student
        self.expander = Expander(feature_width(student.backbone), width)
        self.weights, self.optimisation = weights, optimisation
        self.provenance: dict[str, Any] = {}
        self.config_hash = ""
        self.seen = no_keys()

    def setup(self, stage: str) -> None:
        """Take provenance, and hashes of all pictures, from the data.

        Raises:
            InputError: for other data than faces without labels; when they have other channels, or
                another size, than the backbone.
        """
        given: Any = self.trainer
        data = of_kind("--data", given.datamodule, UnlabelledFaces)
        check_trainer(self.trainer)
        check_pictures(self.student.recipe, data.preprocessing)
        self.provenance, self.seen = dict(data.provenance), data.seen

    def forward(self, images: Tensor) -> Tensor:
        """Features of prepared images `[batch, channels, height, width]`."""
        images = images.contiguous(memory_format=torch.channels_last)
        features: Tensor = self.student.backbone(images)
        return features

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """VICReg of one batch; every weighted term is logged, and the spread of the features."""
        first, second = self(batch["first"]), self(batch["second"])
        terms = vicreg(self.expander(first), self.expander(second), self.weights)
        total = torch.stack(list(terms.values())).sum()
        logged = {f"train/{name}": term.detach() for name, term in terms.items()}
        logged |= {"train/loss": total.detach(), "train/spread": spread(first)}
        self.log_dict(logged, on_step=False, on_epoch=True, batch_size=len(first))
        return total

    def configure_optimizers(self) -> Any:
        """AdamW and cosine by default; embedding and classifier of the student do not learn."""
        steps = planned_steps(self.trainer)
        learning = [*self.student.backbone.parameters(), *self.expander.parameters()]
        return build_optimiser(self.optimisation, learning, steps)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let backbone, preprocessing, provenance and what was seen travel with the weights."""
        checkpoint["neurogaze"] = {
            "kind": KIND,
            "version": neurogaze.__version__,
            "student": canonical(self.student.recipe),
            "config_hash": self.config_hash,
            "provenance": self.provenance,
        }
        checkpoint[SEEN] = self.seen

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of another kind, and to go on with other data."""
        record = checkpoint.get("neurogaze", {})
        if record.get("kind") != KIND:
            found = f"holds {record.get('kind')!r}, not a warm-up of faces"
            raise InputError("checkpoint", found, "pass a checkpoint of a FacePretrainingTask")
        self.seen = seen_by(checkpoint)
        hashes = self.config_hash, record.get("config_hash", "")
        self.provenance, self.config_hash = taken_up(
            self, self.provenance, record["provenance"], hashes
        )
