"""Order of batches: complete, shuffled, and a function of seed and epoch."""

import dataclasses
import hashlib

import numpy as np
import torch

from neurogaze.faces.batches import (
    BatchPlan,
    FaceBatches,
    OrderedBatches,
    ShuffledBatches,
    batch_seed,
    known_votes,
    loader,
    sampled_labels,
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
    soft = FaceBatches(table, "votes")[BatchPlan(np.array([2]))]
    assert soft["target"].tolist() == [[0.125] * 8]
    assert "draw" not in soft


def test_loading_leaves_the_global_generator_alone():
    state = torch.random.get_rng_state()
    list(loader(FaceBatches(make_table(6)), ShuffledBatches(6, 2, seed=0)))
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_order_is_pinned():
    """Trainings of earlier versions can be repeated: rows and draws are what they always were."""
    sampler = ShuffledBatches(1000, 64, seed=7)
    sampler.set_epoch(3)
    plans = list(sampler)
    content = b"".join(plan.rows.tobytes() for plan in plans)
    content += np.array([plan.draw for plan in plans]).tobytes()
    known = "223c81d42b1dca51e1264c60770001793ccfa266c6233913df91052082ab9a1d"
    assert hashlib.sha256(content).hexdigest() == known


def votes_of(*rows):
    votes = np.zeros((len(rows), 8), dtype=np.float32)
    for vote, row in zip(votes, rows, strict=True):
        vote[list(row)] = list(row.values())
    return votes


def test_labels_are_drawn_as_often_as_voted():
    """Counts over 4,000 epochs within five standard errors of the votes."""
    votes, rows = votes_of({0: 0.7, 3: 0.3}, {5: 1.0}, {1: 0.1, 2: 0.2, 7: 0.7}), np.arange(3)
    drawn = np.stack([sampled_labels(votes, rows, seed=0, epoch=e) for e in range(4000)])
    share = np.stack([np.bincount(column, minlength=8) / 4000 for column in drawn.T])
    error = np.sqrt(votes * (1 - votes) / 4000)
    assert (np.abs(share - votes) <= 5 * error + 1e-7).all()


def test_a_label_depends_on_seed_epoch_and_row_and_not_on_its_batch():
    votes = np.full((500, 8), 0.125, dtype=np.float32)
    all_rows = np.arange(500)
    whole = sampled_labels(votes, all_rows, seed=1, epoch=2)
    some = np.array([400, 3, 77])
    np.testing.assert_array_equal(sampled_labels(votes, some, seed=1, epoch=2), whole[some])
    for seed, epoch in ((1, 3), (2, 2)):
        other = sampled_labels(votes, all_rows, seed=seed, epoch=epoch)
        assert np.mean(other == whole) < 0.25


def test_sampled_targets_are_one_hot_in_training_and_votes_elsewhere():
    data, rows = FaceBatches(make_table(200), "sampled", seed=4), np.arange(150, 200)
    target = data[BatchPlan(rows, draw=1, epoch=6)]["target"]
    drawn = sampled_labels(data.votes, rows, seed=4, epoch=6)
    assert torch.equal(target, torch.eye(8)[torch.from_numpy(drawn)])
    assert data[BatchPlan(rows)]["target"].tolist() == [[0.125] * 8] * 50


def test_votes_without_an_emotion_by_hand():
    votes = votes_of({0: 0.5, 1: 0.25, 2: 0.25}, {1: 1.0})
    table = dataclasses.replace(make_table(2), votes=votes, labels=np.array([0, 3]))
    expected = votes_of({0: 2 / 3, 2: 1 / 3}, {3: 1.0})
    np.testing.assert_allclose(known_votes(table, 1), expected, rtol=1e-6)
    np.testing.assert_array_equal(known_votes(table, None), votes)
