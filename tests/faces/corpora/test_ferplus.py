"""FER+ read from its true layout, quirks and damage included."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora.ferplus import OFFICIAL_COUNTS, FerPlus, label_by, rows_of
from neurogaze.faces.corpora.ferplus_csv import OFFICIAL_ROWS
from neurogaze.faces.corpora.votes import read_votes
from neurogaze.faces.store import prepare
from neurogaze.faces.twins import twin_free
from tests.fixtures.faces import write_ferplus
from tests.fixtures.ferplus_tally import TALLY, sheet_of_tally, tally_of


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("NEUROGAZE_FERPLUS", raising=False)
    monkeypatch.delenv("NEUROGAZE_FERPLUS_VOTES", raising=False)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    return write_ferplus(tmp_path_factory.mktemp("ferplus"), n_train=16, n_valid=10)


@pytest.fixture
def written(tmp_path):
    return write_ferplus(tmp_path / "ferplus", n_train=12, n_valid=8)


@pytest.mark.parametrize(("split", "n"), [("train", 17), ("valid", 10)])
def test_rows_meet_their_own_pictures(pristine, split, n):
    table = FerPlus(pristine.root).load(split)
    kept = pristine.kept[split]
    assert len(table) == len(kept) == n
    assert table.ids.tolist() == [f"row{row:05d}/{name}" for row, name, _, _ in kept]
    np.testing.assert_array_equal(table.images, np.stack([pixels for *_, pixels in kept]))
    winners = [int(np.argmax(votes)) for _, _, votes, _ in kept]
    assert table.labels.tolist() == winners
    assert table.skipped == ()
    assert (table.dataset, table.split, table.rule) == ("ferplus", split, "majority")


def test_a_name_that_occurs_twice_counts_twice(pristine):
    table = FerPlus(pristine.root).load("train")
    names = [identity.split("/")[1] for identity in table.ids]
    assert names.count(names[0]) == 2
    assert len(set(table.ids.tolist())) == len(table)
    assert table.groups[0] == table.groups[-1]


def test_plurality_keeps_every_named_row_with_an_emotion(pristine):
    table = FerPlus(pristine.root, rule="plurality8").load("train")
    assert len(table) == 17 + 2  # the "unknown" and the tied row join


def test_root_may_hold_a_data_folder(written):
    (written.root / "data").mkdir()
    for name in ("FER2013Train", "FER2013Valid"):
        (written.root / name).rename(written.root / "data" / name)
    assert len(FerPlus(written.root).load("valid")) == 8


def test_places_come_from_the_environment(pristine, tmp_path, monkeypatch):
    moved = tmp_path / "votes.csv"
    moved.write_bytes(pristine.votes.read_bytes())
    monkeypatch.setenv("NEUROGAZE_FERPLUS", str(pristine.root))
    monkeypatch.setenv("NEUROGAZE_FERPLUS_VOTES", str(moved))
    corpus = FerPlus()
    assert len(corpus.load("valid")) == 10
    assert corpus.votes_path == moved


def damage_missing(path):
    path.unlink()


def damage_text(path):
    path.write_text("not a picture")


def damage_size(path):
    Image.new("L", (64, 64)).save(path)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (damage_missing, "no such file"),
        (damage_text, "not a picture"),
        (damage_size, "64x64"),
    ],
)
def test_unreadable_pictures_are_counted_or_refused(written, damage, reason):
    row, name, _, _ = written.kept["train"][3]
    damage(written.root / "FER2013Train" / name)
    with pytest.warns(UserWarning, match="1 pictures could not be read"):
        table = FerPlus(written.root).load("train")
    assert len(table) == len(written.kept["train"]) - 1
    assert len(table.skipped) == 1
    assert table.skipped[0].startswith(f"row{row:05d}/{name}: ")
    assert reason in table.skipped[0]
    with pytest.raises(InputError, match=reason):
        FerPlus(written.root, strict=True).load("train")


def test_a_picture_that_is_restored_is_read_again(written, tmp_path):
    """Also where the damaged one was as long, as an interrupted copy leaves it."""
    path = written.root / "FER2013Train" / written.kept["train"][3][1]
    content, corpus = path.read_bytes(), FerPlus(written.root)
    path.write_bytes(bytes(len(content)))
    with pytest.warns(UserWarning, match="1 pictures could not be read"):
        broken = prepare(corpus, "train", tmp_path / "store", progress=False)
    path.write_bytes(content)
    os.utime(path, ns=(0, 1))
    table = prepare(corpus, "train", tmp_path / "store", progress=False)
    assert len(table) == len(broken) + 1 == len(written.kept["train"])
    assert not table.skipped


def test_no_readable_picture_at_all(written):
    for path in (written.root / "FER2013Valid").iterdir():
        path.unlink()
    with pytest.warns(UserWarning, match="8 pictures"), pytest.raises(InputError, match="8 pict"):
        FerPlus(written.root).load("valid")


def test_missing_root_names_the_ways_to_give_it(tmp_path):
    for corpus in (FerPlus(), FerPlus(tmp_path / "nowhere")):
        with pytest.raises(InputError) as caught:
            corpus.load("train")
        assert "NEUROGAZE_FERPLUS" in str(caught.value)
        assert "--roots.ferplus" in str(caught.value)
        assert "--data.corpus.root" in str(caught.value)


def test_missing_split_folder(pristine):
    with pytest.raises(InputError, match="FER2013Test"):
        FerPlus(pristine.root).load("test")
    with pytest.raises(InputError, match="'dev'"):
        FerPlus(pristine.root).load("dev")


def edit_votes(path: Path, change):
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    change(rows)
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)


def drop_column(rows):
    for row in rows:
        del row[9]


def no_number(rows):
    rows[3][4] = "many"


def negative(rows):
    rows[3][4] = "-1"


def no_count(rows):
    rows[3][4] = "9" * 30


def short_row(rows):
    rows[3] = rows[3][:5]


def another_usage(rows):
    rows[3][0] = "Holiday"


def name_with_folder(rows):
    rows[1][1] = "../FER2013Valid/fer0000001.png"


def nothing_left(rows):
    del rows[1:]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (drop_column, "contempt"),
        (no_number, "line 4"),
        (negative, "-1"),
        (no_count, "a count is 9999"),
        (short_row, "line 4"),
        (another_usage, "Holiday"),
        (name_with_folder, "is a path"),
        (nothing_left, "no rows"),
    ],
)
def test_votes_file_that_does_not_parse(written, change, named):
    edit_votes(written.votes, change)
    with pytest.raises(InputError, match=named):
        FerPlus(written.root).load("train")


def test_columns_are_found_by_name(written):
    before = FerPlus(written.root).load("train")
    edit_votes(written.votes, lambda rows: [row.reverse() for row in rows])
    assert FerPlus(written.root).load("train").sha256 == before.sha256


def test_votes_file_missing_or_binary(written):
    written.votes.write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match=r"fer2013new\.csv"):
        FerPlus(written.root).load("train")
    written.votes.unlink()
    with pytest.raises(InputError, match=r"--data\.corpus\.votes"):
        FerPlus(written.root).load("train")


def test_as_many_rows_as_the_published_file_but_other_votes(written):
    def fill(rows):
        filler = ["Training", "", *["0"] * 9, "10"]
        rows.extend([filler] * (OFFICIAL_ROWS + 1 - len(rows)))

    edit_votes(written.votes, fill)
    with pytest.raises(InputError, match="published: 25060"):
        FerPlus(written.root).load("train")


def test_identity_follows_what_the_table_depends_on(written):
    first = FerPlus(written.root).identity("train")
    assert first == FerPlus(written.root).identity("train")
    seen = [first, FerPlus(written.root).identity("valid")]
    seen.append(FerPlus(written.root, rule="plurality8").identity("train"))
    next((written.root / "FER2013Train").iterdir()).unlink()
    seen.append(FerPlus(written.root).identity("train"))
    edit_votes(written.votes, lambda rows: rows.pop())
    seen.append(FerPlus(written.root).identity("train"))
    assert len({str(sorted(identity.items())) for identity in seen}) == len(seen)


def test_unknown_rule(pristine):
    with pytest.raises(InputError, match="votes8"):
        FerPlus(pristine.root, rule="votes8")


REAL = {name: os.environ.get(name) for name in ("NEUROGAZE_FERPLUS", "NEUROGAZE_FERPLUS_VOTES")}


needs_votes = pytest.mark.skipif(
    not REAL["NEUROGAZE_FERPLUS_VOTES"], reason="NEUROGAZE_FERPLUS_VOTES names no file"
)
needs_pictures = pytest.mark.skipif(
    not all(REAL.values()), reason="NEUROGAZE_FERPLUS and its votes name no data"
)

PUBLISHED = {
    ("majority", "train"): [8740, 7287, 3149, 3014, 2100, 119, 532, 119],
    ("majority", "valid"): [1182, 865, 415, 351, 287, 24, 62, 13],
    ("majority", "test"): [1090, 893, 396, 384, 273, 18, 83, 16],
}
KEPT = {
    ("majority", "train"): 25_060,
    ("majority", "valid"): 3_199,
    ("majority", "test"): 3_153,
    ("plurality8", "train"): 28_559,
    ("plurality8", "valid"): 3_579,
    ("plurality8", "test"): 3_573,
    ("votes", "train"): 28_559,
    ("votes", "valid"): 3_199,
    ("votes", "test"): 3_153,
}
"""Rows that the script of FER+ keeps of its votes file, and most votes among the emotions."""


@pytest.fixture(scope="module")
def published_votes():
    return read_votes(Path(REAL["NEUROGAZE_FERPLUS_VOTES"]))


@pytest.fixture(scope="module")
def tallied_votes():
    return sheet_of_tally()


@pytest.mark.parametrize(("rule", "split"), KEPT)
def test_published_counts_of_the_tallied_votes(tallied_votes, rule, split):
    assert len(rows_of(tallied_votes, rule, split)) == KEPT[rule, split]
    assert OFFICIAL_COUNTS[rule, split] == KEPT[rule, split]


@pytest.mark.parametrize(("rule", "split"), PUBLISHED)
def test_published_counts_of_each_emotion_of_the_tallied_votes(tallied_votes, rule, split):
    labels = label_by(rule, tallied_votes.votes[rows_of(tallied_votes, rule, split)])
    assert np.bincount(labels, minlength=8).tolist() == PUBLISHED[rule, split]


def test_the_tally_is_as_large_as_the_published_file(tallied_votes):
    assert len(tallied_votes.names) == OFFICIAL_ROWS
    usages = tallied_votes.usage[tallied_votes.names == ""].tolist()
    assert [usages.count(u) for u in ("Training", "PublicTest", "PrivateTest")] == [148, 10, 15]
    assert TALLY.stat().st_size < 100_000


@needs_votes
def test_the_tally_is_that_of_the_published_file(published_votes):
    """So the counts above are those of the real file, wherever it is there."""
    for made, stored in zip(tally_of(published_votes), tally_of(sheet_of_tally()), strict=True):
        np.testing.assert_array_equal(made, stored)


@needs_votes
def test_published_quirks_of_the_votes_file(published_votes):
    names = published_votes.names
    assert len(names) == OFFICIAL_ROWS
    assert int((names == "").sum()) == 173
    assert len(set(names.tolist()) - {""}) == 35_710
    usages = published_votes.usage[names == ""].tolist()
    assert [usages.count(u) for u in ("Training", "PublicTest", "PrivateTest")] == [148, 10, 15]


def published(rule, split):
    roots = [Path(REAL[name]) for name in ("NEUROGAZE_FERPLUS", "NEUROGAZE_FERPLUS_VOTES")]
    return FerPlus(*roots, rule=rule, strict=True).load(split)


@pytest.fixture(scope="module")
def published_train():
    return published("plurality8", "train")


@pytest.fixture(scope="module")
def published_valid():
    return published("majority", "valid")


@needs_pictures
def test_every_published_picture_is_there(published_train, published_valid):
    assert len(published_train) == KEPT["plurality8", "train"]
    assert published_valid.class_counts.tolist() == PUBLISHED["majority", "valid"]
    for table in (published_train, published_valid):
        assert (table.images.shape[1:], table.images.dtype) == ((48, 48), np.uint8)


@needs_pictures
@pytest.mark.parametrize("rule", ["majority", "plurality8"])
def test_validation_pictures_that_no_training_picture_equals(
    published_train, published_valid, rule
):
    """Every twin of a validation picture with a majority has one itself: the count is the same."""
    taught = {identity: i for i, identity in enumerate(published_train.ids.tolist())}
    sheet = read_votes(Path(REAL["NEUROGAZE_FERPLUS_VOTES"]))
    rows = rows_of(sheet, rule, "train")
    held = [taught[f"row{row:05d}/{sheet.names[row]}"] for row in rows]
    free = twin_free(published_valid, published_train.take(np.array(held)))
    assert int(free.sum()) == 2_948
    surprise = published_valid.labels == EMOTIONS.index("surprise")
    assert int((~free & surprise).sum()) == 109
