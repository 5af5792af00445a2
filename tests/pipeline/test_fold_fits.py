"""One fold at a time: best epoch kept, processes and threads of no consequence."""

import numpy as np
import pytest
import torch

from neurogaze.callbacks import EpochSeed
from neurogaze.pipeline.fold_fits import BestWeights, FoldJob, fit_fold, fold_pool
from tests.pipeline.tiny import EXPERIMENTS, TEACHER

BASE = (
    "--config", str(EXPERIMENTS / "teacher.yaml"),
    "--data", str(EXPERIMENTS / "data" / "synthetic_eeg.yaml"),
    *TEACHER, "--seed_everything=0",
)  # fmt: skip


@pytest.fixture(scope="module")
def args(tmp_path_factory):
    return (*BASE, f"--data.store={tmp_path_factory.mktemp('store')}")


def test_processes_give_what_this_process_gives(args):
    jobs = [FoldJob(args, fold) for fold in (0, 1)]
    here = [fit_fold(job) for job in jobs]
    with fold_pool(2) as pool:
        there = list(pool.run(jobs))
    for one, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_allclose(one.guess, other.guess, atol=1e-6)
    assert not set(here[0].rows) & set(here[1].rows)


def test_exchanged_ratings_give_another_network(args):
    true, exchanged = (fit_fold(FoldJob(args, 0, seed)).guess for seed in (None, 3))
    assert np.abs(true - exchanged).max() > 1e-3


class Score:
    sanity_checking = False

    def __init__(self, value):
        self.callback_metrics = {"val/ccc": torch.tensor(value)}


def test_the_weights_of_the_best_epoch_come_back():
    network, keeper = torch.nn.Linear(1, 1), BestWeights("val/ccc")
    for value, weight in ((0.1, 1.0), (0.5, 2.0), (0.3, 3.0)):
        torch.nn.init.constant_(network.weight, weight)
        keeper.on_validation_end(Score(value), network)
    keeper.on_fit_end(Score(0.0), network)
    assert network.weight.item() == 2.0


def test_an_interrupted_fold_is_interrupted(args, monkeypatch):
    """Lightning would leave with a code, as a parser does, and the next fold would begin."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(EpochSeed, "on_fit_start", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit_fold(FoldJob(args, 0))
