"""The student's task: classify a face, shaped by a frozen prototype grid."""

from __future__ import annotations

import copy
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix

from neurogaze.affect import EMOTIONS
from neurogaze.evaluation.metrics import accuracy, macro_f1_8way
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.mixing import mixed_rows
from neurogaze.faces.witnessed import no_keys
from neurogaze.losses.gradients import gradient_balance
from neurogaze.losses.objective import Objective
from neurogaze.losses.seen import Seen
from neurogaze.models.averaging import (
    average_decay,
    check_averaging,
    reestimate_batchnorm,
    swa_decay,
    swa_first,
    update_average,
)
from neurogaze.models.student import Student, StudentOutput
from neurogaze.tasks.face_warm_start import FaceWarmStart, refuse_seen, start_from
from neurogaze.tasks.held_out import taken_up
from neurogaze.tasks.judged_by import of_one_corpus, refuse_other_folds, refuse_other_slice
from neurogaze.tasks.kinds import of_kind
from neurogaze.tasks.lengths import planned_epochs, planned_steps
from neurogaze.tasks.optimisation import Optimisation, build_optimiser
from neurogaze.tasks.pins import GridPin, LogitsPin
from neurogaze.tasks.student_inputs import (
    check_classes,
    check_length,
    check_pictures,
    check_preparation,
    check_selection,
    open_grid,
    open_logits,
)
from neurogaze.tasks.student_record import (
    StudentRecord,
    grid_entries,
    read_record,
    record_entries,
)
from neurogaze.tasks.trainers import check_trainer

GRADIENTS_EVERY = 50
"""In each epoch the first step and every so many steps after it tell how the terms share the
embedding; so seldom, it costs nothing that could be noticed."""


