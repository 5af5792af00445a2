"""The student and its data: blended pictures, folds, emotions left out, classes that must fit."""

import json

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback
from torch import nn

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.folds import FaceFold
from neurogaze.faces.mixing import MixSettings
from neurogaze.faces.preprocessing import FacePreprocessing, to_input
from neurogaze.losses.cross_entropy import CrossEntropy, sqrt_class_weights
from neurogaze.losses.geometry import Geometry
from neurogaze.losses.logit_kd import LogitKD
from neurogaze.losses.objective import Objective
from neurogaze.losses.proto_kd import ProtoKD
from neurogaze.tasks.student import StudentTask
from tests.tasks.small import pinned_grid, pinned_logits, small_student, trainer

FEAR = EMOTIONS.index("fear")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    faces(folder).prepare_data()
    return folder


def faces(store, **changes) -> FaceDataModule:
    settings = {"batch_size": 16, "store": store} | changes
    return FaceDataModule(SyntheticFaces(n_train=96, n_valid=40), **settings)


def task(loss=None, **changes) -> StudentTask:
    torch.manual_seed(0)
    return StudentTask(small_student(), loss or Objective(), **changes)


class Watch(Callback):
    """Keeps the batches, and what the loss saw of them."""

    def __init__(self):
        self.batches, self.seen = [], []

    def on_fit_start(self, trainer, module):
        module.loss.register_forward_pre_hook(lambda _, inputs: self.seen.append(inputs[0]))

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        self.batches.append(batch)


def test_every_term_sees_the_same_blend(tmp_path, store):
    """Targets are blended, teacher logits are those of each own picture, geometry skips blends."""
    data, watch = faces(store, mixing=MixSettings("either"), target="votes"), Watch()
    data.setup("fit")
    logits = np.random.default_rng(0).standard_normal((96, 8)).astype(np.float32)
    geometry = Geometry(start_epoch=0.0, end_epoch=0.0)
    made = task(
        Objective(CrossEntropy(), LogitKD(mode="kl"), ProtoKD(), geometry),
        grid=pinned_grid(tmp_path),
        teacher_logits=pinned_logits(tmp_path, data.train.ids, logits),
    )
    run = trainer(limit_val_batches=0, callbacks=[watch])
    run.fit(made, datamodule=data)
    assert {"train/ce", "train/kd", "train/proto", "train/geo"} <= set(run.callback_metrics)
    votes = torch.from_numpy(data.train.votes)
    for batch, seen in zip(watch.batches, watch.seen, strict=True):
        rows, lam = batch["row"], batch["lam"][:, None]
        blend = lam * votes[rows] + (1 - lam) * votes[rows[batch["partner"]]]
        torch.testing.assert_close(seen.target, blend)
        torch.testing.assert_close(seen.teacher_logits, torch.from_numpy(logits)[rows])
        assert torch.equal(seen.partner, batch["partner"])
        assert torch.equal(seen.mixed, batch["lam"] < 1)
    shown = torch.cat([batch["label"][batch["lam"] == 1] for batch in watch.batches])
    assert 0 < len(shown) < 96
    assert set(np.flatnonzero(geometry.known.numpy())) == set(shown.tolist())


def test_without_blends_nothing_is_told_of_them(store):
    watch = Watch()
    run = trainer(limit_train_batches=1, limit_val_batches=0, callbacks=[watch])
    run.fit(task(), datamodule=faces(store))
    assert watch.seen[0].partner is watch.seen[0].lam is watch.seen[0].mixed is None
    assert watch.seen[0].target is watch.batches[0]["target"]


def test_stored_logits_stay_out_of_the_checkpoint(tmp_path, store):
    data = faces(store)
    data.setup("fit")
    pin = pinned_logits(tmp_path, data.train.ids, np.zeros((96, 8), np.float32))
    made = task(Objective(CrossEntropy(), LogitKD()), teacher_logits=pin)
    trainer(limit_train_batches=1, limit_val_batches=0).fit(made, datamodule=data)
    assert made.logits.shape == (96, 8)
    said = {"sha256": pin.sha256, "dataset": "synthetic_faces"}
    assert made.provenance["teacher_logits"] == said
    assert not [name for name in made.state_dict() if name.startswith("logits")]


def judged_on(made, table) -> float:
    """Share of a table that the network gets right."""
    images = to_input(torch.from_numpy(np.array(table.images)), FacePreprocessing())
    with torch.no_grad():
        guess = made.eval()(images).logits.argmax(dim=1).numpy()
    return float(np.mean(guess == table.labels))


