"""The objective of the student: optional terms, each with a factor.

    L = CE + 0.30 KD + 0.12 ProtoKD + lambda(epoch) Geometry

as in arXiv 2509.11916, whose weights are the defaults; the formula of each term, and what of it is
published, stands in its own file. A control arm may add `va_head.VaHead`, which is ours.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.geometry import Geometry
from neurogaze.losses.logit_kd import LogitKD
from neurogaze.losses.proto_kd import ProtoKD
from neurogaze.losses.seen import Seen
from neurogaze.losses.va_head import VaHead

Term = CrossEntropy | LogitKD | ProtoKD | Geometry | VaHead


class Objective(nn.Module):
    """Sum of the terms that are given, each times its factor.

    A term whose factor is 0 at a step is not computed and not in the returned dict. Without any
    term the objective is the default cross-entropy.

    Args:
        ce: cross-entropy with the labels, or None.
        kd: distillation of logits from a face classifier, or None.
        proto: distillation toward the prototype grid, or None.
        geo: geometric regulariser, or None.
        va: regression of the class anchors, or None; its head has parameters to train.
    """

    def __init__(
        self,
        ce: CrossEntropy | None = None,
        kd: LogitKD | None = None,
        proto: ProtoKD | None = None,
        geo: Geometry | None = None,
        va: VaHead | None = None,
    ) -> None:
        super().__init__()
        if all(term is None for term in (ce, kd, proto, geo, va)):
            ce = CrossEntropy()
        self.ce, self.kd, self.proto, self.geo, self.va = ce, kd, proto, geo, va

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
            "va": self.va,
        }
        chosen = {
            name: (term, term.coefficient(seen)) for name, term in slots.items() if term is not None
        }
        return {name: pair for name, pair in chosen.items() if pair[1] != 0.0}

    def forward(self, seen: Seen) -> tuple[Tensor, dict[str, Tensor]]:
        """Add up the terms.

        Returns:
            The total, and each weighted term by slot name, all in the graph of the step; whoever
            keeps a term detaches it.
        """
        active = self.active(seen)
        asked = self.geo is not None and self.geo.weight and self.geo.least_distance
        if asked and self.proto is not None and "proto" in active:
            seen = replace(seen, class_targets=self.proto.class_targets(seen))
        if self.geo is not None and self.geo.weight != 0.0 and "geo" not in active:
            self.geo.observe(seen)
        terms = {name: factor * term(seen) for name, (term, factor) in active.items()}
        total = torch.stack(list(terms.values())).sum() if terms else 0.0 * seen.logits.sum()
        return total, terms
