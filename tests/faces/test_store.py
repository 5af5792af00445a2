"""Decoded once, read many times, never stale, never half."""

import shutil

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.images import FaceCorpus
from neurogaze.faces.store import prepare, stored_at
from tests.fixtures.faces import write_ferplus


class Counting(FaceCorpus):
    """A corpus that counts how often it is read."""

    name = "counting"

    def __init__(self, seed=0, fails=False):
        self.inner = SyntheticFaces(16, 8, seed=seed)
        self.loads, self.fails = 0, fails

    def load(self, split, progress=False):
        self.loads += 1
        if self.fails:
            raise InputError("counting", "is broken", "mend it")
        return self.inner.load(split)

    def identity(self, split):
        return self.inner.identity(split)


def test_second_reading_is_equal_and_decodes_nothing(tmp_path):
    corpus = Counting()
    first = prepare(corpus, "train", tmp_path, progress=False)
    second = prepare(corpus, "train", tmp_path, progress=False)
    assert corpus.loads == 1
    assert first.sha256 == second.sha256 == corpus.inner.load("train").sha256
    assert isinstance(second.images, np.memmap)
    assert not second.images.flags.writeable
    assert [path.name for path in tmp_path.iterdir()] == [stored_at(corpus, "train", tmp_path).name]


def test_another_recipe_is_another_folder(tmp_path):
    prepare(Counting(seed=0), "train", tmp_path, progress=False)
    prepare(Counting(seed=1), "train", tmp_path, progress=False)
    prepare(Counting(seed=1), "valid", tmp_path, progress=False)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("part", ["images.npy", "table.npz", "meta.json"])
@pytest.mark.parametrize("damage", ["truncate", "remove", "garbage"])
def test_damage_is_mended(tmp_path, part, damage):
    corpus = Counting()
    whole = prepare(corpus, "valid", tmp_path, progress=False).sha256
    path = stored_at(corpus, "valid", tmp_path) / part
    content = path.read_bytes()
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "truncate" else b"garbage")
    assert prepare(corpus, "valid", tmp_path, progress=False).sha256 == whole
    assert corpus.loads == 2
    assert prepare(corpus, "valid", tmp_path, progress=False).sha256 == whole
    assert corpus.loads == 2


def test_a_failed_reading_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="is broken"):
        prepare(Counting(fails=True), "train", tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_what_was_skipped_is_remembered(tmp_path):
    written = write_ferplus(tmp_path / "ferplus", n_train=10, n_valid=8)
    (written.root / "FER2013Valid" / written.kept["valid"][0][1]).unlink()
    corpus = FerPlus(written.root, written.votes)
    with pytest.warns(UserWarning, match="1 pictures"):
        first = prepare(corpus, "valid", tmp_path / "store", progress=False)
    second = prepare(corpus, "valid", tmp_path / "store", progress=False)
    assert first.skipped == second.skipped
    assert len(second.skipped) == 1


def test_a_store_may_move(tmp_path):
    corpus = Counting()
    prepare(corpus, "valid", tmp_path / "here", progress=False)
    shutil.move(tmp_path / "here", tmp_path / "there")
    prepare(corpus, "valid", tmp_path / "there", progress=False)
    assert corpus.loads == 1


def test_pictures_of_another_shape_or_with_objects_are_not_believed(tmp_path):
    corpus = Counting()
    whole = prepare(corpus, "valid", tmp_path, progress=False)
    expected, cut = whole.sha256, whole.images[:, :40].copy()
    path = stored_at(corpus, "valid", tmp_path) / "images.npy"
    for other in (cut, np.array([{"a": 1}], dtype=object)):
        path.unlink()
        np.save(path, other, allow_pickle=True)
        assert prepare(corpus, "valid", tmp_path, progress=False).sha256 == expected
    assert corpus.loads == 3


def test_altered_pictures_are_decoded_again(tmp_path):
    corpus = SyntheticFaces(n_train=24, n_valid=16)
    good = prepare(corpus, "valid", tmp_path, progress=False)
    expected = good.sha256
    path = next(tmp_path.rglob("images.npy"))
    del good
    data = bytearray(path.read_bytes())
    data[-500:] = bytes(500)
    path.write_bytes(bytes(data))
    assert prepare(corpus, "valid", tmp_path, progress=False).sha256 == expected
