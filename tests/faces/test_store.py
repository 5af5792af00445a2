"""Decoded once, read many times, never stale, never half."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neurogaze.artefacts import folder_written_aside
from neurogaze.errors import InputError
from neurogaze.faces.corpora.affectnet_folders import AffectNetFolders
from neurogaze.faces.corpora.affectnet_mini import CAVEAT, AffectNetMini
from neurogaze.faces.corpora.ck import CkPlus
from neurogaze.faces.corpora.ck48 import CkPlus48
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.folder import FaceFolder
from neurogaze.faces.corpora.manifest import Manifest
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.images import FaceCorpus
from neurogaze.faces.store import prepare, stored_at
from tests.fixtures.affectnet import write_affectnet_mini
from tests.fixtures.faces import write_ferplus
from tests.fixtures.manifest import write_rows


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


class Slow(Counting):
    """A corpus that another process reads and stores meanwhile."""

    def __init__(self, store):
        super().__init__()
        self.store = store

    def load(self, split, progress=False):
        prepare(Counting(), split, self.store, progress=False)
        return super().load(split)


def test_the_quicker_of_two_processes_is_kept(tmp_path, monkeypatch):
    """Somebody may be reading what it wrote."""
    written = []

    def watched(folder):
        written.append(folder)
        return folder_written_aside(folder)

    monkeypatch.setattr("neurogaze.faces.store.folder_written_aside", watched)
    corpus = Slow(tmp_path)
    table = prepare(corpus, "train", tmp_path, progress=False)
    assert table.sha256 == corpus.inner.load("train").sha256
    assert len(written) == 1


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
    with pytest.warns(UserWarning, match="1 pictures") as told:
        second = prepare(corpus, "valid", tmp_path / "store", progress=False)
    assert first.skipped == second.skipped
    assert len(second.skipped) == 1
    lost = f"1 pictures could not be read and are left out, first {first.skipped[0]}"
    assert [str(line.message) for line in told] == [f"ferplus (valid): {lost}"]


def test_a_note_is_kept_and_told_again(tmp_path):
    corpus = AffectNetMini(write_affectnet_mini(tmp_path / "mini").root)
    with pytest.warns(UserWarning, match="not an official split"):
        first = prepare(corpus, "valid", tmp_path / "store", progress=False)
    with pytest.warns(UserWarning, match="not an official split") as told:
        second = prepare(corpus, "valid", tmp_path / "store", progress=False)
    assert [str(line.message) for line in told] == [f"affectnet_mini (valid): {CAVEAT}"]
    assert first.note == second.note == second.take(np.array([0])).note == CAVEAT


def test_without_a_note_nothing_is_said_or_written(tmp_path, recwarn):
    corpus = Counting()
    for _ in range(2):
        assert prepare(corpus, "valid", tmp_path, progress=False).note == ""
    assert not recwarn
    assert "note" not in json.loads(
        (stored_at(corpus, "valid", tmp_path) / "meta.json").read_text()
    )


# --- equal names and sizes -------------------------------------------------------------------


def write_bmp(path, level):
    """A grey picture, as many bytes as any other, written at the beginning of 2001."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (48, 48), level).save(path)
    os.utime(path, ns=(2001 * 10**15,) * 2)


def plain_folder(root, level):
    write_bmp(root / "a.bmp", level)
    return FaceFolder(root), "unlabelled", root / "a.bmp"


def manifest(root, level):
    write_bmp(root / "a.bmp", level)
    path = write_rows(root / "list.csv", ["path", "label_name"], [["a.bmp", "sad"]])
    return Manifest(path), "valid", root / "a.bmp"


def class_folders(root, level):
    write_bmp(root / "val" / "sad" / "a.bmp", level)
    return AffectNetFolders(root), "valid", root / "val" / "sad" / "a.bmp"


def last_frames(root, level):
    path = root / "sadness" / "S010_004_00000017.bmp"
    write_bmp(path, level)
    return CkPlus48(root), "valid", path


def tree(root, level):
    path = root / "cohn-kanade-images" / "S010" / "004" / "S010_004_00000017.bmp"
    write_bmp(path, level)
    label = root / "Emotion" / "S010" / "004" / "S010_004_00000017_emotion.txt"
    label.parent.mkdir(parents=True)
    label.write_text("  6.0")
    return CkPlus(root), "valid", path


FORMS = [plain_folder, manifest, class_folders, last_frames, tree]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_two_folders_of_equal_names_and_sizes_are_stored_apart(tmp_path, form):
    dark, split, one = form(tmp_path / "dark", 10)
    light, _, other = form(tmp_path / "light", 200)
    assert one.stat().st_size == other.stat().st_size
    assert one.stat().st_mtime_ns == other.stat().st_mtime_ns
    assert dark.identity(split) == light.identity(split)  # the same on every machine
    for _ in range(2):
        assert (prepare(dark, split, tmp_path / "store", progress=False).images == 10).all()
        assert (prepare(light, split, tmp_path / "store", progress=False).images == 200).all()
    assert len(list((tmp_path / "store").iterdir())) == 2


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_picture_written_over_is_read_again(tmp_path, form):
    corpus, split, path = form(tmp_path / "set", 10)
    assert (prepare(corpus, split, tmp_path / "store", progress=False).images == 10).all()
    Image.new("L", (48, 48), 200).save(path)
    assert (prepare(corpus, split, tmp_path / "store", progress=False).images == 200).all()


def test_another_way_to_the_same_folder_is_the_same_copy(tmp_path, monkeypatch):
    corpus, split, _ = plain_folder(tmp_path / "set", 10)
    expected = stored_at(corpus, split, tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "set")
    monkeypatch.chdir(tmp_path)
    for root in (Path("set"), tmp_path / "link", Path("set/../set")):
        assert stored_at(FaceFolder(root), split, tmp_path) == expected


def test_pictures_behind_links_in_a_circle_are_as_good_as_missing(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    path = write_rows(tmp_path / "list.csv", ["path", "label_name"], [["loop/a.bmp", "sad"]])
    assert stored_at(Manifest(path), "valid", tmp_path).parent == tmp_path


def test_the_store_of_the_published_pictures_knows_their_times(tmp_path):
    written = write_ferplus(tmp_path / "ferplus", n_train=8, n_valid=8)
    corpus = FerPlus(written.root)
    before = stored_at(corpus, "valid", tmp_path)
    assert stored_at(corpus, "valid", tmp_path) == before
    for path in (written.root / "FER2013Valid").iterdir():
        os.utime(path, (0, 0))
    assert stored_at(corpus, "valid", tmp_path) != before


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
