"""The student's task: classify a face, shaped by a frozen prototype grid."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix

import neurogaze
from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import accuracy, macro_f1_8way
from neurogaze.losses.objective import Objective
from neurogaze.losses.seen import Seen
from neurogaze.models.averaging import average_decay, reestimate_batchnorm, update_average
from neurogaze.models.student import Student, StudentOutput
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.tasks.optimisation import Optimisation, build_optimiser
from neurogaze.tasks.pins import GridPin, LogitsPin, load_logits


class StudentTask(LightningModule):
    """Train an image-only student with CE, logit KD, Proto-KD and D-Geo.

    Args:
        student: the network.
        loss: the objective; a slot that is null, or of weight 0, is not computed.
        grid: the prototype grid, pinned by hash; needed by Proto-KD.
        teacher_logits: stored logits of a face classifier; needed by logit KD.
        optimisation: optimiser and schedule.
        ema_decay: highest decay of the averaged weights; 0 keeps none.
    """

    prototypes: Tensor
    centers: Tensor

    def __init__(
        self,
        student: Student,
        loss: Objective,
        grid: GridPin | None = None,
        teacher_logits: LogitsPin | None = None,
        optimisation: Optimisation = Optimisation(lr=2e-4, weight_decay=0.05),
        ema_decay: float = 0.0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.student = student
        self.averaged = copy.deepcopy(student).requires_grad_(False) if ema_decay else None
        self.loss = loss
        self.grid_pin, self.logits_pin = grid, teacher_logits
        self.optimisation = optimisation
        self.ema_decay = ema_decay
        self.register_buffer("prototypes", torch.zeros(0, student.embed.out_features))
        self.register_buffer("centers", torch.zeros(0, 2))
        self.provenance: dict[str, Any] = {}
        self.config_hash = ""
        self.epochs = (0, 0)
        self.calibrated = -1
        self.logits: Tensor | None = None
        self.confusion = MulticlassConfusionMatrix(num_classes=len(EMOTIONS))

    @property
    def deployed(self) -> Student:
        """The network to use: averaged weights where they are kept."""
        return self.student if self.averaged is None else self.averaged

    def setup(self, stage: str) -> None:
        """Open the pinned grid and logits, take class counts and provenance from the data.

        Raises:
            InputError: when a term lacks its input, or a pinned file is not what its hash says.
        """
        if stage != "fit":
            return
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        self.loss.set_class_counts(torch.as_tensor(data.class_counts))
        self.provenance = dict(data.provenance)
        self._open_grid()
        if self.loss.kd is not None and self.loss.kd.weight:
            if self.logits_pin is None:
                raise InputError(
                    "model.teacher_logits",
                    "is null, but the objective has a logit-KD term",
                    "pin stored logits, or set `loss.kd` to null",
                )
            self.logits = load_logits(self.logits_pin, data.train.ids)

    def _open_grid(self) -> None:
        needed = self.loss.proto is not None and self.loss.proto.weight
        if self.grid_pin is None:
            if needed:
                raise InputError(
                    "model.grid",
                    "is null, but the objective has a Proto-KD term",
                    "pin a grid by path and sha256, or set `loss.proto` to null",
                )
            return
        grid = PrototypeGrid.load(
            Path(self.grid_pin.path),
            sha256=self.grid_pin.sha256,
            dim=self.student.embed.out_features,
        )
        if not needed:
            return  # an arm without the term has no grid, whatever its base configuration pins
        self.prototypes = torch.tensor(grid.prototypes).to(self.device)
        self.centers = torch.tensor(grid.centers, dtype=torch.float32).to(self.device)
        self.provenance |= {"grid_sha256": grid.sha256, "grid": grid.provenance}

    def forward(self, images: Tensor) -> StudentOutput:
        """Run the deployed network on prepared images `[batch, channels, height, width]`."""
        return self.deployed(images.contiguous(memory_format=torch.channels_last))

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Objective of one batch; every weighted term is logged."""
        out = self.student(batch["image"].contiguous(memory_format=torch.channels_last))
        has_grid = len(self.prototypes) > 0
        seen = Seen(
            logits=out.logits,
            embedding=out.embedding,
            label=batch["label"],
            target=batch["target"],
            teacher_logits=None if self.logits is None else self._teacher_logits(batch["row"]),
            prototypes=self.prototypes if has_grid else None,
            centers=self.centers if has_grid else None,
            epoch=float(self.current_epoch),
            max_epochs=int(self.trainer.max_epochs or 1),
        )
        total, terms = self.loss(seen)
        logged = {f"train/{name}": term.detach() for name, term in terms.items()}
        logged["train/loss"] = total.detach()
        self.log_dict(logged, on_step=False, on_epoch=True, batch_size=len(out.logits))
        return total

    def _teacher_logits(self, rows: Tensor) -> Tensor:
        assert self.logits is not None
        return self.logits[rows.cpu()].to(rows.device)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Let the averaged weights follow."""
        if self.averaged is not None:
            decay = average_decay(self.global_step, self.ema_decay)
            update_average(self.averaged, self.student, decay)

    def on_validation_start(self) -> None:
        """Ready the averaged weights of the last epoch; refuse images prepared in another way.

        Raises:
            InputError: when a checkpoint is judged on images that it was not trained for.
        """
        if self.trainer.training or self.trainer.state.fn == "fit":
            self._calibrate()
            return
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        own, given = self.provenance.get("preprocessing"), data.provenance["preprocessing"]
        if own is not None and own != given:
            raise InputError(
                "data.preprocessing",
                f"is {given}, but the checkpoint was trained with {own}",
                "give the data the preprocessing of the checkpoint",
            )

    def on_test_start(self) -> None:
        """As in validation."""
        self.on_validation_start()

    def on_train_epoch_end(self) -> None:
        """Ready the averaged weights where the last epoch was not validated."""
        self._calibrate()

    def _calibrate(self) -> None:
        """Re-estimate batch norms of the averaged weights, once, at the end of the last epoch."""
        last = self.current_epoch + 1 >= int(self.trainer.max_epochs or 1)
        if self.averaged is None or not last or self.calibrated == self.current_epoch:
            return
        if self.trainer.sanity_checking:
            return
        self.calibrated = self.current_epoch
        loader = self.trainer.datamodule.calibration_loader()  # type: ignore[attr-defined]
        reestimate_batchnorm(
            self.averaged,
            (
                batch["image"].to(self.device).contiguous(memory_format=torch.channels_last)
                for batch in loader
            ),
        )

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Count predictions in the confusion matrix."""
        self.confusion.update(self(batch["image"]).logits.argmax(dim=1), batch["label"])

    def test_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """As in validation."""
        self.validation_step(batch, batch_idx)

    def on_validation_epoch_end(self) -> None:
        """Log accuracy and 8-way macro-F1."""
        self._judge("val")

    def on_test_epoch_end(self) -> None:
        """Log accuracy and 8-way macro-F1."""
        self._judge("test")

    def _judge(self, prefix: str) -> None:
        counts = self.confusion.compute().cpu().numpy()
        self.confusion.reset()
        scores = {"accuracy": accuracy(counts), "macro_f1_8way": macro_f1_8way(counts)}
        self.log_dict({f"{prefix}/{k}": float(v) for k, v in scores.items()}, prog_bar=True)

    def configure_optimizers(self) -> Any:
        """AdamW and cosine by default."""
        steps = int(self.trainer.estimated_stepping_batches)
        return build_optimiser(self.optimisation, self.student.parameters(), steps)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let label order, preprocessing and provenance travel with the weights."""
        checkpoint["neurogaze"] = {
            "kind": "student",
            "version": neurogaze.__version__,
            "labels": list(EMOTIONS),
            "epochs": [self.current_epoch + 1, int(self.trainer.max_epochs or 0)],
            "config_hash": self.config_hash,
            "provenance": self.provenance,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse weights of another kind or class order; make room for their grid."""
        record = checkpoint.get("neurogaze", {})
        if record.get("kind") != "student":
            raise InputError(
                "checkpoint", f"holds {record.get('kind')!r}, not a student", "pass a student"
            )
        if record.get("labels") != list(EMOTIONS):
            raise InputError(
                "checkpoint",
                f"has the class order {record.get('labels')}, not {list(EMOTIONS)}",
                "train it again with this version, or reorder its classifier",
            )
        if "preprocessing" not in record.get("provenance", {}):
            raise InputError(
                "checkpoint", "does not say how images were prepared", "train it again"
            )
        self.provenance = record["provenance"]
        self.epochs = (int(record["epochs"][0]), int(record["epochs"][1]))
        self.config_hash = record.get("config_hash", "")
        for name in ("prototypes", "centers"):
            setattr(self, name, torch.zeros_like(checkpoint["state_dict"][name]))
