"""Faces for Lightning: what a batch is, and that a resumed run is the uninterrupted one."""

import dataclasses
import json

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.augment import AugmentSettings
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.folds import FaceFold, fold_numbers
from neurogaze.faces.images import FaceCorpus
from neurogaze.faces.mixing import MixSettings
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
        self.seen, self.mixes, self.validated = [], [], []

    def training_step(self, batch, batch_idx):
        self.seen.append((self.current_epoch, batch["row"].tolist(), batch["image"].clone()))
        self.mixes.append([batch[n].clone() for n in ("target", "partner", "lam") if n in batch])
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


CHANCES = {
    "target": "sampled",
    "mixing": MixSettings("either"),
    "augment": AugmentSettings(blur=0.5, coarse=0.5),
}


@pytest.mark.parametrize("changes", [{}, CHANCES], ids=["plain", "all chances"])
def test_resumed_run_is_the_uninterrupted_run_bit_for_bit(store, tmp_path, changes):
    whole = Recorder()
    trainer(tmp_path, 3).fit(whole, datamodule=module(store, **changes))

    first = Recorder()
    start = trainer(tmp_path, 1)
    start.fit(first, datamodule=module(store, **changes))
    start.save_checkpoint(tmp_path / "epoch1.ckpt")
    torch.manual_seed(4321)  # whatever happened in between
    np.random.seed(4321)  # noqa: NPY002
    second = Recorder()
    resumed = trainer(tmp_path, 3)
    resumed.fit(second, datamodule=module(store, **changes), ckpt_path=tmp_path / "epoch1.ckpt")

    parts = first.seen + second.seen
    assert [batch[:2] for batch in parts] == [batch[:2] for batch in whole.seen]
    assert all(torch.equal(a[2], b[2]) for a, b in zip(parts, whole.seen, strict=True))
    for mine, theirs in zip(first.mixes + second.mixes, whole.mixes, strict=True):
        assert len(mine) == (3 if changes else 1)
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
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


