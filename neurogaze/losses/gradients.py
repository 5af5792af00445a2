"""How strongly each term pulls at the embedding, and whether two of them pull against each other.

With the weighted terms `w_t L_t` of one step and the embedding `f`, `g_t = w_t dL_t / df` is taken
along every path: that of cross-entropy and logit KD leads back through the classifier. Then

    share_t = |g_t| / sum_s |g_s|,    cos = <g_a, g_b> / (|g_a| |g_b|),

norms over the whole batch `[B, D]`. A term with a share of a hundredth decides little, whatever its
value in the total. The reading is ours; it goes back over the graph that the step has built anyhow:
no term is computed again, nothing is drawn, and no parameter's gradient is touched.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from neurogaze.losses.seen import full_precision

OPPOSED = ("proto", "geo")
"""Two terms that may fight: the margin pushes classes apart that share a cell of the grid."""


def embedding_gradients(terms: Mapping[str, Tensor], embedding: Tensor) -> dict[str, Tensor]:
    """Gradient of each term at the embedding, in float32, as one vector.

    Args:
        terms: weighted terms of a step, in its graph, which is kept.
        embedding: `[B, D]`, in the same graph.

    Returns:
        `[B * D]` by name; 0 for a term that does not depend on the embedding.
    """
    with full_precision(embedding):
        found = {
            name: torch.autograd.grad(
                term, embedding, retain_graph=True, allow_unused=True, materialize_grads=True
            )[0]
            for name, term in terms.items()
        }
    return {name: gradient.detach().float().flatten() for name, gradient in found.items()}


def gradient_shares(gradients: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Share of each gradient's norm in the sum of all norms; all 0 where every gradient is.

    >>> shares = gradient_shares({"ce": torch.tensor([3.0, 4.0]), "kd": torch.tensor([0.0, 15.0])})
    >>> [float(share) for share in shares.values()]
    [0.25, 0.75]
    """
    norms = torch.stack([gradient.norm() for gradient in gradients.values()])
    total = norms.sum()
    shares = torch.where(total > 0, norms / total, torch.zeros_like(norms))
    return dict(zip(gradients, shares, strict=True))


def gradient_balance(terms: Mapping[str, Tensor], embedding: Tensor) -> dict[str, Tensor]:
    """What there is to log of one step: nothing where fewer than two terms share the embedding.

    Args:
        terms: weighted terms of the step, in its graph.
        embedding: `[B, D]`, in the same graph.

    Returns:
        `share_<term>` of each, and `cos_proto_geo` where both are active (0 where one of the two
        gradients is 0); scalars.
    """
    if len(terms) < 2:
        return {}
    gradients = embedding_gradients(terms, embedding)
    balance = {f"share_{name}": share for name, share in gradient_shares(gradients).items()}
    if all(name in gradients for name in OPPOSED):
        first, second = (gradients[name] for name in OPPOSED)
        balance[f"cos_{'_'.join(OPPOSED)}"] = F.cosine_similarity(first, second, dim=0)
    return balance
