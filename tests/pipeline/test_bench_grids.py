"""Where the grid of an arm comes from: recordings, a face network, or a control made of EEG."""

import json

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash, write_json, write_npz
from neurogaze.errors import InputError
from neurogaze.pipeline.bench_grids import open_grids, pinned, read_means
from neurogaze.pipeline.ensemble_logits import class_means, gathered_means
from neurogaze.prototypes.controls import permuted, random
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.testable import testable as doubts_of
from neurogaze.tasks.pins import GridPin
from tests.pipeline.tiny import EXPERIMENTS

GRID = EXPERIMENTS / "artefacts" / "dasps_grid" / "grid.npz"


@pytest.fixture
def index(tmp_path):
    """Two EEG grids and one of a null teacher."""
    listed, source = {}, PrototypeGrid.load(GRID)
    for kind, seed in (("eeg", 0), ("eeg", 1), ("null", 0)):
        grid = random(source, seed + 7 * (kind == "null"))
        grid.save(tmp_path / f"{kind}-seed{seed}.npz")
        pin = {"path": f"{kind}-seed{seed}.npz", "sha256": grid.sha256}
        listed.setdefault(kind, {})[str(seed)] = pin
    write_json(tmp_path / "index.json", {"name": "made up", "grids": listed})
    return tmp_path / "index.json"


@pytest.fixture
def means(tmp_path):
    arrays = {
        "means": np.random.default_rng(0).normal(size=(2, 8, 64)).astype(np.float32),
        "labels": np.array(EMOTIONS),
    }
    write_npz(tmp_path / "means.npz", arrays)
    return GridPin(str(tmp_path / "means.npz"), arrays_hash(arrays))


def test_a_control_is_made_of_the_eeg_grid_of_the_same_seed(index):
    source = open_grids(index)
    for seed in (0, 1):
        eeg = source.grid("eeg", seed)
        assert source.grid("permuted", seed).sha256 == permuted(eeg, seed).sha256
    assert source.grid("eeg", 0).sha256 != source.grid("eeg", 1).sha256


def test_one_grid_serves_all_seeds(tmp_path):
    source = open_grids(GRID)
    assert source.grid("eeg", 5).sha256 == PrototypeGrid.load(GRID).sha256
    pin = pinned(source, "geometry", 3, tmp_path)
    assert PrototypeGrid.load(tmp_path / "geometry-seed3.npz").sha256 == pin.sha256


def test_an_unknown_kind_is_named(index):
    with pytest.raises(InputError, match=r"telepathy.*gram_matched"):
        open_grids(index).grid("telepathy", 0)


def test_the_grid_of_a_face_network_takes_a_member_a_seed(index, means):
    source = open_grids(index, means)
    zero, one = (source.grid("face", seed) for seed in (0, 1))
    assert [g.provenance["source"]["member"] for g in (zero, one)] == [0, 1]
    assert zero.mean_cosine == pytest.approx(source.grid("eeg", 0).mean_cosine, abs=1e-3)


def test_a_face_grid_needs_class_means(index):
    with pytest.raises(InputError, match="class_means"):
        open_grids(index).grid("face", 0)


def test_altered_class_means_are_refused(means):
    with pytest.raises(InputError, match="has hash"):
        read_means(GridPin(means.path, "0" * 64))


def test_class_means_are_those_of_unit_embeddings(tmp_path):
    """By hand: directions count, lengths do not; a class without a picture is zeros."""
    embedding = np.array([[2.0, 0.0], [0.0, 5.0], [3.0, 0.0]])
    found = class_means(embedding, np.array([1, 1, 4]))
    np.testing.assert_allclose(found[1], [0.5, 0.5])
    np.testing.assert_allclose(found[4], [1.0, 0.0])
    assert not found[[0, 2, 3, 5, 6, 7]].any()
    for k in range(2):
        write_npz(tmp_path / f"{k}.npz", {"class_means": found * (k + 1)})
    both = gathered_means([tmp_path / "0.npz", tmp_path / "1.npz"])
    np.testing.assert_allclose(both["means"], np.stack([found, 2 * found]))


def test_what_the_makers_found_is_what_is_told(index):
    """Without a verdict beside the index the conditions are checked, the chance of teachers not."""
    source = open_grids(index)
    assert source.reasons(0) == doubts_of(source.grid("eeg", 0), None)
    write_json(index.with_name("verdicts.json"), {"0": ["the teacher dreams"]})
    assert open_grids(index).reasons(0) == ["the teacher dreams"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"grids": {"eeg": []}}', '{"grids": {"eeg": {"x": {}}}}']
)
def test_another_file_is_no_index(tmp_path, text):
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(InputError, match=r"index\.json: is no index of grids"):
        open_grids(tmp_path / "index.json")


def test_an_index_without_eeg_is_refused(index):
    content = json.loads(index.read_text())
    del content["grids"]["eeg"]
    index.write_text(json.dumps(content))
    with pytest.raises(InputError, match="lists no EEG grid"):
        open_grids(index)
