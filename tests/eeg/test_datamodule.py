import json
from itertools import chain

import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule, Trainer

from neurogaze.eeg.batches import feature_moments
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.features import FeatureSettings
from neurogaze.eeg.splits import SplitSettings, fold_rows
from neurogaze.eeg.support import SupportDataModule
from neurogaze.eeg.targets import ClassTarget
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
    _, std = feature_moments(data.table.features)
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


def test_protocol_loso_clip(store):
    module = EEGDataModule(ToyCorpus(), split=SplitSettings("loso_clip"), fold=4, store=store)
    module.setup()
    for name in ("subject", "clip", "event", "trial"):
        sides = [set(getattr(module.table, name)[rows].tolist()) for rows in module.rows.values()]
        assert sum(map(len, sides)) == len(set.union(*sides))
    assert module.provenance["protocol"] == "loso_clip"
    assert not module.split_plan.leaky


def test_protocol_window_says_it_is_leaky(store):
    split = SplitSettings("window", allow_leaky=True)
    module = EEGDataModule(ToyCorpus(), split=split, store=store)
    module.setup()
    train, _, test = (set(module.table.trial[rows].tolist()) for rows in module.rows.values())
    assert train & test
    assert module.split_plan.leaky


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_holds_a_window(store, size):
    """Also where nothing is trained, so that no sampler looks at it."""
    with pytest.raises(InputError, match=rf"data\.batch_size: {size} is below 1"):
        EEGDataModule(ToyCorpus(), batch_size=size, store=store)


def test_what_cannot_be_trained_on_is_refused(store):
    with pytest.raises(InputError, match="no rated trial"):
        EEGDataModule(ToyCorpus(name="mute", rated=False), store=store).setup()
    with pytest.raises(InputError, match="5 of 5"):
        EEGDataModule(ToyCorpus(), fold=5, store=store).setup()
    for module in (EEGDataModule, SupportDataModule):
        with pytest.raises(InputError, match=r"data\.seed: is -1"):
            module(ToyCorpus(), store=store, seed=-1)


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


def trainer(folder, epochs, **changes):
    return Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **changes,
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


def classed(store, **changes):
    options = {"target": ClassTarget("valence"), "batch_size": 16, "store": store}
    module = EEGDataModule(ToyCorpus(), **options | changes)
    module.setup("fit")
    return module


def test_classes_travel_in_batches(store):
    module = classed(store)
    for loader in (module.train_dataloader(), module.val_dataloader(), module.test_dataloader()):
        for batch in loader:
            high = module.table.valence[batch["row"].numpy()] > 0
            np.testing.assert_array_equal(batch["target"].numpy(), high.astype(int))
    counts = np.bincount(module.table.valence[module.rows["train"]] > 0)
    assert module.provenance["class_counts"] == counts.tolist()
    assert module.provenance["cut"] == 0.0
    assert module.provenance["target"]["rule"] == "above"
    assert json.loads(json.dumps(module.provenance)) == module.provenance


def test_the_median_is_that_of_training_events(store):
    module = classed(store, target=ClassTarget("arousal", rule="median"))
    table, rows = module.table, module.rows["train"]
    ratings = [table.arousal[table.event == e][0] for e in np.unique(table.event[rows])]
    assert module.provenance["cut"] == pytest.approx(np.median(ratings))
    assert module.provenance["cut"] != 0


def test_smote_touches_training_windows_alone(store):
    module = classed(store, smote=True, target=ClassTarget("valence", 3))
    batches = list(module.train_dataloader())
    merged = {k: torch.cat([b[k] for b in batches]) for k in batches[0]}
    made = merged["row"] < 0
    assert sorted(merged["row"][~made].tolist()) == module.rows["train"].tolist()
    counts = np.bincount(merged["target"].numpy())
    assert counts.tolist() == [counts.max()] * 3
    assert module.provenance["class_counts"] == np.bincount(merged["target"][~made]).tolist()
    assert 0 < made.sum() < len(made)
    assert torch.isnan(merged["va"][made]).all()
    assert set(merged["label"].tolist()) == {-1}
    train = module.table.features[module.rows["train"]]
    np.testing.assert_allclose(module.statistics[0], train.mean(0, dtype=float), rtol=1e-5)
    lowest, highest = train.min(0), train.max(0)
    inside = merged["features"][made].numpy()
    assert (inside >= lowest - 1e-5).all()
    assert (inside <= highest + 1e-5).all()
    for loader in (module.val_dataloader(), module.test_dataloader()):
        assert all((batch["row"] >= 0).all() for batch in loader)


