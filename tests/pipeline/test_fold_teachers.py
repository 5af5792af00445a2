"""What each kind of teacher learned, by the weights and the record that its checkpoint holds."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from neurogaze import training
from neurogaze.callbacks import EpochSeed
from neurogaze.pipeline.embedding import load_teacher
from neurogaze.pipeline.fold_fits import FoldJob, fit_fold
from neurogaze.pipeline.fold_teachers import TeacherJob, store_teacher
from neurogaze.pipeline.stages import content_hash
from tests.pipeline.tiny import EXPERIMENTS, TEACHER

ARGS = (
    "--config", str(EXPERIMENTS / "teacher.yaml"),
    "--data", str(EXPERIMENTS / "data" / "synthetic_eeg.yaml"),
    *TEACHER, "--data.corpus.n_subjects=6", "--seed_everything=0",
    "--model.teacher.branches=electrodes", "--model.noise=0", "--model.optimisation.lr=0.003",
)  # fmt: skip


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    return FoldJob((*ARGS, f"--data.store={tmp_path_factory.mktemp('store')}"), 1)


def stored(fit, folder, learned, **changes):
    path = folder / f"{learned}.ckpt"
    share = store_teacher(TeacherJob(replace(fit, **changes), learned, path, "ab"))
    return load_teacher(path), share


def same(one, other):
    pairs = zip(one.teacher.parameters(), other.teacher.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_teacher_of_ratings_is_that_of_a_bench(fit, tmp_path):
    """The weights of the best epoch are stored: their predictions are those of `fit_fold`."""
    task, share = stored(fit, tmp_path, "ratings")
    guess = fit_fold(fit)
    data = training.build_cli([*fit.args, "--data.fold=1"], run=False).datamodule
    data.setup("fit")
    with torch.inference_mode():
        va = task.teacher(torch.from_numpy(data.table.features[guess.rows])).va
    np.testing.assert_allclose(va.numpy(), guess.guess, atol=1e-6)
    assert share is None
    assert task.config_hash == "ab"
    assert task.provenance["fold"] == 1
    assert task.provenance["test_units"] == list(data.split_plan.folds[1].test)


def test_a_teacher_of_nothing_has_the_weights_of_its_seed_and_knows_its_fold(fit, tmp_path):
    task, _ = stored(fit, tmp_path, "nothing")
    fresh = training.build_cli([*fit.args, "--data.fold=1"], run=False).model
    assert same(task, fresh)
    assert task.provenance["fold"] == 1
    assert (task.teacher.feature_std != 1).all()


def test_a_teacher_of_people_names_them_and_has_learned_no_rating(fit, tmp_path):
    long = (*fit.args, "--trainer.max_epochs=12")
    task, share = stored(fit, tmp_path, "people", args=long)
    assert share == 1.0, "two training people, each with a scalp of their own"
    assert stored(fit, tmp_path, "people", args=long)[1] == 1.0, "found, not trained"
    fresh = training.build_cli([*fit.args, "--data.fold=1"], run=False).model
    assert not same(task, fresh)
    assert torch.equal(task.teacher.head.weight, fresh.teacher.head.weight)
    assert task.provenance["fold"] == 1


def test_a_whole_checkpoint_is_kept_and_a_broken_one_made_anew(fit, tmp_path):
    job = TeacherJob(fit, "nothing", tmp_path / "x.ckpt", "ab")
    store_teacher(job)
    made, when = content_hash(job.path), job.path.stat().st_mtime_ns
    store_teacher(job)
    assert job.path.stat().st_mtime_ns == when
    job.path.write_bytes(job.path.read_bytes()[:1000])
    store_teacher(job)
    assert content_hash(job.path) == made


@pytest.mark.parametrize("learned", ["ratings", "people", "nothing"])
def test_an_interrupted_teacher_is_interrupted(fit, tmp_path, monkeypatch, learned):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(EpochSeed, "on_fit_start", interrupt)
    with pytest.raises(KeyboardInterrupt):
        stored(fit, tmp_path, learned)
    assert list(tmp_path.iterdir()) == []
