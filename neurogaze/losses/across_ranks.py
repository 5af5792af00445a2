"""Sums over the processes of a distributed training: a formula over the batch means the whole one.

Each of W processes holds a share of the global batch, computes the loss `L_r` and its gradient, and
PyTorch's `DistributedDataParallel` steps along the mean `1/W sum_r dL_r`. That is the gradient of
one process on the global batch in three cases:

- a mean over equal shares needs nothing: the mean of the means is the mean;
- a loss `L = F(S)` of sums `S = sum_r s_r` is computed by everybody alike. The gradient of the
  differentiable sum adds up what every process asks of S, which is `W dF/dS`; process r passes
  `W dF/dS ds_r` on, and the mean over the processes is `dF/dS sum_r ds_r = dL`: the factor W of the
  sum and the 1/W of the averaging cancel, also where `s_r` itself depends on an earlier sum;
- a fraction `sum_r n_r / sum_r d_r` whose divisor has no gradient is `n_r / mean_r d_r` in process
  r: both its mean and the mean of its gradients are those of the fraction.

In one process every function here returns its input.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist


def n_ranks() -> int:
    """Processes that train together; 1 where nothing is distributed."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _summed(share: Tensor) -> Tensor:
    total = share.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(total)
    return total


class _Sum(torch.autograd.Function):
    """Sum over processes whose gradient is the sum of what each asks of it."""

    @staticmethod
    def forward(ctx: Any, share: Tensor) -> Tensor:
        return _summed(share)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return _summed(gradient)


def sum_over_ranks(share: Tensor) -> Tensor:
    """Sum of the tensors of all processes, of any one shape; its gradient is summed likewise.

    Every process must call it, equally often and in the same order, forward and backward.
    """
    if n_ranks() == 1:
        return share
    total: Tensor = _Sum.apply(share)  # type: ignore[no-untyped-call]
    return total


def mean_over_ranks(share: Tensor) -> Tensor:
    """Mean of the tensors of all processes; as `sum_over_ranks`."""
    return sum_over_ranks(share) / n_ranks() if n_ranks() > 1 else share
