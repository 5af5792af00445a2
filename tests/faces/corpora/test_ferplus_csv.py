"""FER+ from `fer2013.csv` is FER+ from folders, byte by byte; re-packs are refused."""

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from neurogaze.errors import InputError
from neurogaze.faces.corpora.ferplus import RULES, FerPlus
from neurogaze.faces.store import prepare, stored_at
from tests.fixtures.faces import write_fer2013_csv, write_ferplus

SPLITS = ("train", "valid")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("NEUROGAZE_FERPLUS", raising=False)
    monkeypatch.delenv("NEUROGAZE_FERPLUS_VOTES", raising=False)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_ferplus(tmp_path_factory.mktemp("folders"), n_train=16, n_valid=10)


@pytest.fixture(scope="module")
def sheet(folders, tmp_path_factory):
    return write_fer2013_csv(folders, tmp_path_factory.mktemp("sheet") / "ferplus")


@pytest.fixture
def own(sheet, tmp_path):
    shutil.copytree(sheet.parent, tmp_path / "ferplus")
    return tmp_path / "ferplus" / "fer2013.csv"


def edit(path, change):
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    change(rows)
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("rule", RULES)
def test_both_sources_give_one_table(folders, sheet, rule, split):
    ours = FerPlus(sheet.parent, rule=rule).load(split)
    theirs = FerPlus(folders.root, rule=rule).load(split)
    assert ours.ids.tolist() == theirs.ids.tolist()
    np.testing.assert_array_equal(ours.images, theirs.images)
    assert ours.sha256 == theirs.sha256
    assert (ours.dataset, ours.rule, ours.skipped) == (theirs.dataset, theirs.rule, ())


def test_both_stores_hold_the_same_bytes(folders, sheet, tmp_path):
    stored = []
    for root in (folders.root, sheet.parent):
        corpus = FerPlus(root)
        prepare(corpus, "train", tmp_path, progress=False)
        stored.append(stored_at(corpus, "train", tmp_path))
    files = [{f.name: f.read_bytes() for f in folder.iterdir()} for folder in stored]
    assert files[0] == files[1]
    assert len(files[0]) == 3


def test_a_name_that_occurs_twice_shows_the_later_picture(sheet):
    table = FerPlus(sheet.parent).load("train")
    names = [identity.split("/")[1] for identity in table.ids]
    assert names[0] == names[-1]
    np.testing.assert_array_equal(table.images[0], table.images[-1])


def test_the_archive_leaves_a_folder_around_the_file(own):
    before = FerPlus(own.parent).load("valid").sha256
    (own.parent / "fer2013").mkdir()
    own.rename(own.parent / "fer2013" / own.name)
    assert FerPlus(own.parent).load("valid").sha256 == before


def test_the_file_has_the_test_split_too(sheet):
    assert len(FerPlus(sheet.parent).load("test")) == 1


def test_folders_come_before_the_file(folders, own):
    for name in ("FER2013Train", "FER2013Valid"):
        shutil.copytree(folders.root / name, own.parent / name)
    own.write_text("no table of pixels")
    assert len(FerPlus(own.parent).load("train")) == 17


def test_columns_are_found_by_name_whatever_surrounds_it(own):
    before = FerPlus(own.parent).load("valid").sha256

    def reordered(rows):
        rows[0] = ["emotion", " pixels", " Usage"]
        for i, (emotion, pixels, usage) in enumerate(rows):
            rows[i] = [emotion, usage, pixels]

    edit(own, reordered)
    assert FerPlus(own.parent).load("valid").sha256 == before


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        ("1 2 3", "3 pixels"),
        ("", "0 pixels"),
        (" ".join(["1"] * 2303 + ["?"]), "no whole number"),
        (" ".join(["1"] * 2303 + ["999"]), "to 999"),
    ],
)
def test_pixels_that_do_not_parse_are_counted_or_refused(folders, own, pixels, reason):
    row, name, _, _ = folders.kept["train"][3]

    def damage(rows):
        rows[row + 1][1] = pixels

    edit(own, damage)
    with pytest.warns(UserWarning, match="1 pictures could not be read"):
        table = FerPlus(own.parent).load("train")
    assert len(table) == 16
    assert table.skipped[0].startswith(f"row{row:05d}/{name}: ")
    with pytest.raises(InputError, match=f"row {row + 2}.*{reason}"):
        FerPlus(own.parent, strict=True).load("train")


