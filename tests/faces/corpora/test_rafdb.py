"""RAF-DB read from its official tree and from the copy in numbered folders."""

import warnings

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora import rafdb
from neurogaze.faces.corpora.rafdb import PUBLISHED, RafDb
from tests.fixtures.plain import write_plain
from tests.fixtures.rafdb import OFFICIAL, write_rafdb, write_rafdb_folders

# Copies of a few pictures differ from the published counts.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("NEUROGAZE_RAFDB", raising=False)


@pytest.fixture
def written(tmp_path):
    return write_rafdb(tmp_path / "rafdb")


def list_of(written):
    return written.root / "basic" / "EmoLabel" / "list_patition_label.txt"


@pytest.mark.parametrize("write", [write_rafdb, write_rafdb_folders])
@pytest.mark.parametrize(("split", "n"), [("train", 21), ("valid", 14)])
def test_every_picture_meets_its_own_label(write, split, n, tmp_path):
    written = write(tmp_path)
    table = RafDb(tmp_path).load(split)
    kept = written.kept[split]
    assert len(table) == len(kept) == n
    assert table.ids.tolist() == [picture.id for picture in kept]
    assert [EMOTIONS[label] for label in table.labels] == [picture.emotion for picture in kept]
    levels = np.array([picture.level for picture in kept])[:, None, None]
    assert np.abs(table.images.astype(int) - levels).max() <= 1
    assert table.class_counts.tolist() == [n // 7] * 7 + [0]  # no contempt
    assert (table.dataset, table.split, table.rule, table.skipped) == ("rafdb", split, "label", ())


def test_ids_of_the_two_splits_never_meet(written):
    ids = [i for split in ("train", "valid") for i in RafDb(written.root).load(split).ids]
    assert len(set(ids)) == len(ids) == 35


def test_root_may_be_the_folder_basic_or_come_from_the_environment(written, monkeypatch):
    whole = RafDb(written.root).load("valid")
    assert RafDb(written.root / "basic").load("valid").sha256 == whole.sha256
    monkeypatch.setenv("NEUROGAZE_RAFDB", str(written.root))
    assert RafDb().load("valid").sha256 == whole.sha256


def test_missing_root_names_the_ways_to_give_it(tmp_path):
    for corpus in (RafDb(), RafDb(tmp_path / "nowhere"), RafDb(tmp_path)):
        with pytest.raises(InputError) as caught:
            corpus.load("train")
        assert "NEUROGAZE_RAFDB" in str(caught.value)
        assert "--roots.rafdb" in str(caught.value)
        assert "--data.corpus.root" in str(caught.value)


def test_a_split_that_rafdb_does_not_have(written):
    with pytest.raises(InputError, match="'test'"):
        RafDb(written.root).load("test")


def test_without_the_aligned_pictures(written):
    (written.root / "basic" / "Image" / "aligned").rename(written.root / "elsewhere")
    with pytest.raises(InputError, match="aligned"):
        RafDb(written.root).load("train")


@pytest.mark.parametrize("damage", ["gone", "corrupt"])
def test_a_bad_picture_is_counted_or_refused(written, damage):
    bad = written.kept["train"][2]
    bad.path.unlink() if damage == "gone" else bad.path.write_text("not a picture")
    with pytest.warns(UserWarning, match="1 pictures could not be read"):
        table = RafDb(written.root).load("train")
    assert len(table) == 20
    assert table.skipped[0].startswith(f"{bad.id}: ")
    with pytest.raises(InputError, match=bad.path.name):
        RafDb(written.root, strict=True).load("train")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("train_00001.jpg", "line 1: cannot read 'train_00001.jpg'"),
        ("train_00001.jpg 5 5", "line 1"),
        ("dev_00001.jpg 5", "dev_00001"),
        ("train_../../x.jpg 5", "line 1"),
        ("train_00001.jpg 0", "'0'"),
        ("train_00001.jpg 8", "'8'"),
        ("train_00001.jpg happy?", r"'happy\?'"),
        ("train_00002.jpg 5", "train/train_00002 is listed twice"),
    ],
)
def test_a_list_that_does_not_parse(written, line, named):
    lines = list_of(written).read_text().splitlines()
    list_of(written).write_text("\n".join([line, *lines[1:]]))
    with pytest.raises(InputError, match=named):
        RafDb(written.root).load("train")


def test_a_list_that_is_binary_or_empty(written):
    list_of(written).write_bytes(bytes(range(128, 256)))
    with pytest.raises(InputError, match="not a list"):
        RafDb(written.root).load("train")
    list_of(written).write_text("\n")
    with pytest.raises(InputError, match="holds no picture"):
        RafDb(written.root).load("train")


def test_folders_that_count_from_zero_are_refused(tmp_path):
    write_rafdb_folders(tmp_path)
    (tmp_path / "DATASET" / "train" / "7").rename(tmp_path / "DATASET" / "train" / "0")
    with pytest.raises(InputError, match="'0'"):
        RafDb(tmp_path).load("train")


def test_published_counts_add_up():
    codes = (1290, 281, 717, 4772, 1982, 705, 2524), (329, 74, 160, 1185, 478, 162, 680)
    for split, total, by_code in zip(("train", "valid"), (12_271, 3_068), codes, strict=True):
        named = dict(zip(OFFICIAL.values(), by_code, strict=True)) | {"contempt": 0}
        assert PUBLISHED[split] == tuple(named[name] for name in EMOTIONS)
        assert sum(PUBLISHED[split]) == total


def test_other_counts_are_told_and_mixed_up_ones_refused(tmp_path, monkeypatch):
    write_rafdb_folders(tmp_path)
    write_plain(tmp_path / "DATASET" / "test" / "1" / "one_more.jpg", 9)  # surprise
    with pytest.warns(UserWarning, match="15 pictures .* published: 680 neutral"):
        RafDb(tmp_path).load("valid")
    monkeypatch.setattr(rafdb, "PUBLISHED", {"valid": (2, 2, 3, 2, 2, 2, 2, 0)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(RafDb(tmp_path).load("valid")) == 15
    monkeypatch.setattr(rafdb, "PUBLISHED", {"valid": (3, 2, 2, 2, 2, 2, 2, 0)})
    with pytest.raises(InputError, match="mixed up"):
        RafDb(tmp_path).load("valid")


def test_the_identity_follows_labels_and_files(written):
    seen = [RafDb(written.root).identity(split) for split in ("train", "valid")]
    seen.append(RafDb(written.root, strict=True).identity("train"))
    lines = list_of(written).read_text().splitlines()
    list_of(written).write_text("\n".join([lines[0][:-1] + "7", *lines[1:]]))
    seen.append(RafDb(written.root).identity("train"))
    written.kept["train"][4].path.unlink()
    seen.append(RafDb(written.root).identity("train"))
    assert seen[-1] == RafDb(written.root).identity("train")
    assert len({str(identity) for identity in seen}) == len(seen)
