"""Whole people learn or judge; nobody who is excluded takes part; ratings are not needed."""

import json

import numpy as np
import pytest
import torch

from neurogaze.eeg.support import SupportDataModule, deal_people
from neurogaze.errors import InputError
from tests.eeg.toy import ToyCorpus

NAMES = tuple(f"S{i:02d}" for i in range(10))


def test_everybody_is_on_one_side_and_the_excluded_on_none():
    train, stop = deal_people(NAMES, ("S03", "S07"), 0.25, seed=1)
    assert len(stop) == 2
    assert sorted((*train, *stop, "S03", "S07")) == list(NAMES)
    assert train == tuple(sorted(train))
    assert {deal_people(NAMES, (), 0.25, seed)[1] for seed in range(5)} != {stop}


@pytest.mark.parametrize(
    ("exclude", "match"), [(("S99",), r"\['S99'\] are no subjects"), (NAMES[:9], "leaves 1")]
)
def test_impossible_exclusions_are_refused(exclude, match):
    with pytest.raises(InputError, match=match):
        deal_people(NAMES, exclude, 0.2, 0)


def test_a_corpus_without_ratings_is_enough(tmp_path):
    corpus = ToyCorpus(name="mute", rated=False)
    data = SupportDataModule(corpus, exclude=("S02",), store=tmp_path, batch_size=16)
    data.prepare_data()
    data.setup("fit")
    said = json.loads(json.dumps(data.provenance))
    sides = {"train": said["train_units"], "stop": said["stop_units"]}
    loaders = {"train": data.train_dataloader(), "stop": data.val_dataloader()}
    for part, loader in loaders.items():
        rows = torch.cat([batch["row"] for batch in loader]).numpy()
        assert sorted(rows) == data.rows[part].tolist()
        assert set(data.table.subject[rows].tolist()) == set(sides[part])
    assert sorted(sides["train"] + sides["stop"]) == ["S00", "S01", "S03", "S04"]
    train = data.table.features[data.rows["train"]].astype(float)
    np.testing.assert_allclose(data.statistics[1], train.std(axis=0), rtol=1e-5)
    assert said["people"] == "mute"


def test_a_batch_holds_a_window():
    with pytest.raises(InputError, match=r"data\.batch_size: 0 is below 1"):
        SupportDataModule(ToyCorpus(), batch_size=0)


def test_a_share_outside_its_range_is_refused():
    with pytest.raises(InputError, match="stop_fraction"):
        SupportDataModule(ToyCorpus(), stop_fraction=1.0)