def test_a_fold_held_out_is_what_validation_judges(store):
    data, made = faces(store, held_out=FaceFold(3, 1)), task()
    run = trainer()
    run.fit(made, datamodule=data)
    assert judged_on(made, data.dev) == pytest.approx(float(run.callback_metrics["val/accuracy"]))
    assert made.provenance["held_out"] == {"n_folds": 3, "fold": 1, "seed": 0}
    assert made.provenance["dev"]["n"] == len(data.dev) < len(data.train)
    tested = trainer().test(made, datamodule=faces(store, held_out=FaceFold(3, 1)), verbose=False)
    assert judged_on(made, data.valid) == pytest.approx(tested[0]["test/accuracy"])


def test_an_emotion_is_left_out_of_training(store):
    made, data, watch = task(), faces(store, without="fear"), Watch()
    trainer(callbacks=[watch]).fit(made, datamodule=data)
    assert all((batch["label"] != FEAR).all() for batch in watch.batches)
    assert float(made.loss.ce.class_weight[FEAR]) == 1.0
    assert made.provenance["settings"]["without"] == "fear"


def test_a_teacher_that_knows_the_emotion_left_out_is_refused(tmp_path, store):
    data = faces(store, without="fear")
    data.setup("fit")
    pin = pinned_logits(tmp_path, data.train.ids, np.zeros((len(data.train), 8), np.float32))
    made = task(Objective(CrossEntropy(), LogitKD()), teacher_logits=pin)
    with pytest.raises(InputError, match="would tell of fear"):
        trainer().fit(made, datamodule=data)


class Started(Callback):
    """Notes whether a batch was ever trained on."""

    trained = False

    def on_train_batch_start(self, *_):
        self.trained = True


def refused_before_training(made, data, match):
    watch = Started()
    with pytest.raises(InputError, match=match):
        trainer(callbacks=[watch]).fit(made, datamodule=data)
    assert not watch.trained


def test_another_number_of_logits_is_refused(store):
    made = task()
    made.student.classify = nn.Linear(8, 7)
    refused_before_training(made, faces(store), "has 7 logits, not 8")


def test_pictures_of_other_channels_are_refused(store):
    made = faces(store, preprocessing=FacePreprocessing(channels=3))
    refused_before_training(task(), made, "makes 3 channels of 44 pixels")


def test_the_loss_is_told_the_labels_and_the_targets(store):
    """Class weights are those of the labels, the prior that of the votes."""
    data, loss = faces(store, target="votes"), Objective(CrossEntropy(logit_adjustment=1.0))
    made = task(loss)
    trainer(limit_train_batches=1, limit_val_batches=0).fit(made, datamodule=data)
    shares = torch.from_numpy(data.train.votes).mean(dim=0)
    torch.testing.assert_close(loss.ce.log_prior, shares.log(), rtol=1e-5, atol=1e-5)
    weights = sqrt_class_weights(torch.from_numpy(data.train.class_counts)).float()
    torch.testing.assert_close(loss.ce.class_weight, weights)
    assert made.provenance["train"]["target_shares"] == pytest.approx(shares.tolist(), abs=1e-6)


def test_data_in_another_class_order_are_refused(store):
    class Swapped(FaceDataModule):
        def _provenance(self):
            labels = [EMOTIONS[1], EMOTIONS[0], *EMOTIONS[2:]]
            return super()._provenance() | {"labels": labels}

    data = Swapped(SyntheticFaces(n_train=96, n_valid=40), batch_size=16, store=store)
    refused_before_training(task(), data, r"class order \['happiness', 'neutral'")


def test_too_few_pictures_for_a_batch_are_refused(store):
    refused_before_training(task(), faces(store, batch_size=97), "do not fill one batch of 97")


def test_a_checkpoint_without_the_new_settings_loads(store, tmp_path):
    """What earlier versions wrote: no key of the record or of the settings that came since."""
    made = task(Objective(CrossEntropy(), geo=Geometry()), ema_decay=0.5)
    run = trainer(limit_train_batches=1, limit_val_batches=0)
    run.fit(made, datamodule=faces(store))
    run.save_checkpoint(tmp_path / "new.ckpt")
    content = torch.load(tmp_path / "new.ckpt", weights_only=False)
    json.dumps(content["neurogaze"])  # a stage can name the checkpoint by what it says
    for name in ("swa_start", "init_from"):
        content["hyper_parameters"].pop(name)
    del content["neurogaze_warmed_on"]
    for name in ("mixing", "held_out"):
        del content["neurogaze"]["provenance"][name]
    torch.save(content, tmp_path / "old.ckpt")
    loaded = StudentTask.load_from_checkpoint(
        tmp_path / "old.ckpt", map_location="cpu", weights_only=False
    )
    for name, value in made.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