def test_pixels_of_rows_without_a_name_are_never_parsed(own):
    with (own.parent / "fer2013new.csv").open(newline="") as stream:
        nameless = [i for i, row in enumerate(csv.reader(stream)) if not row[1]]

    def damage(rows):
        for i in nameless:
            rows[i][1] = "none"

    edit(own, damage)
    assert FerPlus(own.parent).load("train").skipped == ()
    assert len(nameless) >= 2


def without_usage(rows):
    for row in rows:
        del row[2]


def one_row_less(rows):
    rows.pop()


def swapped(rows):
    usages = [row[2] for row in rows]
    other = next(i for i, usage in enumerate(usages[1:], start=1) if usage != usages[1])
    rows[1], rows[other] = rows[other], rows[1]


def without_pixels(rows):
    rows[0][1] = "features"


def empty(rows):
    del rows[1:]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (without_usage, "no column 'Usage'.*35,887"),
        (one_row_less, "meet by row.*35,887"),
        (swapped, "row 2.*Usage is"),
        (without_pixels, "no column 'pixels'"),
        (empty, "holds no rows"),
    ],
)
def test_a_file_whose_rows_are_others(own, change, named):
    edit(own, change)
    with pytest.raises(InputError, match=named):
        FerPlus(own.parent).load("train")


def test_a_file_that_is_no_table(own):
    own.write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match=r"fer2013\.csv"):
        FerPlus(own.parent).load("train")


def test_the_votes_must_be_there(own):
    (own.parent / "fer2013new.csv").unlink()
    with pytest.raises(InputError, match=r"--data\.corpus\.votes"):
        FerPlus(own.parent).load("train")


def test_identity_follows_the_content_of_the_file(own):
    before = FerPlus(own.parent).identity("train")

    def damage(rows):
        rows[1][1] = rows[1][1][:-1] + "0"

    edit(own, damage)
    assert FerPlus(own.parent).identity("train") != before


# --- re-packs ----------------------------------------------------------------------------------


def test_class_folders_are_refused_with_their_counts(folders, tmp_path):
    picture = next((folders.root / "FER2013Train").glob("*.png"))
    for split, n in {"train": 3, "validation": 2, "test": 1}.items():
        for emotion in ("anger", "happiness", "contempt"):
            (tmp_path / split / emotion).mkdir(parents=True)
            for i in range(n):
                shutil.copy(picture, tmp_path / split / emotion / f"fer000000{i}_aug.png")
    shutil.copy(folders.votes, tmp_path)
    with pytest.raises(InputError, match=r"9 pictures in train.*66,379.*augmented") as caught:
        FerPlus(tmp_path).load("train")
    assert "fer2013new.csv" in caught.value.remedy
    with pytest.raises(InputError, match="re-pack"):
        FerPlus(tmp_path).identity("train")


def test_more_pictures_than_names_are_refused(tmp_path):
    written = write_ferplus(tmp_path / "ferplus", n_train=12, n_valid=8)
    folder = written.root / "FER2013Valid"
    (folder / "label.csv").write_text("")
    (folder / "._fer0000001.png").write_text("")
    assert len(FerPlus(written.root).load("valid")) == 8
    held = len(list(folder.glob("fer*.png")))
    Image.new("L", (48, 48)).save(folder / "fer0000001_flipped.png")
    found = f"{held + 1} pictures.*names {held} of this split.*flipped"
    with pytest.raises(InputError, match=found):
        FerPlus(written.root).load("valid")
    assert len(FerPlus(written.root).load("train")) == 13


def test_class_folders_below_a_split_are_refused(tmp_path):
    written = write_ferplus(tmp_path / "ferplus", n_train=12, n_valid=8)
    for emotion in ("fear", "sadness"):
        (written.root / "FER2013Train" / emotion).mkdir()
    with pytest.raises(InputError, match="folders of emotions, such as fear"):
        FerPlus(written.root).load("train")
