import json
from itertools import chain

import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule, Trainer

from neurogaze.eeg.datamodule import EEGDataModule, _statistics
from neurogaze.eeg.features import FeatureSettings
from neurogaze.eeg.splits import SplitSettings
from neurogaze.errors import InputError
from tests.eeg.toy import CHANNELS, ToyCorpus


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def data(store):
    module = EEGDataModule(ToyCorpus(), fold=1, batch_size=16, store=store)
    module.setup("fit")
    return module


def test_batches_are_raw_features_with_ratings_and_rows(data):
    batches = list(data.train_dataloader())
    rows = torch.cat([b["row"] for b in batches]).numpy()
    assert sorted(rows) == data.rows["train"].tolist()
    batch = batches[0]
    row = batch["row"].numpy()
    np.testing.assert_array_equal(batch["features"].numpy(), data.table.features[row])
    va = np.stack([data.table.valence[row], data.table.arousal[row]], axis=1)
    np.testing.assert_array_equal(batch["va"].numpy(), va.astype(np.float32))
    assert [batch[k].dtype for k in ("features", "va", "row")] == [
        torch.float32, torch.float32, torch.int64,
    ]  # fmt: skip
    assert len(batches) == 6
    assert {len(b["row"]) for b in batches} == {15}


def test_held_out_loaders_are_in_order_and_do_not_overlap(data):
    for part, loader in (
        ("stop", data.val_dataloader()),
        ("test", data.test_dataloader()),
        ("test", data.predict_dataloader()),
    ):
        batches = list(loader)
        rows = torch.cat([b["row"] for b in batches]).tolist()
        assert rows == sorted(rows) == data.rows[part].tolist()
        assert set((data.table.start[rows] % 4).tolist()) == {0}
        assert max(len(b["row"]) for b in batches) <= 16
    assert set(data.table.subject[data.rows["test"]].tolist()) == {"S01"}
    assert len(data.rows["test"]) == 6 * 3


def test_statistics_come_from_training_rows_alone(data):
    mean, std = data.statistics
    train = data.table.features[data.rows["train"]].astype(float)
    np.testing.assert_allclose(mean, train.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(std, train.std(axis=0), rtol=1e-6)
    assert (mean.dtype, mean.shape, std.shape) == (np.float32, (4, 4), (4, 4))
    assert np.abs(mean - data.table.features.mean(axis=0)).max() > 1e-4


def test_constant_feature_has_a_finite_scale(store, data):
    data.table.features[:, 0, 0] = 3
    _, std = _statistics(data.table.features)
    assert 0 < std[0, 0] <= 1e-6


def test_provenance_tells_data_split_and_people(data):
    said = json.loads(json.dumps(data.provenance))
    assert said == data.provenance
    assert said["corpus"] == "toy"
    assert said["settings_hash"] == data.table.settings_hash
    assert said["split_sha256"] == data.split_plan.sha256
    assert (said["protocol"], said["fold"]) == ("loso", 1)
    assert said["test_units"] == ["S01"]
    people = said["train_units"] + said["stop_units"] + said["test_units"]
    assert sorted(people) == ["S00", "S01", "S02", "S03", "S04"]
    assert said["features"]["preprocessing"]["sfreq"] == 128.0
    assert (data.channels, data.bands[0]) == (CHANNELS, "theta")


def test_protocol_trial(store):
    module = EEGDataModule(ToyCorpus(), split=SplitSettings("trial", n_folds=3), store=store)
    module.setup()
    sides = [set(module.table.event[rows].tolist()) for rows in module.rows.values()]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 30


def test_what_cannot_be_trained_on_is_refused(store):
    with pytest.raises(InputError, match="no rated trial"):
        EEGDataModule(ToyCorpus(name="mute", rated=False), store=store).setup()
    with pytest.raises(InputError, match="5 of 5"):
        EEGDataModule(ToyCorpus(), fold=5, store=store).setup()


class Probe(LightningModule):
    """Writes down the rows of every batch."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen = []

    def training_step(self, batch, batch_idx):
        self.seen.append((self.current_epoch, batch["row"].tolist()))
        return self.weight * batch["features"].mean()

    def validation_step(self, batch, batch_idx):
        pass

    def predict_step(self, batch, batch_idx):
        return batch["row"]

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)

    def rows(self, epoch):
        return [rows for e, rows in self.seen if e == epoch]


def trainer(folder, epochs):
    return Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def test_lightning_sets_the_epoch_and_resumes_in_the_same_order(store, tmp_path):
    def module():
        return EEGDataModule(ToyCorpus(), batch_size=16, store=store, seed=7)

    whole, first, second = Probe(), Probe(), Probe()
    trainer(tmp_path, 3).fit(whole, datamodule=module())
    assert whole.rows(0) != whole.rows(1) != whole.rows(2)
    assert sorted(chain(*whole.rows(1))) == sorted(chain(*whole.rows(2)))

    begun = trainer(tmp_path, 2)
    begun.fit(first, datamodule=module())
    begun.save_checkpoint(tmp_path / "half.ckpt")
    trainer(tmp_path, 3).fit(second, datamodule=module(), ckpt_path=tmp_path / "half.ckpt")
    assert first.rows(1) == whole.rows(1)
    assert second.seen == [(2, rows) for rows in whole.rows(2)]


def test_lightning_predicts_in_table_order(store, tmp_path):
    module = EEGDataModule(ToyCorpus(), batch_size=7, store=store)
    batches = trainer(tmp_path, 1).predict(Probe(), datamodule=module)
    assert torch.cat(batches).tolist() == module.rows["test"].tolist()


def test_features_setting_reaches_the_table(store):
    module = EEGDataModule(ToyCorpus(), FeatureSettings(bands="five"), store=store)
    module.setup()
    assert module.bands == ("delta", "theta", "alpha", "beta", "gamma")
