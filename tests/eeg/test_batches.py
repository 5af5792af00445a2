from collections import Counter

import numpy as np
import pytest

from neurogaze.eeg.batches import TrialSampler
from neurogaze.errors import InputError


def trials(n_trials, n_windows):
    return np.repeat([f"t{i}" for i in range(n_trials)], n_windows)


@pytest.mark.parametrize(
    ("names", "batch_size", "limit", "n_batches"),
    [
        (trials(276, 6), 256, 2, 7),  # the shape of DASPS
        (trials(50, 6), 256, 2, 3),  # too few trials for a full batch
        (trials(10, 7), 8, 1, 9),
        (np.concatenate([trials(5, 3), np.repeat("long", 40)]), 256, 2, 20),
        (trials(1, 1), 4, 2, 1),
    ],
)
def test_an_epoch_holds_every_window_once_and_few_of_a_trial_together(
    names, batch_size, limit, n_batches
):
    sampler = TrialSampler(names, batch_size, limit, seed=3)
    assert len(sampler) == n_batches
    for epoch in range(3):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == n_batches
        assert sorted(np.concatenate(batches)) == list(range(len(names)))
        sizes = [len(batch) for batch in batches]
        assert max(sizes) <= batch_size
        assert max(sizes) - min(sizes) <= 1
        assert max(max(Counter(names[batch]).values()) for batch in batches) <= limit


def test_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        sampler = TrialSampler(trials(20, 6), 16, 2, seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(0, 4) == order(0, 4)
    assert order(0, 4) != order(0, 5)
    assert order(0, 4) != order(1, 4)
    sampler = TrialSampler(trials(20, 6), 16, 2, 0)
    assert list(sampler) == list(sampler) == order(0, 0)


def test_company_of_a_window_changes_from_epoch_to_epoch():
    """Any two windows of different trials meet in about 1 of n_batches epochs."""
    sampler = TrialSampler(trials(40, 6), 24, 2, 0)
    met = np.zeros((240, 240))
    for epoch in range(300):
        sampler.set_epoch(epoch)
        for batch in sampler:
            met[np.ix_(batch, batch)] += 1
    apart = np.repeat(np.arange(40), 6)
    share = met[apart[:, None] != apart] / 300
    assert share.mean() == pytest.approx(0.1, abs=0.005)
    assert share.max() < 0.25
    assert share.min() > 0.01


@pytest.mark.parametrize("sizes", [(0, 2), (16, 0)])
def test_sizes_below_one_are_refused(sizes):
    with pytest.raises(InputError, match="below 1"):
        TrialSampler(trials(3, 2), *sizes)


def test_long_trials_count_no_more_than_short_ones():
    trials = np.repeat(["long", "short", "mid"], [60, 4, 10])
    sampler = TrialSampler(trials, batch_size=6, windows_per_trial=2, windows_per_epoch=4)
    passes = []
    for epoch in range(200):
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert len(batches) == len(sampler)
        seen = [i for batch in batches for i in batch]
        assert len(seen) == len(set(seen))
        assert {n: int(np.sum(trials[seen] == n)) for n in ("long", "short", "mid")} == {
            "long": 4, "short": 4, "mid": 4,
        }  # fmt: skip
        assert all(np.unique(trials[b], return_counts=True)[1].max() <= 2 for b in batches)
        passes += seen
    assert set(passes) == set(range(74)), "other windows each time"
