"""Faces for Lightning: what a batch is, and that a resumed run is the uninterrupted one."""

import dataclasses
import json

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.augment import AugmentSettings
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceCorpus
from neurogaze.faces.preprocessing import FacePreprocessing, to_input

CORPUS = SyntheticFaces(40, 20)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


def module(store, **changes):
    settings = {"batch_size": 8, "eval_batch_size": 16, "store": store} | changes
    return FaceDataModule(settings.pop("corpus", CORPUS), **settings)


class Recorder(pl.LightningModule):
    """A tiny network that writes down the batches it sees."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(44 * 44, 8)
        self.seen, self.validated = [], []

    def training_step(self, batch, batch_idx):
        self.seen.append((self.current_epoch, batch["row"].tolist(), batch["image"].clone()))
        logits = self.layer(batch["image"].flatten(1))
        return nn.functional.cross_entropy(logits, batch["target"])

    def validation_step(self, batch, batch_idx):
        self.validated.append(batch)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def trainer(tmp_path, epochs):
    return pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )


def test_loader_batches(store):
    data = module(store)
    data.setup("fit")
    batches = list(data.train_dataloader())
    assert len(batches) == len(data.train_dataloader()) == 5
    assert batches[0]["image"].dtype == torch.uint8
    assert batches[0]["image"].shape == (8, 48, 48)
    rows = batches[0]["row"]
    assert torch.equal(batches[0]["image"], torch.from_numpy(data.train.images[rows.numpy()]))
    assert batches[0]["label"].tolist() == data.train.labels[rows.numpy()].tolist()
    assert data.class_counts.tolist() == data.train.class_counts.tolist()
    assert int(data.class_counts.sum()) == 40
    visited = torch.cat([batch["row"] for batch in data.val_dataloader()])
    assert visited.tolist() == list(range(20))


def test_votes_as_targets(store):
    data = module(store, target="votes")
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    expected = torch.from_numpy(data.train.votes[batch["row"].numpy()])
    assert torch.equal(batch["target"], expected)


def test_training_is_augmented_and_validation_is_not(store, tmp_path):
    data, network = module(store), Recorder()
    trainer(tmp_path, 1).fit(network, datamodule=data)
    _, rows, image = network.seen[0]
    plain = to_input(torch.from_numpy(data.train.images[rows]), data.preprocessing)
    assert image.shape == plain.shape == (8, 1, 44, 44)
    assert not torch.allclose(image, plain, atol=0.1)
    batch = network.validated[-1]
    plain = to_input(torch.from_numpy(data.valid.images[batch["row"]]), data.preprocessing)
    assert torch.equal(batch["image"], plain)
    assert set(batch) == {"image", "label", "target", "row"}


def test_augmentation_off_is_the_centre_crop(store, tmp_path):
    data, network = module(store, augment=AugmentSettings(enabled=False)), Recorder()
    trainer(tmp_path, 1).fit(network, datamodule=data)
    _, rows, image = network.seen[0]
    plain = to_input(torch.from_numpy(data.train.images[rows]), data.preprocessing)
    torch.testing.assert_close(image, plain)


def test_resumed_run_is_the_uninterrupted_run_bit_for_bit(store, tmp_path):
    whole = Recorder()
    trainer(tmp_path, 3).fit(whole, datamodule=module(store))

    first = Recorder()
    start = trainer(tmp_path, 1)
    start.fit(first, datamodule=module(store))
    start.save_checkpoint(tmp_path / "epoch1.ckpt")
    torch.manual_seed(4321)  # whatever happened in between
    second = Recorder()
    resumed = trainer(tmp_path, 3)
    resumed.fit(second, datamodule=module(store), ckpt_path=tmp_path / "epoch1.ckpt")

    parts = first.seen + second.seen
    assert [batch[:2] for batch in parts] == [batch[:2] for batch in whole.seen]
    assert all(torch.equal(a[2], b[2]) for a, b in zip(parts, whole.seen, strict=True))
    assert torch.equal(second.layer.weight, whole.layer.weight)
    epochs = [[rows for epoch, rows, _ in whole.seen if epoch == e] for e in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]


def test_another_seed_is_another_order(store):
    orders = []
    for seed in (0, 1):
        data = module(store, seed=seed)
        data.setup("fit")
        orders.append([batch["row"].tolist() for batch in data.train_dataloader()])
    assert orders[0] != orders[1]


def test_calibration_sees_training_pictures_as_evaluation_does(store):
    data = module(store)
    data.setup("fit")
    batches = list(data.calibration_loader())
    image = torch.cat([batch["image"] for batch in batches])
    assert len(batches) == len(data.calibration_loader()) == 3
    plain = to_input(torch.from_numpy(data.train.images.copy()), data.preprocessing)
    assert torch.equal(image, plain)
    assert sum(len(batch["image"]) for batch in data.calibration_loader(20)) == 20
    assert sum(len(batch["image"]) for batch in data.calibration_loader(999)) == 40


def test_provenance_says_what_was_used(store):
    data = module(store, preprocessing=FacePreprocessing(size=40), target="votes", seed=5)
    data.setup("fit")
    record = json.loads(json.dumps(data.provenance))
    assert record["dataset"] == "synthetic_faces"
    assert record["rule"] == "majority"
    assert record["labels"] == list(EMOTIONS)
    assert record["preprocessing"]["size"] == 40
    assert record["augment"]["degrees"] == 15.0
    assert record["settings"]["target"] == "votes"
    assert record["settings"]["seed"] == 5
    assert (record["train"]["n"], record["valid"]["n"]) == (40, 20)
    assert record["train"]["sha256"] == CORPUS.load("train").sha256
    assert record["train"]["skipped"] == 0
    assert record["train"]["identity"]["generated"] is True


def test_validation_needs_no_training_pictures(store):
    data = module(store)
    data.setup("validate")
    assert len(data.valid) == 20
    assert "train" not in data.provenance
    assert data.provenance["valid"]["n"] == 20


class Without(FaceCorpus):
    """The drawn corpus with one emotion taken out of training."""

    name = "without"

    def load(self, split, progress=False):
        table = CORPUS.load(split)
        kept = table.take(table.labels != EMOTIONS.index("fear"))
        return dataclasses.replace(kept, dataset=self.name)

    def identity(self, split):
        return {"corpus": self.name, "split": split}


def test_an_emotion_without_pictures_is_named(store):
    with pytest.raises(InputError, match="fear"):
        module(store, corpus=Without()).setup("fit")


def test_too_large_a_batch(store):
    with pytest.raises(InputError, match="41"):
        module(store, batch_size=41).setup("fit")


@pytest.mark.parametrize("bad", [{"target": "mode"}, {"batch_size": 0}])
def test_settings_out_of_range(store, bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        module(store, **bad)
