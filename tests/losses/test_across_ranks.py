"""Sums over processes, in one process; `tests/tasks/test_distributed.py` has two."""

import torch

from neurogaze.losses.across_ranks import mean_over_ranks, n_ranks, sum_over_ranks


def test_one_process_keeps_its_tensor():
    share = torch.randn(3, requires_grad=True)
    assert n_ranks() == 1
    assert sum_over_ranks(share) is share
    assert mean_over_ranks(share) is share
