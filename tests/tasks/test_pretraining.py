"""The warm-up learns structure that new people share, and a teacher starts from what it learned."""

import hashlib

import numpy as np
import pytest
import torch

from neurogaze import training
from neurogaze.eeg.corpora.synthetic import SyntheticEeg
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.recordings import EPOC
from neurogaze.eeg.splits import SplitSettings
from neurogaze.eeg.support import SupportDataModule
from neurogaze.errors import InputError
from neurogaze.models.teacher import Teacher
from neurogaze.tasks.pretraining import PretrainingTask, draw_mask
from neurogaze.tasks.teacher import TeacherTask
from neurogaze.tasks.warm_start import WarmStart, read_warm_start, take_weights
from tests.tasks.small import trainer

PEOPLE = {"n_subjects": 6, "n_clips": 8, "seconds": 12.0, "baseline_seconds": 4.0}


def encoder(**changes) -> Teacher:
    return Teacher(**{"branches": "electrodes", "embedding_dim": 64} | changes)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


def support(store, seed=1000, **changes):
    corpus = SyntheticEeg(**PEOPLE, rated=False, seed=seed)
    return SupportDataModule(corpus, batch_size=64, store=store, **changes)


def rated(store, **changes):
    corpus = SyntheticEeg(**PEOPLE)
    return EEGDataModule(corpus, store=store, **{"split": SplitSettings(n_folds=3)} | changes)


@pytest.fixture(scope="module")
def warmed(store):
    """A warm-up of 40 epochs, its trainer, and the pin of its checkpoint."""
    torch.manual_seed(0)
    task, run = PretrainingTask(encoder()), trainer(40)
    run.fit(task, datamodule=support(store))
    return task, run, saved(run, store / "warm.ckpt")


