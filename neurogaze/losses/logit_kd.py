"""Distillation of class scores from a frozen face classifier."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from neurogaze.errors import InputError
from neurogaze.losses.seen import Seen, full_precision, widened


def centred_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference of logits after each row has lost its mean.

    A constant added to a row changes no probability, so it must not cost anything.

    Args:
        student: `[B, C]` logits.
        teacher: `[B, C]` logits.
    """
    student = student - student.mean(-1, keepdim=True)
    teacher = teacher - teacher.mean(-1, keepdim=True)
    return F.mse_loss(student, teacher)


def softened_kl(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """`T^2 KL(softmax(teacher / T) || softmax(student / T))`, mean over rows (Hinton et al. 2015).

    Args:
        student: `[B, C]` logits.
        teacher: `[B, C]` logits.
        temperature: `T`; its square keeps the gradient comparable over temperatures.
    """
    log_student = F.log_softmax(student / temperature, dim=-1)
    log_teacher = F.log_softmax(teacher / temperature, dim=-1)
    divergence = F.kl_div(log_student, log_teacher, reduction="batchmean", log_target=True)
    return temperature**2 * divergence


class LogitKD(nn.Module):
    """The logit distillation term of the student.

    Args:
        weight: factor of the term in the objective.
        mode: `mse` on row-centred logits, or `kl` of softened probabilities.
        temperature: softening of `kl`; `mse` has none.
    """

    def __init__(
        self,
        weight: float = 0.30,
        mode: Literal["mse", "kl"] = "mse",
        temperature: float = 5.0,
    ) -> None:
        super().__init__()
        self.weight, self.mode, self.temperature = weight, mode, temperature

    def coefficient(self, seen: Seen) -> float:
        """Factor of the term at this step."""
        return self.weight

    def forward(self, seen: Seen) -> Tensor:
        """Distance to the teacher, before its factor.

        Raises:
            InputError: when the batch brings no teacher logits.
        """
        if seen.teacher_logits is None:
            raise InputError(
                "loss term kd", "the batch has no teacher logits", "give them, or set kd: null"
            )
        with full_precision(seen.logits):
            student = widened(seen.logits)
            teacher = seen.teacher_logits.detach().to(student.dtype)
            if self.mode == "mse":
                return centred_mse(student, teacher)
            return softened_kl(student, teacher, self.temperature)