def test_windows_are_dropped_before_anything_else(store):
    whole, part = classed(store), classed(store, drop_windows=0.25)
    kept = [set(m.rows["train"].tolist()) for m in (part, whole)]
    assert kept[0] < kept[1]
    left = sum(len(rows) for rows in fold_rows(part.table, part.split_plan, 0).values())
    assert left == part.table.n_rows
    other = classed(store, drop_windows=0.25, fold=2)
    both = {*part.rows["train"].tolist(), *other.rows["train"].tolist()}
    assert len(both) < 0.8 * part.table.n_rows, "the same windows are gone in every fold"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"smote": True, "target": None}, "target is null"),
        ({"drop_windows": 1.0}, "below 1"),
        ({"target": ClassTarget("dominance")}, "no train window with dominance"),
        ({"batch_schedule": ((1, 4),)}, "reload_dataloaders_every_n_epochs"),
        ({"batch_schedule": ((-1, 4),)}, r"data\.batch_schedule: begins at epochs \[-1\]"),
        ({"batch_schedule": ((2, 4), (2, 8))}, r"begins at epochs \[2, 2\].*name each once"),
        ({"batch_schedule": ((1, 4), (9, 0))}, r"data\.batch_schedule from epoch 9: 0 is below 1"),
    ],
)
def test_what_cannot_be_classified_is_refused(store, tmp_path, changes, match):
    with pytest.raises(InputError, match=match):
        trainer(tmp_path, 1).fit(Probe(), datamodule=classed(store, **changes))


def test_batch_size_follows_its_schedule_and_every_window_is_seen(store, tmp_path):
    def module():
        return classed(store, batch_size=32, batch_schedule=((1, 8), (2, 16)))

    whole, late = Probe(), Probe()
    run = trainer(tmp_path, 4, reload_dataloaders_every_n_epochs=1)
    run.fit(whole, datamodule=module())
    sizes = [max(map(len, whole.rows(epoch))) for epoch in range(4)]
    assert all(size <= limit for size, limit in zip(sizes, (32, 8, 16, 16), strict=True))
    assert sizes[0] > 16
    assert sizes[2] > 8
    for epoch in range(4):
        assert sorted(chain(*whole.rows(epoch))) == sorted(chain(*whole.rows(0)))
    assert whole.rows(2) != whole.rows(3)
    run = trainer(tmp_path, 2, reload_dataloaders_every_n_epochs=1)
    run.fit(Probe(), datamodule=module())
    run.save_checkpoint(tmp_path / "two.ckpt")
    run = trainer(tmp_path, 4, reload_dataloaders_every_n_epochs=1)
    run.fit(late, datamodule=module(), ckpt_path=tmp_path / "two.ckpt")
    assert late.seen == [(e, rows) for e in (2, 3) for rows in whole.rows(e)]


def test_provenance_names_held_out_clips(store):
    split = SplitSettings("loso_clip", clip_folds=2)
    module = EEGDataModule(ToyCorpus(), split=split, store=store)
    module.setup()
    said = module.provenance
    clips = [*said["train_clips"], *said["stop_clips"], *said["test_clips"]]
    assert sorted(clips) == [f"c{i}" for i in range(6)]
    assert said["leaky"] is False
    leaky = SplitSettings("window", n_folds=3, allow_leaky=True)
    module = EEGDataModule(ToyCorpus(), split=leaky, store=store)
    module.setup()
    assert module.provenance["leaky"] is True
    assert "train_clips" not in module.provenance


def test_a_split_file_is_used_and_an_altered_one_refused(tmp_path):
    drawn = EEGDataModule(ToyCorpus(), split=SplitSettings(n_folds=2, seed=5), store=tmp_path)
    drawn.setup("fit")
    file = tmp_path / "split.json"
    drawn.split_plan.save(file)
    read = EEGDataModule(ToyCorpus(), split_file=file, store=tmp_path)
    read.setup("fit")
    assert read.split_plan == drawn.split_plan
    file.write_text(file.read_text().replace('"seed": 5', '"seed": 6'))
    with pytest.raises(InputError, match="altered"):
        EEGDataModule(ToyCorpus(), split_file=file, store=tmp_path).setup("fit")


def test_a_leaky_split_file_needs_the_flag(tmp_path):
    leaky = SplitSettings(protocol="window", allow_leaky=True)
    drawn = EEGDataModule(ToyCorpus(), split=leaky, store=tmp_path)
    drawn.setup("fit")
    file = tmp_path / "split.json"
    drawn.split_plan.save(file)
    with pytest.raises(InputError, match="allow_leaky"):
        EEGDataModule(ToyCorpus(), split_file=file, store=tmp_path).setup("fit")
    EEGDataModule(ToyCorpus(), split=leaky, split_file=file, store=tmp_path).setup("fit")