def saved(run, path):
    run.save_checkpoint(path)
    content = torch.load(path, weights_only=False)
    del content["hyper_parameters"]  # modules, which a command line would not have put there
    torch.save(content, path)
    return WarmStart(str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def test_reconstruction_of_new_people_beats_the_mean(warmed):
    """Hidden entries of people it never saw; the mean and the deviation are of training people."""
    task, run, _ = warmed
    data = run.datamodule
    features = torch.from_numpy(data.table.features[data.rows["stop"]])
    hidden = draw_mask(features.shape, 0.3, torch.Generator().manual_seed(0))
    with torch.no_grad():
        filled, truth = task.eval()(features, hidden)
    explained = 1 - (filled - truth)[hidden].square().sum() / truth[hidden].square().sum()
    assert explained > 0.15
    assert float(run.callback_metrics["val/explained"]) > 0.15
    assert not set(task.provenance["train_units"]) & set(
        data.table.subject[data.rows["stop"]].tolist()
    )


def test_validation_scores_by_hand(warmed, store):
    task, run, _ = warmed
    data = run.datamodule
    features = torch.from_numpy(data.table.features[data.rows["stop"]])
    generator = torch.Generator().manual_seed(0)
    parts = []
    with torch.no_grad():
        for part in features.split(64):
            hidden = draw_mask(part.shape, 0.3, generator)
            parts.append((*task.eval()(part, hidden), hidden))
    error = torch.cat([(f - t)[h] for f, t, h in parts]).square()
    spread = torch.cat([t[h] for _, t, h in parts]).square()
    checked = trainer()
    checked.validate(task, datamodule=support(store), verbose=False)
    logged = checked.callback_metrics
    assert float(logged["val/loss"]) == pytest.approx(float(error.mean()), rel=1e-4)
    expected = 1 - float(error.sum() / spread.sum())
    assert float(logged["val/explained"]) == pytest.approx(expected, abs=1e-4)


def test_nothing_of_a_hidden_entry_reaches_the_reconstruction(warmed):
    task = warmed[0].eval()
    features = torch.randn(4, 14, 4)
    hidden = draw_mask(features.shape, 0.3, torch.Generator().manual_seed(0))
    other = torch.where(hidden, torch.full_like(features, 99.0), features)
    assert torch.equal(task(features, hidden)[0], task(other, hidden)[0])


def test_the_share_hidden_is_the_one_asked_for():
    mask = draw_mask(torch.Size((400, 14, 4)), 0.3, torch.Generator().manual_seed(0))
    assert mask.float().mean().item() == pytest.approx(0.3, abs=0.01)
    with pytest.raises(InputError, match="mask"):
        PretrainingTask(encoder(), mask=1.0)


def test_a_teacher_starts_from_the_warm_up(warmed, store):
    task, _, pin = warmed
    torch.manual_seed(5)
    own = TeacherTask(encoder(), init_from=pin)
    before = {name: value.clone() for name, value in own.teacher.state_dict().items()}
    run = trainer(0)
    run.fit(own, datamodule=rated(store))
    for name, value in own.teacher.state_dict().items():
        if name.startswith(("head.", "feature_")):
            continue
        assert torch.equal(value, task.teacher.state_dict()[name]), name
        if value.ndim > 1:
            assert not torch.equal(value, before[name]), name
    assert torch.equal(own.teacher.head.weight, before["head.weight"])
    train = run.datamodule.statistics[0]
    np.testing.assert_array_equal(own.teacher.feature_mean, train)
    record = own.provenance["init_from"]
    assert record["sha256"] == pin.sha256
    assert record["people"] == "synthetic_eeg, seed 1000"


@pytest.mark.parametrize("changes", [{"precision": "bf16-true"}, {"overfit_batches": 1}])
def test_trainers_that_would_change_inputs_or_batches_are_refused(store, changes):
    with pytest.raises(InputError, match=rf"trainer\.{next(iter(changes))}: is"):
        trainer(1, **changes).fit(PretrainingTask(encoder()), datamodule=support(store))


def test_electrodes_are_matched_by_name(warmed):
    pin = warmed[2]
    given = read_warm_start(pin)
    teacher = encoder(channels=("Fz", *EPOC[::-2]))
    before = teacher.encoders[0].identity.detach().clone()
    take_weights(teacher, given["state"], given["channels"])
    identity, theirs = teacher.encoders[0].identity, given["state"]["encoders.0.identity"]
    assert torch.equal(identity[0], before[0]), "never seen, so it starts afresh"
    assert torch.equal(identity[1:], theirs.flip(0)[::2])


def test_warm_ups_that_know_the_test_fold_are_refused(store):
    """The same people, unrated: only those who are not tested may take part."""
    run, data = trainer(1), rated(store, fold=1)
    run.fit(PretrainingTask(encoder()), datamodule=support(store, seed=0))
    pin = saved(run, store / "same.ckpt")
    with pytest.raises(InputError, match=r"was warmed up on \['P0-.*of test fold 1"):
        trainer(1).fit(TeacherTask(encoder(), init_from=pin), datamodule=data)
    within = rated(store, split=SplitSettings("trial", n_folds=3))
    with pytest.raises(InputError, match="protocol trial holds nobody out"):
        trainer(1).fit(TeacherTask(encoder(), init_from=pin), datamodule=within)
    tested = tuple(data.provenance["test_units"])
    run = trainer(1)
    run.fit(PretrainingTask(encoder()), datamodule=support(store, seed=0, exclude=tested))
    pin = saved(run, store / "others.ckpt")
    trainer(1).fit(TeacherTask(encoder(), init_from=pin), datamodule=data)


def test_altered_absent_and_other_files_are_refused(warmed, tmp_path):
    pin = warmed[2]
    with pytest.raises(InputError, match="has hash"):
        read_warm_start(WarmStart(pin.path, "0" * 64))
    with pytest.raises(InputError, match="cannot be read"):
        read_warm_start(WarmStart(str(tmp_path / "none.ckpt"), pin.sha256))
    for content, match in ((b"noise", "no readable checkpoint"), (None, "holds 'teacher'")):
        path = tmp_path / "x.ckpt"
        if content is None:
            torch.save({"neurogaze": {"kind": "teacher"}, "state_dict": {}}, path)
        else:
            path.write_bytes(content)
        with pytest.raises(InputError, match=match):
            read_warm_start(WarmStart(str(path), hashlib.sha256(path.read_bytes()).hexdigest()))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"embedding_dim": 8}, r"fuse\.0\.weight of shape \(64, 128\)"),
        ({"n_bands": 5}, r"encoders\.0\.project\.weight"),
        ({"channels": ("Fz", "Cz", "Pz")}, "none of"),
    ],
)
def test_teachers_built_otherwise_are_refused(warmed, changes, match):
    given = read_warm_start(warmed[2])
    teacher = encoder(**changes)
    with pytest.raises(InputError, match=match):
        take_weights(teacher, given["state"], given["channels"])


def test_a_command_line_hands_the_weights_on(store, tmp_path):
    """From the file of a warm-up to a teacher, both by configuration."""
    common = ["--trainer.max_epochs=1", "--trainer.enable_progress_bar=false"]
    common += ["--trainer.logger=false", f"--data.store={store}"]
    people = [f"--data.corpus.{k}={v}" for k, v in PEOPLE.items()]
    warm = ["--model=PretrainingTask", "--model.teacher.branches=electrodes"]
    warm += ["--data=SupportDataModule", "--data.corpus=SyntheticEeg", "--data.corpus.seed=7"]
    training.fit([*warm, *people, *common, f"--out={tmp_path / 'warm'}"])
    path = tmp_path / "warm" / "last.ckpt"
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    args = ["--model=TeacherTask", "--model.teacher.branches=electrodes"]
    args += [f"--model.init_from.path={path}", f"--model.init_from.sha256={sha256}"]
    args += ["--data=EEGDataModule", "--data.corpus=SyntheticEeg"]
    run = training.fit([*args, *people, *common, f"--out={tmp_path / 'teacher'}"])
    assert run.lightning_module.provenance["init_from"]["people"] == "synthetic_eeg, seed 7"
