"""AffectNet read from each of its forms, quirks and damage included."""

import csv
import warnings
from pathlib import Path

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora import affectnet_8label, affectnet_folders
from neurogaze.faces.corpora.affectnet import AffectNet
from neurogaze.faces.corpora.affectnet_8label import PUBLISHED, AffectNet8Label, read_code
from neurogaze.faces.corpora.affectnet_folders import AffectNetFolders
from neurogaze.faces.corpora.affectnet_mini import AffectNetMini
from neurogaze.faces.store import prepare
from tests.fixtures.affectnet import (
    OFFICIAL,
    write_affectnet,
    write_affectnet_8label,
    write_affectnet_folders,
    write_affectnet_mini,
)
from tests.fixtures.plain import write_plain

FORMS = {
    "affectnet": (AffectNet, write_affectnet),
    "affectnet_8label": (AffectNet8Label, write_affectnet_8label),
    "affectnet_folders": (AffectNetFolders, write_affectnet_folders),
    "affectnet_mini": (AffectNetMini, write_affectnet_mini),
}
SPLITS = [(form, split) for form in FORMS for split in ("train", "valid")][:-2]
SPLITS.append(("affectnet_mini", "valid"))

# Copies of a few pictures differ from the published counts, and the mini set always warns.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in FORMS:
        monkeypatch.delenv(f"NEUROGAZE_{name.upper()}", raising=False)


@pytest.fixture(params=FORMS)
def form(request, tmp_path):
    """A form: how to open it, and a fresh copy."""
    corpus, write = FORMS[request.param]
    return corpus, write(tmp_path / request.param)


