"""Batches dealt out to processes: every row once, in the batches and the order of one process."""

import numpy as np
import pytest
from torch.utils.data.distributed import DistributedSampler

from neurogaze.errors import InputError
from neurogaze.faces.batches import FaceBatches, OrderedBatches, ShuffledBatches
from neurogaze.faces.dealing import DealtBatches, deal
from tests.faces.test_images import make_table

DATA = FaceBatches(make_table(41))


def visited(sampler) -> list[list[int]]:
    return [plan.rows.tolist() for plan in sampler]


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_shares_of_a_training_batch_make_up_the_batch(ranks):
    plans = ShuffledBatches(41, 12, seed=3)
    samplers = [deal(DATA, ShuffledBatches(41, 12, seed=3), rank, ranks) for rank in range(ranks)]
    for sampler in (plans, *samplers):
        sampler.set_epoch(5)
    assert [len(sampler) for sampler in samplers] == [3] * ranks
    for whole, *shares in zip(plans, *samplers, strict=True):
        assert {len(share.rows) for share in shares} == {12 // ranks}
        assert np.concatenate([share.rows for share in shares]).tolist() == whole.rows.tolist()
        assert len({share.draw for share in shares}) == ranks
        assert {share.epoch for share in shares} == {5}


@pytest.mark.parametrize("ranks", [1, 2, 3, 5])
@pytest.mark.parametrize("batch_size", [5, 8, 64])
@pytest.mark.parametrize("n_rows", [5, 9, 41])
def test_every_row_is_judged_once(ranks, batch_size, n_rows):
    plans = OrderedBatches(n_rows, batch_size)
    samplers = [deal(DATA, plans, rank, ranks) for rank in range(ranks)]
    shares = [visited(sampler) for sampler in samplers]
    assert [len(sampler) for sampler in samplers] == [len(share) for share in shares]
    assert all(batch for share in shares for batch in share), "no empty batch"
    assert sorted(row for share in shares for batch in share for row in batch) == [*range(n_rows)]


def test_one_process_has_the_sampler_itself():
    plans = OrderedBatches(41, 8)
    assert deal(DATA, plans, 0, 1) is plans


def test_lightning_takes_it_for_a_distributed_sampler():
    """So it puts none of its own around it, which pads."""
    assert isinstance(deal(DATA, OrderedBatches(41, 8), 1, 2), DistributedSampler)


def test_shares_that_cannot_be_dealt_are_refused():
    with pytest.raises(InputError, match=r"batch_size: 10 is no multiple of 3 processes"):
        DealtBatches(DATA, ShuffledBatches(41, 10, seed=0), 0, 3)
    for plans in (OrderedBatches(3, 8), OrderedBatches(41, 3)):
        with pytest.raises(InputError, match=r"leave a process without any.*fewer than 4"):
            DealtBatches(DATA, plans, 0, 4)