class StudentTask(LightningModule):
    """Train an image-only student with CE, logit KD, Proto-KD and D-Geo, or regress anchors.

    Where the data blend pictures, targets and teacher probabilities are blended alike, and with the
    targets those of Proto-KD; D-Geo sees the pictures that are not blended.

    Args:
        student: the network.
        loss: the objective; a slot that is null, or of weight 0, is not computed.
        grid: the prototype grid, pinned by hash; needed by Proto-KD.
        teacher_logits: stored logits of a face classifier; needed by logit KD.
        optimisation: optimiser and schedule.
        ema_decay: highest decay of the averaged weights; 0 keeps none.
        swa_start: share of training after which the weights at the end of each epoch enter an equal
            mean, which is what is deployed; null keeps none.
        init_from: backbone weights of a warm-up without labels to start from.

    Raises:
        InputError: for two averages at once, or one out of range.
    """

    prototypes: Tensor
    centers: Tensor
    logits: Tensor | None

    def __init__(
        self,
        student: Student,
        loss: Objective,
        grid: GridPin | None = None,
        teacher_logits: LogitsPin | None = None,
        optimisation: Optimisation = Optimisation(lr=2e-4, weight_decay=0.05),
        ema_decay: float = 0.0,
        swa_start: float | None = None,
        init_from: FaceWarmStart | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.student = student
        kept = check_averaging(ema_decay, swa_start)
        self.averaged = copy.deepcopy(student).requires_grad_(False) if kept else None
        self.loss = loss
        self.grid_pin, self.logits_pin = grid, teacher_logits
        self.optimisation = optimisation
        self.ema_decay, self.swa_start, self.init_from = ema_decay, swa_start, init_from
        self.warmed_on = no_keys()
        self.register_buffer("prototypes", torch.zeros(0, student.embed.out_features))
        self.register_buffer("centers", torch.zeros(0, 2))
        self.provenance: dict[str, Any] = {}
        self.config_hash = ""
        self.epochs = (0, 0)
        self.calibrated, self.averaged_at = -1, 0
        self.register_buffer("logits", None, persistent=False)
        self.confusion = MulticlassConfusionMatrix(num_classes=len(EMOTIONS))

    @property
    def deployed(self) -> Student:
        """The network to use: averaged weights where they are kept."""
        return self.student if self.averaged is None else self.averaged

    def setup(self, stage: str) -> None:
        """Open the pinned grid and logits, take class counts and provenance from the data.

        Raises:
            InputError: for recordings; when data and network differ in classes, channels or size of
                the pictures; when a term lacks its input, or a pinned file is not what its hash
                says; when a moving average would be selected or stopped by a score; when a mean of
                epochs would end before they do.
        """
        if stage == "predict":  # of pictures alone, without a data module
            return
        given: Any = self.trainer
        data = of_kind("--data", given.datamodule, FaceDataModule)
        check_trainer(self.trainer)
        if stage != "fit":
            return
        check_classes(data.provenance["labels"], self.student.classify.out_features)
        check_pictures(self.student.recipe, data.preprocessing)
        check_selection(self.ema_decay, self.trainer.callbacks)  # type: ignore[attr-defined]
        check_length(self.swa_start, self.trainer)
        counts, shares = data.class_counts, data.target_shares
        self.loss.set_class_counts(torch.as_tensor(counts), data.left_out, torch.as_tensor(shares))
        self.provenance = dict(data.provenance)
        if self.init_from is not None:
            self._start_from(self.init_from, data)
        self._open_grid()
        if self.loss.kd is not None and self.loss.kd.weight:
            self._open_logits(data)

    def _start_from(self, pin: FaceWarmStart, data: Any) -> None:
        """Take the backbone of a warm-up that saw no picture which will be judged."""
        given = start_from(pin, self.student, self.provenance["preprocessing"], data.judged)
        if self.averaged is not None:
            self.averaged.load_state_dict(self.student.state_dict())
        self.provenance["init_from"], self.warmed_on = given.record, given.seen

    def _open_logits(self, data: Any) -> None:
        """Take the stored logits of the training pictures, and say in provenance which."""
        dataset = data.provenance["dataset"]
        logits = open_logits(self.logits_pin, data.train, data.without)
        self.logits = logits.to(self.device)
        if self.logits_pin is not None:
            record = {"sha256": self.logits_pin.sha256.lower(), "dataset": dataset}
            self.provenance["teacher_logits"] = record

    def _open_grid(self) -> None:
        """Take the prototypes of the pinned grid, where a term needs them."""
        needed = self.loss.proto is not None and bool(self.loss.proto.weight)
        grid = open_grid(self.grid_pin, needed, self.student.embed.out_features)
        if grid is None:
            return
        self.prototypes = torch.tensor(grid.prototypes).to(self.device)
        self.centers = torch.tensor(grid.centers, dtype=torch.float32).to(self.device)
        self.provenance |= grid_entries(grid)

    def forward(self, images: Tensor) -> StudentOutput:
        """Run the deployed network on prepared images `[batch, channels, height, width]`."""
        return self.deployed(images.contiguous(memory_format=torch.channels_last))

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Objective of one batch.

        Every weighted term is logged, and at some steps its share of the gradient at the embedding.
        """
        out = self.student(batch["image"].contiguous(memory_format=torch.channels_last))
        total, terms = self.loss(self._seen(batch, out))
        logged = {name: term.detach() for name, term in terms.items()} | {"loss": total.detach()}
        if batch_idx % GRADIENTS_EVERY == 0:
            logged |= gradient_balance(terms, out.embedding)
        named = {f"train/{name}": value for name, value in logged.items()}
        n = len(out.logits)
        self.log_dict(named, on_step=False, on_epoch=True, batch_size=n, sync_dist=True)
        return total

    def _seen(self, batch: dict[str, Tensor], out: StudentOutput) -> Seen:
        """What the terms see of a batch; targets are blended as its pictures are."""
        has_grid = len(self.prototypes) > 0
        target, partner, lam = batch["target"], batch.get("partner"), batch.get("lam")
        if partner is not None and lam is not None:
            target = mixed_rows(target, partner, lam)
        return Seen(
            logits=out.logits,
            embedding=out.embedding,
            label=batch["label"],
            target=target,
            teacher_logits=None if self.logits is None else self.logits[batch["row"]],
            prototypes=self.prototypes if has_grid else None,
            centers=self.centers if has_grid else None,
            epoch=float(self.current_epoch),
            max_epochs=planned_epochs(self.trainer),
            partner=partner,
            lam=lam,
        )

    def on_train_start(self) -> None:
        """Count from the step where the training begins or goes on."""
        self.averaged_at = self.global_step

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Let the averaged weights follow: at every step (EMA), or once an epoch (SWA)."""
        if self.averaged is None:
            return
        if self.swa_start is None:
            if self.global_step == self.averaged_at:  # gradients are still being accumulated
                return
            self.averaged_at = self.global_step
            decay = average_decay(self.global_step, self.ema_decay)
            update_average(self.averaged, self.student, decay)
        elif self.trainer.is_last_batch:  # before this epoch is validated
            first = swa_first(self.swa_start, planned_epochs(self.trainer))
            update_average(self.averaged, self.student, swa_decay(self.current_epoch, first))

    def on_validation_start(self) -> None:
        """Ready the averaged weights of the last epoch; refuse images that cannot judge them.

        Raises:
            InputError: for images that were prepared in another way than those of its training, or
                that it or its warm-up learned from.
        """
        if self.trainer.training or self.trainer.state.fn == "fit":
            self._calibrate()
            return
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        own = self.provenance.get("preprocessing")
        check_preparation(own, data.provenance["preprocessing"])
        judged = {"valid": data.valid}
        if data.held_out is not None and self.trainer.state.fn == "validate":
            judged = {"dev": data.dev}
            if of_one_corpus(self.provenance, data):
                refuse_other_slice(self.provenance, data)
        refuse_other_folds(self.provenance, data, "valid")
        if self.init_from is not None:
            refuse_seen(self.warmed_on, judged, self.init_from.allow_seen)

    def on_test_start(self) -> None:
        """As in validation."""
        self.on_validation_start()

    def on_train_epoch_end(self) -> None:
        """Ready the averaged weights where the last epoch was not validated."""
        self._calibrate()

    def _calibrate(self) -> None:
        """Re-estimate batch norms of averaged weights: in the last epoch, or in all of SWA.

        Each state of the weights has it once; a validation amid the epoch is not that at its end.
        """
        epochs = planned_epochs(self.trainer)
        first = epochs - 1 if self.swa_start is None else swa_first(self.swa_start, epochs)
        if self.averaged is None or self.trainer.sanity_checking:
            return
        if self.calibrated == self.global_step:
            return
        if self.current_epoch < first and not self._cut_short():
            return
        self.calibrated = self.global_step
        loader = self.trainer.datamodule.calibration_loader()  # type: ignore[attr-defined]
        reestimate_batchnorm(
            self.averaged,
            (
                batch["image"].to(self.device).contiguous(memory_format=torch.channels_last)
                for batch in loader
            ),
        )

    def _cut_short(self) -> bool:
        """Whether a moving average ends here, by `max_steps` or `max_time`."""
        steps = self.trainer.max_steps
        return self.swa_start is None and (
            self.trainer.should_stop or 0 < steps <= self.global_step
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
        """AdamW and cosine by default; a term with a head of its own is trained as the student."""
        planned_epochs(self.trainer)  # the ramp of D-Geo and the mean of weights count epochs
        steps = planned_steps(self.trainer)
        heads = (p for p in self.loss.parameters() if p.requires_grad)
        return build_optimiser(self.optimisation, [*self.student.parameters(), *heads], steps)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Let label order, preprocessing and provenance travel with the weights."""
        epochs = (self.current_epoch + 1, int(self.trainer.max_epochs or 0))
        record = StudentRecord(epochs, self.config_hash, self.provenance, self.warmed_on)
        checkpoint.update(record_entries(record))

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse another kind, class order, or data to go on with; make room for a grid."""
        record = read_record(checkpoint)
        hashes = self.config_hash, record.config_hash
        self.provenance, self.config_hash = taken_up(
            self, self.provenance, record.provenance, hashes
        )
        self.epochs, self.warmed_on = record.epochs, record.warmed_on
        for name in ("prototypes", "centers"):
            setattr(self, name, torch.zeros_like(checkpoint["state_dict"][name]))