def messages(load):
    """What a call warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load()
    return [str(entry.message) for entry in caught]


@pytest.mark.parametrize(("name", "split"), SPLITS)
def test_every_picture_meets_its_own_label(name, split, tmp_path):
    corpus, write = FORMS[name]
    written = write(tmp_path / name)
    table = corpus(written.root).load(split)
    kept = written.kept[split]
    assert table.ids.tolist() == [picture.id for picture in kept]
    assert [EMOTIONS[label] for label in table.labels] == [picture.emotion for picture in kept]
    levels = np.array([picture.level for picture in kept])[:, None, None]
    assert table.images.shape == (len(kept), 48, 48)
    assert np.abs(table.images.astype(int) - levels).max() <= 1
    np.testing.assert_array_equal(table.votes, np.eye(8)[table.labels])
    assert (table.dataset, table.split, table.rule) == (name, split, "label")
    assert (table.skipped, table.subjects, table.sequences) == ((), None, None)


@pytest.mark.parametrize("name", ["affectnet", "affectnet_8label", "affectnet_folders"])
def test_ids_of_the_two_splits_never_meet(name, tmp_path):
    corpus, write = FORMS[name]
    tables = [corpus(write(tmp_path / name).root).load("train")]
    tables.append(corpus(tmp_path / name).load("valid"))
    ids = np.concatenate([table.ids for table in tables])
    assert len(set(ids.tolist())) == len(ids) == 40
    assert all(set(table.labels.tolist()) == set(range(8)) for table in tables)


def test_root_from_the_environment_and_the_ways_to_give_it(form, tmp_path, monkeypatch):
    corpus, written = form
    variable = f"NEUROGAZE_{corpus().name.upper()}"
    for wrong in (corpus(), corpus(tmp_path / "nowhere")):
        with pytest.raises(InputError) as caught:
            wrong.load("valid")
        assert variable in str(caught.value)
        assert f"--roots.{corpus().name}" in str(caught.value)
        assert "--data.corpus.root" in str(caught.value)
    monkeypatch.setenv(variable, str(written.root))
    assert len(corpus().load("valid")) == len(written.kept["valid"])


def test_an_empty_root_and_an_unknown_split(form, tmp_path):
    corpus, written = form
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError):
        corpus(tmp_path / "empty").load("valid")
    for ask in (corpus(written.root).load, corpus(written.root).identity):
        with pytest.raises(InputError, match="'dev'"):
            ask("dev")


def test_a_corrupt_picture_is_counted_or_refused(form):
    corpus, written = form
    bad = written.kept["valid"][3]
    bad.path.write_text("not a picture")
    told = messages(lambda: corpus(written.root).load("valid"))
    assert sum("1 pictures could not be read" in line for line in told) == 1
    table = corpus(written.root).load("valid")
    assert len(table) == len(written.kept["valid"]) - 1
    assert bad.id not in table.ids.tolist()
    assert len(table.skipped) == 1
    assert table.skipped[0].startswith(f"{bad.id}: not a picture")
    with pytest.raises(InputError, match="not a picture"):
        corpus(written.root, strict=True).load("valid")


@pytest.mark.parametrize("name", ["affectnet", "affectnet_mini"])
def test_a_listed_picture_that_is_gone_is_counted_or_refused(name, tmp_path):
    corpus, write = FORMS[name]
    written = write(tmp_path / name)
    written.kept["valid"][5].path.unlink()
    table = corpus(written.root).load("valid")
    assert (len(table), len(table.skipped)) == (len(written.kept["valid"]) - 1, 1)
    assert "no such file" in table.skipped[0]
    with pytest.raises(InputError, match="no such file"):
        corpus(written.root, strict=True).load("valid")


def test_no_readable_picture_at_all(form):
    corpus, written = form
    for picture in written.kept["valid"]:
        picture.path.write_text("")
    with pytest.raises(InputError, match=f"{len(written.kept['valid'])} pictures"):
        corpus(written.root).load("valid")


def test_the_identity_names_the_stored_copy(form, tmp_path):
    corpus, written = form
    first = corpus(written.root).identity("valid")
    assert first == corpus(written.root).identity("valid")
    stored = prepare(corpus(written.root), "valid", tmp_path / "store", progress=False)
    assert stored.sha256 == corpus(written.root).load("valid").sha256
    write_plain(written.kept["valid"][0].path, 100, (31, 17))
    resized = corpus(written.root).identity("valid")
    assert resized != first
    written.kept["valid"][-1].path.unlink()
    assert corpus(written.root).identity("valid") not in (first, resized)


# The lists of the first release


def edit(path: Path, change):
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    change(rows)
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)


@pytest.fixture
def manual(tmp_path):
    return write_affectnet(tmp_path / "manual")


def list_of(written, name="validation.csv"):
    return written.root / "Manually_Annotated_file_lists" / name


def test_what_is_no_emotion_is_left_out_and_counted(manual):
    told = messages(lambda: AffectNet(manual.root).load("valid"))
    assert len(told) == 1
    assert "left out of valid: 2 no-face, 1 none, 1 uncertain, 1 without a face box" in told[0]
    assert AffectNet(manual.root).listed("valid").left_out == {
        "none": 1,
        "uncertain": 1,
        "no-face": 2,
        "without a face box": 1,
    }


def test_valence_of_minus_two_alone_leaves_nothing_out(manual):
    assert AffectNet(manual.root).load("train").ids[1] == manual.kept["train"][1].id
    with list_of(manual, "training.csv").open(newline="") as stream:
        assert list(csv.reader(stream))[2][-2:] == ["-2", "-2"]


def test_columns_are_found_by_name_and_codes_may_have_decimals(manual):
    before = AffectNet(manual.root).load("valid")

    def change(rows):
        for row in rows:
            row[6] = row[6] if row is rows[0] else f"{row[6]}.0"
            row.reverse()

    edit(list_of(manual), change)
    assert AffectNet(manual.root).load("valid").sha256 == before.sha256


def test_lists_beside_the_pictures_or_one_folder_down(manual):
    before = AffectNet(manual.root).load("valid")
    list_of(manual).rename(manual.root / "validation.csv")
    assert AffectNet(manual.root).load("valid").sha256 == before.sha256
    below = manual.root / "Manually_Annotated"
    below.mkdir()
    (manual.root / "Manually_Annotated_Images").rename(below / "Manually_Annotated_Images")
    (manual.root / "validation.csv").rename(below / "validation.csv")
    assert AffectNet(manual.root).load("valid").sha256 == before.sha256


def test_a_box_that_is_not_given_means_the_whole_picture(manual):
    def change(rows):
        rows[1][1:5] = ["NULL"] * 4

    before = AffectNet(manual.root).load("valid")
    edit(list_of(manual), change)
    assert AffectNet(manual.root).load("valid").sha256 == before.sha256


def test_a_box_outside_its_picture_is_counted_or_refused_by_name(manual):
    def change(rows):
        rows[2][1] = "500"

    edit(list_of(manual), change)
    table = AffectNet(manual.root).load("valid")
    assert len(table.skipped) == 1
    assert table.skipped[0].startswith(manual.kept["valid"][1].id)
    with pytest.raises(InputError, match=manual.kept["valid"][1].path.name):
        AffectNet(manual.root, strict=True).load("valid")


def test_a_picture_that_is_listed_twice_counts_twice(manual):
    edit(list_of(manual), lambda rows: rows.append(list(rows[1])))
    table = AffectNet(manual.root).load("valid")
    assert len(table) == len(set(table.ids.tolist())) == len(manual.kept["valid"]) + 1
    assert table.groups[0] == table.groups[-1]


def unknown_codes(rows):
    rows[1][6], rows[2][6], rows[3][6] = "11", "-1", "joyous"


def no_expression(rows):
    rows[0][6] = "emotion"


def box_of_words(rows):
    rows[1][3] = "wide"


def short(rows):
    rows[2] = rows[2][:4]


def climbs_out(rows):
    rows[1][0] = "../../secret.png"


def nothing_left(rows):
    del rows[1:]


def nothing_at_all(rows):
    rows.clear()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (unknown_codes, "'-1', '11', 'joyous'"),
        (no_expression, "'expression'"),
        (box_of_words, "line 2: the face box"),
        (short, "line 3: has 4 cells"),
        (climbs_out, "leads out"),
        (nothing_left, "holds no picture"),
        (nothing_at_all, "are missing"),
    ],
)
def test_a_list_that_does_not_parse(manual, change, named):
    edit(list_of(manual), change)
    with pytest.raises(InputError, match=named):
        AffectNet(manual.root).load("valid")


def test_a_list_that_is_binary_or_missing(manual):
    list_of(manual).write_bytes(bytes(range(128, 256)))
    with pytest.raises(InputError, match="not a table"):
        AffectNet(manual.root).load("valid")
    list_of(manual).unlink()
    with pytest.raises(InputError, match=r"validation\.csv.*AffectNet8Label"):
        AffectNet(manual.root).load("valid")


def test_a_changed_label_or_box_changes_the_identity(manual):
    def relabel(rows):
        rows[1][6] = "5"

    def move(rows):
        rows[2][1] = "31"

    seen = [str(AffectNet(manual.root).identity("valid"))]
    for change in (relabel, move):
        edit(list_of(manual), change)
        seen.append(str(AffectNet(manual.root).identity("valid")))
    seen.append(str(AffectNet(manual.root, strict=True).identity("valid")))
    seen.append(str(AffectNet(manual.root).identity("train")))
    assert len(set(seen)) == len(seen)


# The 8-label release


@pytest.mark.parametrize("dtype", ["U", "S", "float64", "float32", "int64", "uint8"])
def test_labels_of_every_type(tmp_path, dtype):
    for value in ("0", "7"):
        np.save(tmp_path / "5_exp.npy", np.array(value).astype(dtype))
        assert read_code(tmp_path / "5_exp.npy") == value


def test_a_label_in_brackets_or_with_decimals(tmp_path):
    for array in (np.array("3.0"), np.array(["3"]), np.array([3.0]), np.array([[3]])):
        np.save(tmp_path / "5_exp.npy", array)
        assert read_code(tmp_path / "5_exp.npy") == "3"


def damage_gone(path):
    path.unlink()


def damage_empty(path):
    path.write_bytes(b"")


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:100])


def damage_pickled(path):
    np.save(path, np.array(3, dtype=object), allow_pickle=True)


def damage_two(path):
    np.save(path, np.array([3, 4]))


def damage_half(path):
    np.save(path, np.array("3.5"))


def damage_archive(path):
    with path.open("wb") as stream:
        np.savez(stream, code=np.array("3"))


def damage_half_archive(path):
    path.write_bytes(b"PK\x03\x04 and no more of a zip file")


def damage_letter(path):
    content = bytearray(path.read_bytes())
    content[-4:] = b"\xff" * 4
    path.write_bytes(content)


def damage_nan(path):
    np.save(path, np.array(np.nan))


@pytest.mark.parametrize(
    "damage",
    [
        damage_gone,
        damage_empty,
        damage_cut,
        damage_pickled,
        damage_two,
        damage_half,
        damage_nan,
        damage_archive,
        damage_half_archive,
        damage_letter,
    ],
)
def test_an_unreadable_label_is_counted_or_refused(tmp_path, damage):
    written = write_affectnet_8label(tmp_path)
    damage(tmp_path / "val_set" / "annotations" / "6_exp.npy")
    table = AffectNet8Label(tmp_path).load("valid")
    assert len(table) == len(written.kept["valid"]) - 1
    assert [line.split(": ")[0] for line in table.skipped] == ["valid/6.jpg"]
    with pytest.raises(InputError, match="6_exp"):
        AffectNet8Label(tmp_path, strict=True).load("valid")


def test_codes_without_meaning_are_all_named(tmp_path):
    write_affectnet_8label(tmp_path)
    for number, code in ((2, "12"), (5, "-1")):
        np.save(tmp_path / "val_set" / "annotations" / f"{number}_exp.npy", np.array(code))
    with pytest.raises(InputError, match="'-1', '12'"):
        AffectNet8Label(tmp_path).load("valid")


def test_codes_that_are_no_emotion_are_left_out(tmp_path):
    write_affectnet_8label(tmp_path)
    for number, code in ((2, "8"), (5, "10"), (6, "10")):
        np.save(tmp_path / "val_set" / "annotations" / f"{number}_exp.npy", np.array(code))
    told = messages(lambda: AffectNet8Label(tmp_path).load("valid"))
    assert any("left out of valid: 2 no-face, 1 none" in line for line in told)
    assert len(AffectNet8Label(tmp_path).load("valid")) == 13


def test_pictures_come_by_number_not_by_name(tmp_path):
    write_affectnet_8label(tmp_path)
    names = [identity.split("/")[1] for identity in AffectNet8Label(tmp_path).load("train").ids]
    assert names == [f"{i}.jpg" for i in range(24)]


def test_a_label_of_equal_size_changes_the_identity(tmp_path):
    write_affectnet_8label(tmp_path)
    before = AffectNet8Label(tmp_path).identity("valid")
    path = tmp_path / "val_set" / "annotations" / "6_exp.npy"
    size, code = path.stat().st_size, int(np.load(path))
    np.save(path, np.array(str((code + 1) % 8)))
    assert path.stat().st_size == size
    assert AffectNet8Label(tmp_path).identity("valid") != before


def test_published_counts_add_up():
    assert (sum(PUBLISHED["train"]), sum(PUBLISHED["valid"])) == (287_651, 3_999)
    by_code = dict(zip(OFFICIAL, (74874, 134415, 25459, 14090, 6378, 3803, 24882, 3750),
                       strict=True))  # fmt: skip
    assert PUBLISHED["train"] == tuple(by_code[name] for name in EMOTIONS)
    assert PUBLISHED["valid"][EMOTIONS.index("contempt")] == 499


@pytest.mark.parametrize("module", [affectnet_8label, affectnet_folders])
def test_published_counts_are_silent_others_are_told_and_mixed_up_ones_refused(
    module, tmp_path, monkeypatch
):
    name = module.__name__.rsplit(".", 1)[1]
    corpus, write = FORMS[name]
    written = write(tmp_path / name)
    told = messages(lambda: corpus(written.root).load("valid"))
    assert any("16 pictures" in line and "499 contempt" in line for line in told)
    monkeypatch.setattr(module, "PUBLISHED", {"valid": (2,) * 8})
    assert messages(lambda: corpus(written.root).load("valid")) == []
    if name == "affectnet_folders":
        write_plain(written.root / "val" / "3" / "one_more.jpg", 9)
        monkeypatch.setattr(module, "PUBLISHED", {"valid": (2, 2, 3, 2, 2, 2, 2, 2)})
        assert messages(lambda: corpus(written.root).load("valid")) == []
        monkeypatch.setattr(module, "PUBLISHED", {"valid": (2, 3, 2, 2, 2, 2, 2, 2)})
        with pytest.raises(InputError, match="mixed up"):
            corpus(written.root).load("valid")


# Class folders

NAMED = {
    "Anger": "anger",
    "contemptuous": "contempt",
    "Disgust": "disgust",
    "fearful": "fear",
    "happy": "happiness",
    "Neutrality": "neutral",
    "SAD": "sadness",
    "Surprised": "surprise",
}


@pytest.mark.parametrize("valid", ["val", "valid", "Validation", "test"])
def test_named_folders_are_read_by_name(tmp_path, valid):
    written = write_affectnet_folders(tmp_path, NAMED, valid=valid)
    for split in ("train", "valid"):
        table = AffectNetFolders(tmp_path).load(split)
        kept = written.kept[split]
        assert table.ids.tolist() == [picture.id for picture in kept]
        assert [EMOTIONS[label] for label in table.labels] == [p.emotion for p in kept]
        by_sorted_order = [OFFICIAL[sorted(NAMED).index(p.id.split("/")[1])] for p in kept]
        assert by_sorted_order != [p.emotion for p in kept]  # what ImageFolder would make of it


def test_a_copy_of_seven_emotions_has_no_contempt(tmp_path):
    write_affectnet_folders(tmp_path, {str(c): name for c, name in enumerate(OFFICIAL[:7])})
    table = AffectNetFolders(tmp_path).load("train")
    assert table.class_counts.tolist() == [3, 3, 3, 3, 3, 3, 3, 0]


def test_an_empty_class_folder_has_no_pictures(tmp_path):
    write_affectnet_folders(tmp_path)
    for path in (tmp_path / "val" / "4").glob("*.jpg"):
        path.unlink()
    counts = AffectNetFolders(tmp_path).load("valid").class_counts
    assert counts[EMOTIONS.index("fear")] == 0
    assert counts.sum() == 14


def test_folders_that_are_no_emotion_are_left_out(tmp_path):
    write_affectnet_folders(tmp_path, NAMED)
    for folder in ("None", "Uncertain", "No Face"):
        write_plain(tmp_path / "val" / folder / "a.jpg", 9)
    told = messages(lambda: AffectNetFolders(tmp_path).load("valid"))
    assert any("1 No Face, 1 None, 1 Uncertain" in line for line in told)
    assert len(AffectNetFolders(tmp_path).load("valid")) == 16


@pytest.mark.parametrize(
    ("folders", "named"),
    [
        ({"0": "neutral", "happy": "happiness"}, "mixes numbers and names: 0, happy"),
        ({"happy": "", "zeal": "", "boredom": ""}, "'boredom', 'zeal'"),
        ({"0": "", "11": "", "12": ""}, "'11', '12'"),
        ({str(code): "" for code in range(1, 9)}, "without 0"),
        ({"happy": "", "Joy": ""}, "Joy, happy"),
        ({"1": "", "01": "", "0": ""}, "01, 1"),
    ],
)
def test_folders_that_are_not_classes(tmp_path, folders, named):
    write_affectnet_folders(tmp_path, folders, n_train=1, n_valid=1)
    with pytest.raises(InputError, match=named):
        AffectNetFolders(tmp_path).load("train")


def test_a_split_without_class_folders(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(InputError, match="no class folder"):
        AffectNetFolders(tmp_path).load("train")
    with pytest.raises(InputError, match="no folder val or valid"):
        AffectNetFolders(tmp_path).load("valid")


# labels.csv


@pytest.fixture
def mini(tmp_path):
    return write_affectnet_mini(tmp_path / "mini")


def test_the_table_wins_over_the_folder_and_the_difference_is_told(mini):
    table = AffectNetMini(mini.root).load("valid")
    assert table.ids[0] == "row00000/anger/image0000000.jpg"
    assert EMOTIONS[table.labels[0]] == "contempt"
    told = messages(lambda: AffectNetMini(mini.root).load("valid"))
    assert sum("2 of 24 pictures lie in the folder of another class" in t for t in told) == 1


def test_the_caveat_is_told_once_a_load_and_not_for_the_identity(mini):
    told = messages(lambda: AffectNetMini(mini.root).load("valid"))
    assert sum("not an official split" in line for line in told) == 1
    assert messages(lambda: AffectNetMini(mini.root).identity("valid")) == []


def test_the_mini_set_is_for_testing_only(mini):
    with pytest.raises(InputError, match="'train'"):
        AffectNetMini(mini.root).load("train")


def two_unknown(rows):
    rows[1][2], rows[5][2] = "awe", "boredom"


def column_gone(rows):
    for row in rows:
        del row[2]


def absolute(rows):
    rows[4][1] = "/elsewhere/x.jpg"


@pytest.mark.parametrize(
    ("change", "named"),
    [(two_unknown, "'awe', 'boredom'"), (column_gone, "'label'"), (absolute, "line 5")],
)
def test_labels_csv_that_does_not_parse(mini, change, named):
    edit(mini.root / "labels.csv", change)
    with pytest.raises(InputError, match=named):
        AffectNetMini(mini.root).load("valid")


def test_a_label_that_is_no_emotion_is_left_out(mini):
    def change(rows):
        rows[3][2] = "None"

    edit(mini.root / "labels.csv", change)
    told = messages(lambda: AffectNetMini(mini.root).load("valid"))
    assert any("left out of valid: 1 none" in line for line in told)
    assert len(AffectNetMini(mini.root).load("valid")) == 23


def test_a_folder_that_says_nothing_does_not_disagree(mini):
    (mini.root / "pictures").mkdir()
    mini.kept["valid"][0].path.rename(mini.root / "pictures" / "image0000000.jpg")

    def change(rows):
        rows[1][1] = "pictures/image0000000.jpg"

    edit(mini.root / "labels.csv", change)
    told = messages(lambda: AffectNetMini(mini.root).load("valid"))
    assert any("1 of 24 pictures lie" in line for line in told)
