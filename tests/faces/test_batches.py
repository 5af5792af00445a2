"""Order of batches: complete, shuffled, and a function of seed and epoch."""

import numpy as np
import torch

from neurogaze.faces.batches import (
    BatchPlan,
    FaceBatches,
    OrderedBatches,
    ShuffledBatches,
    batch_seed,
    loader,
)
from tests.faces.test_images import make_table


def visit(sampler, epoch):
    sampler.set_epoch(epoch)
    return [(plan.rows.tolist(), plan.draw) for plan in sampler]


def test_an_epoch_visits_no_row_twice_and_drops_the_rest():
    sampler = ShuffledBatches(103, 10, seed=3)
    rows = [row for batch, _ in visit(sampler, 0) for row in batch]
    assert len(sampler) == 10
    assert len(rows) == len(set(rows)) == 100
    assert rows != sorted(rows)


def test_order_depends_on_seed_and_epoch_only():
    one, other = ShuffledBatches(50, 8, seed=3), ShuffledBatches(50, 8, seed=3)
    visit(one, 0)
    assert visit(one, 4) == visit(other, 4)
    assert visit(one, 4) != visit(one, 5)
    assert visit(one, 4) != visit(ShuffledBatches(50, 8, seed=4), 4)


def test_no_two_batches_share_their_augmentation():
    draws = {batch_seed(s, e, b) for s in range(3) for e in range(10) for b in range(50)}
    assert len(draws) == 1500
    assert max(draws) < 2**63


def test_ordered_batches_cover_all_rows():
    sampler = OrderedBatches(25, 10)
    rows = [plan.rows.tolist() for plan in sampler]
    assert len(sampler) == len(rows) == 3
    assert [row for batch in rows for row in batch] == list(range(25))


def test_a_batch_holds_its_rows():
    table = make_table(6)
    batch = FaceBatches(table)[BatchPlan(np.array([4, 1]), draw=7)]
    assert torch.equal(batch["image"], torch.from_numpy(table.images[[4, 1]]))
    assert batch["label"].tolist() == [4, 1]
    assert batch["row"].tolist() == [4, 1]
    assert batch["target"].argmax(dim=1).tolist() == [4, 1]
    assert batch["target"].sum(dim=1).tolist() == [1.0, 1.0]
    assert batch["draw"] == 7
    soft = FaceBatches(table, soft=True)[BatchPlan(np.array([2]))]
    assert soft["target"].tolist() == [[0.125] * 8]
    assert "draw" not in soft


def test_loading_leaves_the_global_generator_alone():
    state = torch.random.get_rng_state()
    list(loader(FaceBatches(make_table(6)), ShuffledBatches(6, 2, seed=0)))
    assert torch.equal(state, torch.random.get_rng_state())
