"""The identity task: a teacher's network that tells people apart and never sees a rating."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.nn import functional as F

from neurogaze.errors import InputError
from neurogaze.models.teacher import Teacher
from neurogaze.tasks.lengths import planned_steps
from neurogaze.tasks.optimisation import Optimisation, build_optimiser


class IdentityTask(LightningModule):
    """Train the embedding of a teacher to name the person of a window.

    The rating head of the teacher is left as it is; a linear head of its own names people.

    Args:
        teacher: the network; it is trained in place, its statistics must be set.
        people: int64 `[N]`, number of the person of each row of the feature table, from 0; below 0
            for people who are not to be learned.
        optimisation: optimiser and schedule.
        noise: as in `TeacherTask`.

    Raises:
        InputError: with fewer than two people.
    """

    people: Tensor

    def __init__(
        self,
        teacher: Teacher,
        people: Tensor,
        optimisation: Optimisation = Optimisation(),
        noise: float = 0.5,
    ) -> None:
        super().__init__()
        n_people = int(people.max()) + 1
        if n_people < 2:
            raise InputError("people", f"{n_people} to tell apart", "train on two or more")
        self.teacher, self.optimisation, self.noise = teacher, optimisation, noise
        self.register_buffer("people", people, persistent=False)
        self.head = nn.Linear(teacher.head.in_features, n_people)

    def forward(self, features: Tensor) -> Tensor:
        """Logits of each person, `[B, people]`, of raw features `[B, C, K]` in nats."""
        logits: Tensor = self.head(self.teacher(features).embedding)
        return logits

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Cross-entropy of the person, in single precision."""
        features = batch["features"]
        features = features + self.noise * self.teacher.feature_std * torch.randn_like(features)
        return F.cross_entropy(self(features).float(), self.people[batch["row"]])

    def configure_optimizers(self) -> Any:
        """As for a teacher."""
        steps = planned_steps(self.trainer)
        return build_optimiser(self.optimisation, self.parameters(), steps)