@pytest.mark.parametrize("bad", [{"target": "mode"}, {"batch_size": 0}, {"seed": -1}])
def test_settings_out_of_range(store, bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        module(store, **bad)


def test_mixed_batches_say_what_is_in_them(store, tmp_path):
    """Without augmentation, a batch is the plain pictures blended by its partners and shares."""
    still, mixing = AugmentSettings(enabled=False), MixSettings("mixup", 1.0, 0.8)
    data, network = module(store, augment=still, mixing=mixing), Recorder()
    trainer(tmp_path, 1).fit(network, datamodule=data)
    for (_, rows, image), (target, partner, lam) in zip(network.seen, network.mixes, strict=True):
        plain = to_input(torch.from_numpy(data.train.images[rows]), data.preprocessing)
        own = lam[:, None, None, None]
        torch.testing.assert_close(image, own * plain + (1 - own) * plain[partner])
        assert target.argmax(dim=1).tolist() == data.train.labels[rows].tolist()
    assert any((mix[2] < 1).any() for mix in network.mixes)
    assert all(set(batch) == {"image", "label", "target", "row"} for batch in network.validated)


@pytest.fixture(scope="module")
def held(store):
    """Three folds of 160 drawn faces, each held out in turn."""
    parts = [FaceFold(n_folds=3, fold=fold, seed=5) for fold in range(3)]
    made = [module(store, corpus=SyntheticFaces(160, 20), held_out=part) for part in parts]
    for data in made:
        data.setup("fit")
    return made


def test_a_fold_is_held_out(held):
    whole = SyntheticFaces(160, 20).load("train")
    assert sorted(np.concatenate([data.dev.ids for data in held])) == sorted(whole.ids)
    for fold, data in enumerate(held):
        assert not set(data.train.groups) & set(data.dev.groups)
        assert sorted([*data.train.ids, *data.dev.ids]) == sorted(whole.ids)
        number = fold_numbers(whole, 3, seed=5)
        np.testing.assert_array_equal(data.dev.ids, whole.ids[number == fold])
        assert data.class_counts.tolist() == data.train.class_counts.tolist()


def test_validation_is_on_the_fold_and_the_test_on_the_official_split(held):
    data = held[1]
    seen = torch.cat([batch["image"] for batch in data.val_dataloader()]).numpy()
    np.testing.assert_array_equal(seen, data.dev.images)
    seen = torch.cat([batch["image"] for batch in data.test_dataloader()]).numpy()
    np.testing.assert_array_equal(seen, data.valid.images)
    assert list(data.judged) == ["dev", "valid"]
    record = json.loads(json.dumps(data.provenance))
    assert record["held_out"] == {"n_folds": 3, "fold": 1, "seed": 5}
    assert record["dev"]["n"] + record["train"]["n"] == 160
    assert record["dev"]["sha256"] == data.dev.sha256
    assert record["train"]["class_counts"] == data.train.class_counts.tolist()


def test_validating_later_deals_the_same_fold(held, store):
    part, corpus = FaceFold(n_folds=3, fold=1, seed=5), SyntheticFaces(160, 20)
    again = module(store, corpus=corpus, held_out=part)
    again.setup("validate")
    np.testing.assert_array_equal(again.dev.ids, held[1].dev.ids)
    official = module(store, corpus=corpus, held_out=part)
    official.setup("test")
    assert not hasattr(official, "train")
    assert sum(len(batch["label"]) for batch in official.test_dataloader()) == 20


def test_a_fold_without_an_emotion_is_told(store):
    """Forty drawn faces have two of contempt: ten folds cannot each have one."""
    with pytest.raises(InputError, match=r"fold held out.*contempt.*n_folds"):
        module(store, held_out=FaceFold(10, 9)).setup("fit")


def test_an_emotion_left_out_on_purpose(store):
    data = module(store, corpus=SyntheticFaces(160, 20), without="fearful", target="votes")
    data.setup("fit")
    fear = EMOTIONS.index("fear")
    assert data.left_out == fear
    assert data.class_counts[fear] == 0
    assert (np.delete(data.class_counts, fear) > 0).all()
    assert data.valid.class_counts[fear] > 0
    target = torch.cat([batch["target"] for batch in data.train_dataloader()])
    assert (target[:, fear] == 0).all()
    torch.testing.assert_close(target.sum(dim=1), torch.ones(len(target)))
    assert data.train.votes[:, fear].max() > 0, "the raters did see fear in other pictures"
    assert data.provenance["settings"]["without"] == "fear"


def test_the_same_fold_is_held_out_when_an_emotion_is(held, store):
    part = FaceFold(n_folds=3, fold=1, seed=5)
    data = module(store, corpus=SyntheticFaces(160, 20), held_out=part, without="fear")
    data.setup("fit")
    kept = held[1].dev.labels != EMOTIONS.index("fear")
    np.testing.assert_array_equal(data.dev.ids, held[1].dev.ids[kept])


def test_another_emotion_still_must_be_there(store):
    with pytest.raises(InputError, match="fear"):
        module(store, corpus=Without(), without="contempt").setup("fit")


@pytest.mark.parametrize("target", ["votes", "sampled"])
def test_batches_from_the_device_are_those_from_memory(store, tmp_path, target):
    """On whatever accelerator there is; without one this holds the path together."""
    runs = []
    for on_device in (False, True):
        data, network = module(store, target=target, on_device=on_device), Recorder()
        made = pl.Trainer(
            max_epochs=1,
            accelerator="auto",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=tmp_path,
        )
        made.fit(network, datamodule=data)
        assert network.seen[0][2].device.type == made.strategy.root_device.type
        runs.append(network)
    plain, kept = runs
    assert len(plain.seen) == 5
    for mine, theirs in zip(plain.seen, kept.seen, strict=True):
        assert mine[:2] == theirs[:2]
        assert torch.equal(mine[2], theirs[2])
    assert all(torch.equal(a[0], b[0]) for a, b in zip(plain.mixes, kept.mixes, strict=True))


def test_settings_files_fill_the_parts():
    """YAML and the command line reach fold, mixing and the emotion left out."""
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(FaceDataModule, "data")
    corpus = "neurogaze.faces.corpora.synthetic.SyntheticFaces"
    arguments = ["--data=FaceDataModule", f"--data.corpus={corpus}", "--data.without=fear"]
    arguments += ["--data.held_out.n_folds=3", "--data.held_out.fold=2", "--data.target=sampled"]
    arguments += ["--data.mixing.kind=cutmix", "--data.mixing.probability=0.25"]
    data = parser.instantiate(parser.parse_args(arguments)).data
    assert data.held_out == FaceFold(3, 2, 0)
    assert data.mixing == MixSettings("cutmix", 1.0, 0.25)
    assert (data.without, data.target) == ("fear", "sampled")


@pytest.mark.parametrize("target", ["majority", "votes", "sampled"])
def test_the_record_says_what_the_targets_add_up_to(store, target):
    """Labels under majority, votes where they are the targets, or what labels are drawn from."""
    data = module(store, corpus=SyntheticFaces(160, 20), target=target)
    data.setup("fit")
    table = data.train
    labels, votes = np.eye(8)[table.labels].mean(axis=0), table.votes.mean(axis=0, dtype=float)
    assert np.abs(labels - votes).max() > 0.005
    expected = labels if target == "majority" else votes
    found = json.loads(json.dumps(data.provenance))["train"]["target_shares"]
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert "target_shares" not in data.provenance["valid"]
    drawn = []
    for epoch in range(20 if target == "sampled" else 1):
        loader = data.train_dataloader()
        loader.sampler.set_epoch(epoch)
        drawn += [batch["target"] for batch in loader]
    np.testing.assert_allclose(torch.cat(drawn).mean(dim=0), found, atol=0.03)
