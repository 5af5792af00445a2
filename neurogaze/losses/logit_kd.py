"""Distillation of class scores from a frozen face classifier.

With logits `z` of the student and `v` of the teacher, 8 classes, mean over the batch:

    mse:  L = 1/8 |(z - mean z) - (v - mean v)|^2
    kl:   L = T^2 KL(softmax(v / T) || softmax(z / T)),    T = 5

`mse` is the published term (arXiv 2509.11916, where it is named and no formula is given; taking off
the means of rows is ours), `kl` that of Hinton et al. 2015 (arXiv 1503.02531, section 2), whose
limit for large T is `mse / 2`.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from neurogaze.errors import InputError
from neurogaze.losses.seen import Seen, full_precision, widened
from neurogaze.losses.weights import check_weight


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


def mixed_logits(teacher: Tensor, partner: Tensor, lam: Tensor, temperature: float = 1.0) -> Tensor:
    """Logits of a blend: `T log(lam softmax(z / T) + (1 - lam) softmax(z[partner] / T))`.

    Probabilities are mixed, as targets are; softened by the same `T` the result is their mixture.
    Where nothing is blended a row differs from the teacher's by a constant.

    Args:
        teacher: `[B, C]` logits of each own picture.
        partner: int64 `[B]`, place of the other picture.
        lam: `[B]`, share of the own picture.
        temperature: `T`.
    """
    logs = F.log_softmax(teacher / temperature, dim=-1)
    own = lam.to(logs.dtype)[:, None]
    return temperature * torch.logaddexp(logs + own.log(), logs[partner] + (1.0 - own).log())


class LogitKD(nn.Module):
    """The logit distillation term of the student.

    For blended images the probabilities of the teacher are blended alike: those softened by the
    temperature for `kl`, the plain ones for `mse`, which takes their logarithms as logits.

    Args:
        weight: factor of the term in the objective.
        mode: `mse` on row-centred logits, or `kl` of softened probabilities.
        temperature: softening of `kl`; `mse` has none.

    Raises:
        InputError: for a temperature that is not above 0 or not finite, or a weight that is
            negative or not finite.
    """

    def __init__(
        self,
        weight: float = 0.30,
        mode: Literal["mse", "kl"] = "mse",
        temperature: float = 5.0,
    ) -> None:
        super().__init__()
        check_weight("loss.kd.weight", weight)
        if not 0 < temperature < math.inf:
            raise InputError("loss.kd.temperature", f"is {temperature}", "use a number above 0")
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
            if seen.partner is not None and seen.lam is not None:
                softening = self.temperature if self.mode == "kl" else 1.0
                teacher = mixed_logits(teacher, seen.partner, seen.lam, softening)
            if self.mode == "mse":
                return centred_mse(student, teacher)
            return softened_kl(student, teacher, self.temperature)
