"""The objective of the student: four optional terms, each with a factor (arXiv:2509.11916)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.geometry import Geometry
from neurogaze.losses.logit_kd import LogitKD
from neurogaze.losses.proto_kd import ProtoKD
from neurogaze.losses.seen import Seen

Term = CrossEntropy | LogitKD | ProtoKD | Geometry


class Objective(nn.Module):
    """`CE + 0.30 KD + 0.12 ProtoKD + lambda(epoch) Geometry`, any term of which may be left out.

    A term whose factor is 0 at a step is not computed and not in the returned dict. Without any
    term the objective is the default cross-entropy.

    Args:
        ce: cross-entropy with the labels, or None.
        kd: distillation of logits from a face classifier, or None.
        proto: distillation toward the prototype grid, or None.
        geo: geometric regulariser, or None.
    """

    def __init__(
        self,
        ce: CrossEntropy | None = None,
        kd: LogitKD | None = None,
        proto: ProtoKD | None = None,
        geo: Geometry | None = None,
    ) -> None:
        super().__init__()
        if ce is None and kd is None and proto is None and geo is None:
            ce = CrossEntropy()
        self.ce, self.kd, self.proto, self.geo = ce, kd, proto, geo

    def set_class_counts(
        self, counts: Tensor, left_out: int | None = None, shares: Tensor | None = None
    ) -> None:
        """Tell the cross-entropy how many training images each class has, `[8]`.

        Args:
            counts: images of each class.
            left_out: index of a class that is not trained on purpose, or None.
            shares: mean of the targets, `[8]`, or None where they are the labels.
        """
        if self.ce is not None:
            self.ce.set_class_counts(counts, left_out, shares)

    def active(self, seen: Seen) -> dict[str, tuple[Term, float]]:
        """Terms with a factor other than 0 at this step, and their factors."""
        slots: dict[str, Term | None] = {
            "ce": self.ce,
            "kd": self.kd,
            "proto": self.proto,
            "geo": self.geo,
        }
        chosen = {
            name: (term, term.coefficient(seen)) for name, term in slots.items() if term is not None
        }
        return {name: pair for name, pair in chosen.items() if pair[1] != 0.0}

    def forward(self, seen: Seen) -> tuple[Tensor, dict[str, Tensor]]:
        """Add up the terms.

        Returns:
            The total with gradient, and each weighted term without, by slot name.
        """
        active = self.active(seen)
        if self.geo is not None and self.geo.weight != 0.0 and "geo" not in active:
            self.geo.observe(seen)
        terms = {name: factor * term(seen) for name, (term, factor) in active.items()}
        total = torch.stack(list(terms.values())).sum() if terms else 0.0 * seen.logits.sum()
        return total, {name: term.detach() for name, term in terms.items()}


def embedding_gradient(term: ProtoKD | Geometry, seen: Seen) -> Tensor:
    """Gradient of one unweighted term at the embedding, `[B, D]`, for logging norms and angles.

    The running class means of the geometric term are left as they are.
    """
    leaf = seen.embedding.detach().requires_grad_()
    training = term.training
    term.eval()
    try:
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(term(replace(seen, embedding=leaf)), leaf)
    finally:
        term.train(training)
    return gradient
