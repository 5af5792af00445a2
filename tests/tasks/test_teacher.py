"""The teacher's task: whose statistics, whose score, what travels in the checkpoint."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback

from neurogaze.eeg.corpora.synthetic import SyntheticEeg
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.mirror import mirror_features
from neurogaze.eeg.recordings import EPOC
from neurogaze.eeg.targets import ClassTarget
from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import concordance
from neurogaze.models.teacher import Teacher
from neurogaze.pipeline.embedding import load_teacher
from neurogaze.tasks.judging import trial_means
from neurogaze.tasks.teacher import TeacherTask
from tests.tasks.small import recordings, small_teacher, trainer


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    recordings(folder).prepare_data()
    return folder


@pytest.fixture(scope="module")
def fitted(store):
    """A task fitted for an epoch, its data and what the trainer logged."""
    torch.manual_seed(0)
    task, data, run = TeacherTask(small_teacher()), recordings(store), trainer()
    run.fit(task, datamodule=data)
    return task, data, {k: float(v) for k, v in run.callback_metrics.items()}


def test_statistics_come_from_training_rows(fitted):
    task, data, _ = fitted
    table = data.table
    rows = np.isin(table.subject, data.provenance["train_units"])
    assert 0 < rows.sum() < table.n_rows
    values = table.features[rows].astype(np.float64)
    np.testing.assert_allclose(task.teacher.feature_mean, values.mean(0), rtol=1e-5)
    np.testing.assert_allclose(task.teacher.feature_std, values.std(0), rtol=1e-4)
    everybody = table.features.astype(np.float64).mean(0)
    assert np.abs(task.teacher.feature_mean.numpy() - everybody).max() > 1e-3


def test_score_is_ccc_of_trial_means_of_inner_subjects(fitted):
    """By loops over trials, with the windows and formula written out again."""
    task, data, logged = fitted
    table, stop = data.table, set(data.provenance["stop_units"])
    chosen = [t for t in dict.fromkeys(table.trial.tolist()) if t.split("/")[0] in stop]
    predicted, truth = [], []
    for name in chosen:
        rows = np.flatnonzero((table.trial == name) & (table.start % 4.0 == 0))
        with torch.no_grad():
            va = task.eval().teacher(torch.from_numpy(table.features[rows])).va.numpy()
        predicted.append(va.mean(axis=0))
        truth.append([table.valence[rows[0]], table.arousal[rows[0]]])
    predicted, truth = np.array(predicted), np.array(truth)
    assert len(chosen) == 4
    for axis, name in enumerate(("valence", "arousal")):
        x, y = truth[:, axis], predicted[:, axis]
        by_hand = 2 * np.cov(x, y, bias=True)[0, 1]
        by_hand /= x.var() + y.var() + (x.mean() - y.mean()) ** 2
        assert logged[f"val/ccc_{name}"] == pytest.approx(by_hand, abs=1e-5)
        assert concordance(x, y) == pytest.approx(by_hand, abs=1e-6)
    mean = (logged["val/ccc_valence"] + logged["val/ccc_arousal"]) / 2
    assert logged["val/ccc"] == pytest.approx(mean, abs=1e-6)


def test_held_out_people_are_neither_trained_nor_stopped_on(store):
    seen = {"train": set(), "val": set(), "test": set()}

    class Watch(Callback):
        def on_train_batch_start(self, trainer, module, batch, batch_idx):
            seen["train"] |= set(data.table.subject[batch["row"].numpy()].tolist())

        def on_validation_batch_start(self, trainer, module, batch, *_):
            seen["val"] |= set(data.table.subject[batch["row"].numpy()].tolist())

        def on_test_batch_start(self, trainer, module, batch, *_):
            seen["test"] |= set(data.table.subject[batch["row"].numpy()].tolist())

    data, run = recordings(store, fold=1), trainer(callbacks=[Watch()])
    task = TeacherTask(small_teacher())
    run.fit(task, datamodule=data)
    run.test(task, datamodule=data, verbose=False)
    for part, units in (("train", "train_units"), ("val", "stop_units"), ("test", "test_units")):
        assert seen[part] == set(data.provenance[units])
    assert len(set.union(*seen.values())) == sum(len(s) for s in seen.values()) == 5


def test_other_electrodes_are_refused(store):
    task = TeacherTask(small_teacher(channels=EPOC[::-1]))
    with pytest.raises(InputError, match=r"model\.teacher\.channels.*'AF4'.*'AF3'"):
        trainer().fit(task, datamodule=recordings(store))


def test_other_bands_are_refused(store):
    task = TeacherTask(small_teacher(n_bands=5))
    with pytest.raises(InputError, match=r"n_bands: 5 .*theta.*Remedy"):
        trainer().fit(task, datamodule=recordings(store))


def checkpoint(tiny_run, number=0):
    return tiny_run.run / f"teacher-{number}" / "best.ckpt"


def test_checkpoint_says_whom_it_knows(tiny_run):
    record = torch.load(checkpoint(tiny_run), weights_only=True)["neurogaze"]
    own = record["provenance"]
    assert record["kind"] == "teacher"
    assert record["channels"] == list(EPOC)
    assert own["fold"] == 0
    assert len(own["split_sha256"]) == 64
    assert own["bands"] == ["theta", "alpha", "beta", "gamma"]
    known = {*own["train_units"], *own["stop_units"]}
    assert own["test_units"]
    assert not known & set(own["test_units"])
    other = torch.load(checkpoint(tiny_run, 1), weights_only=True)["neurogaze"]["provenance"]
    assert other["fold"] == 1
    assert other["split_sha256"] == own["split_sha256"]
    assert not set(other["test_units"]) & set(own["test_units"])


def test_checkpoint_carries_statistics(tiny_run):
    teacher = load_teacher(checkpoint(tiny_run)).teacher
    assert isinstance(teacher, Teacher)
    assert float(teacher.feature_mean.abs().min()) > 0
    assert not torch.equal(teacher.feature_std, torch.ones_like(teacher.feature_std))


@pytest.mark.parametrize("change", ["kind", "channels"])
def test_other_weights_are_refused(tiny_run, tmp_path, change):
    content = torch.load(checkpoint(tiny_run), weights_only=True)
    content["neurogaze"][change] = "student" if change == "kind" else list(EPOC[::-1])
    torch.save(content, tmp_path / "x.ckpt")
    words = {"kind": "holds 'student'", "channels": r"\['AF4', .*'AF3'\], not"}[change]
    with pytest.raises(InputError, match=rf"x\.ckpt: .*{words}"):
        load_teacher(tmp_path / "x.ckpt")


def test_weights_are_not_tested_on_people_they_know(tiny_run, store):
    data = recordings(store, fold=0)
    task = TeacherTask(small_teacher())
    trainer().fit(task, datamodule=data)
    with pytest.raises(InputError, match=r"fold 0 knows .* of test fold 1"):
        trainer().test(task, datamodule=recordings(store, fold=1), verbose=False)


class Rated(SyntheticEeg):
    """People who also said how much in control they felt: as much as they liked it."""

    name = "rated_eeg"

    def trials(self, subject):
        for trial in super().trials(subject):
            yield replace(trial, corpus=self.name, dominance=-trial.valence)


def test_dominance_is_learned_and_judged_where_it_is_asked_for(tmp_path):
    corpus = Rated(n_subjects=5, n_clips=4, seconds=8, baseline_seconds=4)
    data = EEGDataModule(corpus, batch_size=32, store=tmp_path)
    task, run = TeacherTask(small_teacher(n_outputs=3)), trainer(1)
    run.fit(task, datamodule=data)
    logged = {k: float(v) for k, v in run.callback_metrics.items()}
    rows, table = data.rows["stop"], data.table
    with torch.no_grad():
        out = task.eval().teacher(torch.from_numpy(table.features[rows]))
    means = trial_means(out.dominance[:, None].numpy(), table.trial[rows])
    truth = trial_means(table.dominance[rows][:, None], table.trial[rows])
    expected = concordance(truth[:, 0], means[:, 0])
    assert logged["val/ccc_dominance"] == pytest.approx(expected, abs=1e-5)
    axes = [logged[f"val/ccc_{axis}"] for axis in ("valence", "arousal", "dominance")]
    assert logged["val/ccc"] == pytest.approx(np.mean(axes), abs=1e-6)
    batch = next(iter(data.train_dataloader()))
    task.log = lambda *args, **kwargs: None
    task.noise = 0.0
    task.training_step(batch, 0).backward()
    assert task.teacher.head.weight.grad[2].abs().sum() > 0


def test_dominance_that_nobody_rated_is_refused(store):
    with pytest.raises(InputError, match=r"synthetic_eeg: lacks dominance in .*n_outputs"):
        trainer().fit(TeacherTask(small_teacher(n_outputs=3)), datamodule=recordings(store))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"target": ClassTarget("valence"), "smote": True}, r"data\.smote: makes windows up"),
        ({"batch_schedule": ((1, 8),)}, r"data\.batch_schedule: is \[\(1, 8\)\], and the cosine"),
    ],
)
def test_data_of_a_classifier_are_refused(store, changes, said):
    """They would train to weights that are no numbers, or with a rate that ends too early."""
    corpus = SyntheticEeg(n_subjects=5, n_clips=4, seconds=8, baseline_seconds=4)
    data = EEGDataModule(corpus, batch_size=32, store=store, **changes)
    with pytest.raises(InputError, match=said):
        trainer(reload_dataloaders_every_n_epochs=1).fit(
            TeacherTask(small_teacher()), datamodule=data
        )


@pytest.mark.parametrize("changes", [{"precision": "bf16-true"}, {"overfit_batches": 1}])
def test_trainers_that_would_change_inputs_or_batches_are_refused(store, changes):
    with pytest.raises(InputError, match=rf"trainer\.{next(iter(changes))}: is"):
        trainer(1, **changes).fit(TeacherTask(small_teacher()), datamodule=recordings(store))


def test_a_window_without_a_rating_is_not_trained_on(store):
    data = recordings(store)
    data.setup()
    data.table.valence[data.rows["train"][:3]] = np.nan
    with pytest.raises(InputError, match=r"lacks valence in 3 of .* windows"):
        trainer().fit(TeacherTask(small_teacher()), datamodule=data)


@pytest.mark.parametrize("ended", [{"max_time": {"hours": 1}}, {}])
def test_a_training_without_a_planned_end_is_refused(store, ended):
    with pytest.raises(InputError, match=r"trainer\.max_epochs: is -1, so that nobody knows"):
        trainer(-1, **ended).fit(TeacherTask(small_teacher()), datamodule=recordings(store))


def test_steps_are_end_enough_for_a_cosine_over_steps(store):
    run = trainer(-1, max_steps=2)
    run.fit(TeacherTask(small_teacher()), datamodule=recordings(store))
    assert run.global_step == 2


def test_mirrored_windows_are_those_of_the_swapped_head():
    task = TeacherTask(small_teacher(), noise=0.0, mirror=0.5)
    features = torch.randn(400, 14, 4)
    torch.manual_seed(0)
    varied = task._varied(features)
    swapped = torch.from_numpy(mirror_features(features.numpy(), EPOC))
    mirrored = (varied == swapped).flatten(1).all(1)
    kept = (varied == features).flatten(1).all(1)
    assert (mirrored ^ kept).all()
    assert mirrored.float().mean().item() == pytest.approx(0.5, abs=0.08)
    assert torch.equal(
        TeacherTask(small_teacher(), noise=0.0, mirror=1.0)._varied(features), swapped
    )
    assert "swap" not in task.state_dict()


def test_without_mirror_no_number_is_drawn():
    state = torch.get_rng_state()
    features = torch.randn(4, 14, 4)
    torch.set_rng_state(state)
    task = TeacherTask(small_teacher(), noise=0.5)
    state = torch.get_rng_state()
    expected = features + 0.5 * torch.randn_like(features)
    torch.set_rng_state(state)
    torch.testing.assert_close(task._varied(features), expected)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_an_impossible_share_is_refused_before_the_first_step(share):
    with pytest.raises(InputError, match=r"model\.mse_weight: is .* from 0 to 1"):
        TeacherTask(small_teacher(), mse_weight=share)


def test_an_impossible_mirror_is_refused():
    with pytest.raises(InputError, match="mirror"):
        TeacherTask(small_teacher(), mirror=1.5)
    with pytest.raises(InputError, match="no partner"):
        TeacherTask(small_teacher(channels=EPOC[:13]), mirror=0.5)


def test_half_precision_trains_with_a_loss_in_single_precision(store):
    """bfloat16 holds 8 bits: a concordance computed in it would stick."""
    seen = []

    class Watch(Callback):
        def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
            seen.append(outputs["loss"].dtype)

    def fitted_in(precision):
        torch.manual_seed(0)
        task = TeacherTask(Teacher(map_size=8, embedding_dim=16, dropout=0.0), noise=0.0)
        run = trainer(3, precision=precision, callbacks=[Watch()])
        run.fit(task, datamodule=recordings(store))
        return {k: float(v) for k, v in run.callback_metrics.items()}, task

    whole, half = fitted_in("32-true"), fitted_in("bf16-mixed")
    assert set(seen) == {torch.float32}
    assert {p.dtype for p in half[1].parameters()} == {torch.float32}
    for name, value in whole[0].items():
        assert half[0][name] == pytest.approx(value, abs=0.1), name
