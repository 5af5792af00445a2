"""Every picture once, none that will judge, and two views that differ as they should."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neurogaze.errors import InputError
from neurogaze.faces.augment import AugmentSettings
from neurogaze.faces.corpora.affectnet import AffectNet
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.folder import FaceFolder
from neurogaze.faces.corpora.manifest import Manifest
from neurogaze.faces.corpora.rafdb import RafDb
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.folds import FaceFold
from neurogaze.faces.preprocessing import FacePreprocessing, to_input
from neurogaze.faces.unlabelled import WIDE, FaceSource, UnlabelledFaces, learned_from
from neurogaze.faces.witnessed import seen_rows
from tests.faces.tables import drawn_table
from tests.fixtures.faces import write_ferplus


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ferplus")
    write_ferplus(folder, n_train=240, n_valid=24)
    (folder / "more").mkdir()
    shutil.copy(folder / "FER2013Train" / "fer0000000.png", folder / "more" / "again.png")
    for i, picture in enumerate(SyntheticFaces(8, 8, seed=5).load("train").images[:2]):
        Image.fromarray(picture).save(folder / "more" / f"nobody{i}.png")
    return folder


def ready(store, sources, leave_out=(), **changes) -> UnlabelledFaces:
    settings = {"batch_size": 8, "store": store} | changes
    data = UnlabelledFaces(list(sources), list(leave_out), **settings)
    data.prepare_data()
    data.setup("fit")
    return data


def test_a_picture_is_taken_once_and_where_it_comes_first():
    table = drawn_table(6)
    first, second = table.take(np.array([0, 1, 1, 2])), table.take(np.array([2, 5, 3]))
    assert [rows.tolist() for rows in learned_from([first, second], [])] == [[0, 1, 3], [1, 2]]


def test_twins_and_people_of_those_that_judge_are_left_out():
    people = np.array(["anna", "anna", "ben", "", "", "carl"])
    table = replace(drawn_table(6), subjects=people)
    judge = replace(drawn_table(1, seed=1), subjects=np.array(["anna"]))
    twin = replace(table.take(np.array([3])), subjects=np.array([""]), dataset="other")
    assert learned_from([table], [judge, twin])[0].tolist() == [2, 4, 5]


def test_a_twin_of_a_picture_of_somebody_left_out_is_left_out():
    """Row 2 shows the picture of row 0 again, and nobody says who it is."""
    table = drawn_table(4).take(np.array([1, 3, 1, 2]))
    table = replace(table, subjects=np.array(["anna", "", "", ""]))
    judge = replace(drawn_table(1, seed=1), subjects=np.array(["anna"]))
    assert learned_from([table], [judge])[0].tolist() == [1, 3]


def test_corpora_are_joined_and_pictures_without_labels_take_part(root, tmp_path):
    labelled = FaceSource(FerPlus(root, rule="majority"))
    folder = FaceSource(FaceFolder(root / "more"), "unlabelled")
    drawn = FaceSource(SyntheticFaces(16, 8, seed=9))
    data = ready(tmp_path, [labelled, folder, drawn])
    records = {r["dataset"]: r for r in data.provenance["sources"]}
    pictures = {group for table in data.tables for group in table.groups}
    assert pictures > set(FerPlus(root).load("train").groups)
    assert (records["folder"]["n"], records["folder"]["used"]) == (3, 2)
    assert records["synthetic_faces"]["used"] == 16
    assert len(pictures) == len(data.images) == data.provenance["n"]


def test_the_dev_slice_and_validation_are_left_out(root, tmp_path):
    """By the very settings that a training takes."""
    fold = FaceFold(n_folds=2)
    student = FaceDataModule(FerPlus(root), held_out=fold, batch_size=8, store=tmp_path)
    student.setup("fit")
    everything = FaceSource(FerPlus(root, rule="plurality8"))
    open_ = ready(tmp_path, [everything])
    assert seen_rows(open_.seen, student.dev).all()
    closed = ready(
        tmp_path,
        [everything],
        [FaceSource(FerPlus(root), "valid"), FaceSource(FerPlus(root), held_out=fold)],
    )
    for table in student.judged.values():
        assert not seen_rows(closed.seen, table).any()
    assert seen_rows(closed.seen, student.train).all()
    assert closed.provenance["leave_out"][1]["held_out"] == {"n_folds": 2, "fold": 0, "seed": 0}
    assert closed.provenance["leave_out"][1]["n"] == len(student.dev)


def test_an_optional_split_that_is_not_there_takes_no_part(root, tmp_path):
    """The fixture has no test pictures: told of and recorded; without the word, an error."""
    given = [FaceSource(FerPlus(root))]
    test = FaceSource(FerPlus(root), "test", optional=True)
    with pytest.warns(UserWarning, match=r"ferplus \(test\) takes no part: .*FER2013Test"):
        data = ready(tmp_path, given, [FaceSource(FerPlus(root), "valid"), test])
    assert data.provenance["missing"] == [{"dataset": "ferplus", "split": "test"}]
    assert [record["split"] for record in data.provenance["leave_out"]] == ["valid"]
    with pytest.raises(InputError, match="FER2013Test"):
        ready(tmp_path, given, [replace(test, optional=False)])


def test_an_optional_split_that_is_there_takes_part(root, tmp_path):
    valid = FaceSource(FerPlus(root), "valid", optional=True)
    data = ready(tmp_path, [FaceSource(FerPlus(root))], [valid])
    assert [record["split"] for record in data.provenance["leave_out"]] == ["valid"]
    assert data.provenance["missing"] == []
    with pytest.raises(InputError, match="leave 0 pictures"):
        ready(tmp_path, [valid], [valid])


def test_an_optional_split_that_is_there_and_broken_is_an_error(tmp_path):
    written = write_ferplus(tmp_path / "broken", n_train=40, n_valid=16)
    corpus = FerPlus(written.root, strict=True)
    next((written.root / "FER2013Valid").glob("*.png")).write_bytes(b"junk")
    sources, valid = [FaceSource(corpus)], FaceSource(corpus, "valid", optional=True)
    with pytest.raises(InputError, match="FER2013Valid"):
        ready(tmp_path / "store", sources, [valid])


def test_an_optional_list_with_a_damaged_row_is_an_error(root, tmp_path):
    """Taken for missing, its pictures would be learned from and judge afterwards."""
    (tmp_path / "list.csv").write_text("path,label_name\na.png,happy\nb.png,happy,\n")
    judge = FaceSource(Manifest(tmp_path / "list.csv"), "valid", optional=True)
    with pytest.raises(InputError, match="row 3: has 3 cells"):
        ready(tmp_path / "store", [FaceSource(FerPlus(root))], [judge])
    with pytest.raises(InputError, match="no such split"):
        FaceSource(FerPlus(root), "vaild", optional=True).missing()


@pytest.mark.parametrize(
    "corpus",
    [
        AffectNet(Path("gone")),
        FaceFolder(Path("gone")),
        FerPlus(Path("gone")),
        Manifest(Path("gone.csv")),
        RafDb(Path("gone")),
    ],
    ids=lambda corpus: corpus.name,
)
def test_an_optional_corpus_that_is_not_there_is_missing(corpus, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    split = "unlabelled" if corpus.name == "folder" else "valid"
    assert "gone" in FaceSource(corpus, split, optional=True).missing()


def test_two_views_of_the_same_pictures(tmp_path):
    data = ready(tmp_path, [FaceSource(SyntheticFaces(32, 8))])
    batch = next(iter(data.train_dataloader()))
    views = data.on_after_batch_transfer(batch, 0)
    again = data.on_after_batch_transfer(batch, 0)
    assert views["first"].shape == views["second"].shape == (8, 1, 44, 44)
    for name in ("first", "second"):
        assert torch.equal(views[name], again[name])
    differ = (views["first"] - views["second"]).abs().mean(dim=(1, 2, 3))
    assert (differ > 0.01).all()
    plain = ready(
        tmp_path, [FaceSource(SyntheticFaces(32, 8))], augment=replace(WIDE, enabled=False)
    )
    views = plain.on_after_batch_transfer(batch, 0)
    rows = plain.images[batch["row"]]
    assert torch.equal(views["first"], to_input(rows, FacePreprocessing()))
    assert torch.equal(views["first"], views["second"])


def test_both_views_have_one_distribution(tmp_path):
    """Shifts of brightness, drawn for each view: same spread, no correlation."""
    light = AugmentSettings(0, 0, 0, 0, brightness=0.2, contrast=0, erase=0)
    data = ready(tmp_path, [FaceSource(SyntheticFaces(400, 8))], augment=light, batch_size=400)
    data.images = torch.full_like(data.images, 128)
    views = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    levels = [views[name].mean(dim=(1, 2, 3)).numpy() for name in ("first", "second")]
    expected = 0.4 / 12**0.5 / FacePreprocessing().std
    for level in levels:
        assert level.std() == pytest.approx(expected, rel=0.1)
    assert abs(np.corrcoef(*levels)[0, 1]) < 0.15


def test_epochs_differ_and_repeat(tmp_path):
    data = ready(tmp_path, [FaceSource(SyntheticFaces(32, 8))])
    orders = []
    for epoch in (0, 1, 0):
        loader = data.train_dataloader()
        loader.sampler.set_epoch(epoch)
        orders.append(torch.cat([batch["row"] for batch in loader]).tolist())
    assert orders[0] == orders[2] != orders[1]
    assert sorted(orders[0]) == list(range(32))


@pytest.mark.parametrize(
    ("sources", "changes", "match"),
    [
        ([], {}, "names nothing"),
        ([FaceSource(SyntheticFaces(8, 8))], {"batch_size": 1}, "use 2 or more"),
        ([FaceSource(SyntheticFaces(8, 8))], {"batch_size": 9}, "leave 8 pictures"),
        ([FaceSource(SyntheticFaces(8, 8))], {"seed": -1}, "seed: is -1"),
    ],
)
def test_what_makes_no_batch_is_refused(tmp_path, sources, changes, match):
    with pytest.raises(InputError, match=match):
        ready(tmp_path, sources, **changes)
