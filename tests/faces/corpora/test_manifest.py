"""Manifests: headers by any of their names, labels by name alone, contradictions by their row."""

import shutil

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora.manifest import Manifest
from neurogaze.faces.store import prepare
from tests.fixtures.manifest import NAMES, write_manifest, write_pictures, write_rows

CANONICAL = [
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
]
AFFECTNET = ["Neutral", "Happy", "Sad", "Surprise", "Fear", "Disgust", "Anger", "Contempt", "None"]
PATH_HEADERS = ("image_path", "path", "img", "file", "filepath", "filename")
NAME_HEADERS = ("label_name", "class_name", "label_str")
NUMBER_HEADERS = ("label_id", "label", "cls", "class", "target", "y")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("NEUROGAZE_MANIFEST", raising=False)


@pytest.fixture
def paths(tmp_path):
    return write_pictures(tmp_path, 8)


def named(table):
    return [EMOTIONS[label] for label in table.labels]


def table_of(tmp_path, header, rows, **options):
    return Manifest(write_rows(tmp_path / "list.csv", header, rows), **options).load("valid")


@pytest.mark.parametrize("path", PATH_HEADERS)
@pytest.mark.parametrize("name", NAME_HEADERS)
def test_paths_and_names_by_any_header(tmp_path, paths, path, name):
    rows = list(zip(NAMES, paths, strict=True))
    table = table_of(tmp_path, [name.upper(), f" {path}"], rows)
    assert named(table) == CANONICAL
    assert table.ids.tolist() == paths
    assert table.images[:, 3, 3].tolist() == list(range(10, 18))
    assert table.images.shape[1:] == (48, 48)
    np.testing.assert_array_equal(table.votes, np.eye(8)[table.labels])


@pytest.mark.parametrize("header", NUMBER_HEADERS)
def test_numbers_mean_what_the_classes_say(tmp_path, paths, header):
    rows = [[path, number] for path, number in zip(paths, (0, 1, 2, 3, 4, 5, 6, 7), strict=True)]
    table = table_of(tmp_path, ["path", header], rows, classes=AFFECTNET)
    assert named(table)[:4] == ["neutral", "happiness", "sadness", "surprise"]
    assert named(table)[4:] == ["fear", "disgust", "anger", "contempt"]


def test_whole_numbers_with_a_point(tmp_path, paths):
    table = table_of(tmp_path, ["path", "y"], [[paths[0], "6.0"]], classes=AFFECTNET)
    assert named(table) == ["anger"]


@pytest.mark.parametrize("header", NUMBER_HEADERS)
def test_words_under_a_header_of_numbers_are_names(tmp_path, paths, header):
    table = table_of(tmp_path, ["path", header], [[paths[0], "sad"], [paths[1], "joy"]])
    assert named(table) == ["sadness", "happiness"]


def test_numbers_without_names_mean_nothing(tmp_path, paths):
    with pytest.raises(InputError, match=r"nothing says what they mean.*--data\.corpus\.classes"):
        table_of(tmp_path, ["path", "label"], [[paths[0], 3]])


@pytest.mark.parametrize("number", [9, -1])
def test_a_number_that_is_no_class(tmp_path, paths, number):
    rows = [[paths[0], 3], [paths[1], number]]
    with pytest.raises(InputError, match=f"row 3: label {number} is none of 0 Neutral"):
        table_of(tmp_path, ["path", "label"], rows, classes=AFFECTNET)


@pytest.mark.parametrize("cell", ["happy", "2.5", "", "nan"])
def test_numbers_and_words_in_one_column(tmp_path, paths, cell):
    rows = [[paths[0], 3], [paths[1], cell]]
    with pytest.raises(InputError, match="row 3, column 'label'"):
        table_of(tmp_path, ["path", "label"], rows, classes=AFFECTNET)


def test_name_and_number_that_agree_by_synonym(tmp_path, paths):
    rows = [[paths[0], 1, "happiness"], [paths[1], 6, "angry"]]
    header = ["path", "label_id", "label_name"]
    assert named(table_of(tmp_path, header, rows, classes=AFFECTNET)) == ["happiness", "anger"]


def test_name_and_number_that_disagree_with_the_classes(tmp_path, paths):
    rows = [[paths[0], 1, "happy"], [paths[1], 2, "surprise"]]
    with pytest.raises(InputError, match=r"row 3: is named 'surprise'.*'Sad'"):
        table_of(tmp_path, ["path", "label_id", "label_name"], rows, classes=AFFECTNET)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([[3, "sad"], [1, "happy"], [3, "fear"]], "row 4: label 3 is 'fear', and in row 2 'sad'"),
        ([[3, "sad"], [1, "happy"], [4, "Sad"]], "row 4: 'Sad' is label 4, and in row 2 3"),
    ],
)
def test_name_and_number_that_disagree_with_each_other(tmp_path, paths, rows, told):
    rows = [[path, *row] for path, row in zip(paths, rows, strict=False)]
    with pytest.raises(InputError, match=told):
        table_of(tmp_path, ["path", "label_id", "label_name"], rows)


def test_the_label_of_a_release_may_be_a_name_beside_its_number(tmp_path, paths):
    rows = [[paths[0], 3, "sad"], [paths[1], 0, "angry"]]
    assert named(table_of(tmp_path, ["path", "label_id", "label"], rows)) == ["sadness", "anger"]


def test_unknown_names_are_listed_all_at_once(tmp_path, paths):
    rows = [[paths[0], "sad"], [paths[1], "awe"], [paths[2], "zeal"], [paths[3], "awe"]]
    with pytest.raises(InputError, match="'awe', 'zeal'"):
        table_of(tmp_path, ["path", "label_name"], rows)
    with pytest.raises(InputError, match="'glee'"):
        table_of(tmp_path, ["path", "label"], [[paths[0], 0]], classes=["glee", "sad"])


def test_what_is_no_emotion_is_left_out_and_counted(tmp_path, paths):
    rows = [[p, n] for p, n in zip(paths, ("sad", "None", "No-Face", "None", "joy"), strict=False)]
    with pytest.warns(UserWarning, match="left out of valid: 1 No-Face, 2 None"):
        table = table_of(tmp_path, ["path", "label_name"], rows)
    assert named(table) == ["sadness", "happiness"]


def test_splits_are_those_of_the_column(tmp_path):
    corpus = Manifest(write_manifest(tmp_path, n=24))
    assert corpus.splits == ("train", "valid")
    assert [len(corpus.load(split)) for split in corpus.splits] == [16, 8]
    assert corpus.load("valid").images[:, 0, 0].tolist() == list(range(26, 34))
    with pytest.raises(InputError, match=r"'test'.*train.*valid"):
        corpus.load("test")


def test_without_a_column_of_splits_it_is_a_test_set(tmp_path):
    corpus = Manifest(write_manifest(tmp_path, split=False))
    assert corpus.splits == ("valid",)
    assert len(corpus.load("valid")) == 24
    with pytest.raises(InputError, match=r"'train'.*valid"):
        corpus.identity("train")


def test_a_row_without_a_split(tmp_path, paths):
    rows = [[paths[0], "sad", "valid"], [paths[1], "sad", ""]]
    with pytest.raises(InputError, match="row 3, column 'split'"):
        table_of(tmp_path, ["path", "label_name", "split"], rows)


def test_people_and_recordings_are_kept(tmp_path, paths):
    rows = [[paths[0], "sad", "ann", "a1"], [paths[1], "joy", "ann", ""], [paths[2], "joy", "", ""]]
    table = table_of(tmp_path, ["path", "label_name", "subject", "sequence"], rows)
    assert table.subjects.tolist() == ["ann", "ann", ""]
    assert table.sequences.tolist() == ["a1", "", ""]
    assert len(set(table.units.tolist())) == 2
    assert table_of(tmp_path, ["path", "label_name"], [rows[0][:2]]).keys == ()


def test_paths_with_the_other_slash_or_from_the_top(tmp_path, paths):
    rows = [[paths[0].replace("/", "\\"), "sad"], [str(tmp_path / paths[1]), "joy"]]
    assert table_of(tmp_path, ["path", "label_name"], rows).images[:, 0, 0].tolist() == [10, 11]


def test_a_picture_listed_twice(tmp_path, paths):
    rows = [[paths[0], "sad"], [paths[1], "sad"], [paths[0], "joy"]]
    with pytest.raises(InputError, match=r"row 4: lists .*f000\.png again, after row 2"):
        table_of(tmp_path, ["path", "label_name"], rows)


@pytest.mark.parametrize("other", ["./{}", "faces/../{}", "faces//f000.png", "{slash}", "{top}"])
def test_a_picture_listed_twice_under_two_spellings(tmp_path, paths, other):
    """In training and in validation, with two labels."""
    first = paths[0]
    assert first == "faces/f000.png"
    top, slash = tmp_path / first, first.replace("/", "\\")
    rows = [[first, "sad", "train"], [other.format(first, slash=slash, top=top), "joy", "valid"]]
    with pytest.raises(InputError, match=r"row 3: lists .*f000\.png again, after row 2"):
        table_of(tmp_path, ["path", "label_name", "split"], rows)


def test_a_path_that_no_file_can_have_is_a_missing_picture(tmp_path, paths):
    rows = [[paths[0], "sad"], ["a\0b/c.png", "joy"]]
    corpus = Manifest(write_rows(tmp_path / "list.csv", ["path", "label_name"], rows))
    with pytest.warns(UserWarning, match="1 pictures could not be read"):
        assert len(prepare(corpus, "valid", tmp_path / "store", progress=False)) == 1


def test_a_missing_picture_is_counted_or_refused(tmp_path):
    path = write_manifest(tmp_path)
    (tmp_path / "faces" / "f003.png").unlink()
    with pytest.warns(UserWarning, match="1 pictures"):
        table = Manifest(path).load("train")
    assert (len(table), len(table.skipped)) == (15, 1)
    with pytest.raises(InputError, match="no such file"):
        Manifest(path, strict=True).load("train")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column of paths"),
        ("path,label_name\n", "has no row"),
        ("where,label_name\na.png,sad\n", "no column of paths"),
        ("path,split\na.png,valid\n", "no column of labels"),
        ("path,label_name\na.png\n", "row 2: has 1 cells"),
        ("path,label_name,path\na.png,sad,b.png\n", "twice"),
    ],
)
def test_a_table_that_does_not_parse(tmp_path, text, told):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(InputError, match=told):
        Manifest(tmp_path / "list.csv").load("valid")


def test_roots(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"NEUROGAZE_MANIFEST.*--data\.corpus\.root"):
        Manifest().load("valid")
    with pytest.raises(InputError, match="no such file"):
        Manifest(tmp_path).load("valid")
    (tmp_path / "list.txt").write_text("path,label_name\n")
    with pytest.raises(InputError, match=r"neither a CSV nor an NPZ"):
        Manifest(tmp_path / "list.txt").load("valid")
    monkeypatch.setenv("NEUROGAZE_MANIFEST", str(write_manifest(tmp_path)))
    assert Manifest(corpus_name="mine").load("valid").dataset == "mine"


def test_the_stored_copy_is_the_table_and_follows_its_files(tmp_path):
    path = write_manifest(tmp_path / "set")
    corpus = Manifest(path)
    stored = prepare(corpus, "train", tmp_path / "store", progress=False)
    assert stored.sha256 == corpus.load("train").sha256
    seen = [corpus.identity("train"), corpus.identity("valid")]
    seen.append(Manifest(path, classes=list(NAMES)).identity("train"))
    shutil.copy(tmp_path / "set" / "manifest.csv", tmp_path / "set" / "faces" / "f001.png")
    seen.append(corpus.identity("train"))
    path.write_text(path.read_text().replace("p1", "p9"))
    seen.append(corpus.identity("train"))
    assert len({str(sorted(identity.items())) for identity in seen}) == len(seen)


# --- arrays ------------------------------------------------------------------------------------


def write_npz(tmp_path, **arrays):
    np.savez(tmp_path / "set.npz", **arrays)
    return Manifest(tmp_path / "set.npz")


IMAGES = np.arange(8, dtype=np.uint8)[:, None, None].repeat(48, 1).repeat(48, 2)


def test_arrays_with_a_name_a_picture(tmp_path):
    table = write_npz(tmp_path, images=IMAGES, label_name=np.array(NAMES)).load("valid")
    assert named(table) == CANONICAL
    np.testing.assert_array_equal(table.images, IMAGES)
    assert table.ids.tolist() == [f"row{i:05d}" for i in range(8)]


@pytest.mark.parametrize("header", ["labels", *NUMBER_HEADERS])
def test_arrays_with_numbers_and_their_names(tmp_path, header):
    arrays = {header: np.arange(8)[::-1], "label_names": np.array(AFFECTNET)}
    table = write_npz(tmp_path, images=IMAGES, **arrays).load("valid")
    assert named(table)[:3] == ["contempt", "anger", "disgust"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (list(NAMES), "2 is 'Sad', and --data.corpus.classes 'surprise'"),
        (AFFECTNET[:8], "8 is 'None', and --data.corpus.classes 'nothing'"),
    ],
)
def test_given_classes_that_contradict_those_of_the_file(tmp_path, given, told):
    arrays = {"labels": np.arange(8), "label_names": np.array(AFFECTNET)}
    path = write_npz(tmp_path, images=IMAGES, **arrays).path
    with pytest.raises(InputError, match=told):
        Manifest(path, classes=given).load("valid")
    same = Manifest(path, classes=[name.lower() for name in AFFECTNET])
    assert named(same.load("valid"))[2] == "sadness"


def test_arrays_with_splits_and_people(tmp_path):
    arrays = {"split": np.array(["train"] * 5 + ["val"] * 3), "subject": np.arange(8) // 2}
    table = write_npz(tmp_path, images=IMAGES, labels=np.array(NAMES), **arrays).load("valid")
    assert table.ids.tolist() == ["row00005", "row00006", "row00007"]
    assert table.subjects.tolist() == ["2", "3", "3"]


def test_colour_becomes_luma(tmp_path):
    red = np.zeros((1, 48, 48, 3), dtype=np.uint8)
    red[..., 0] = 200
    table = write_npz(tmp_path, images=red, labels=np.array(["sad"])).load("valid")
    assert (table.images == round(0.299 * 200)).all()


def test_text_as_bytes(tmp_path):
    """As NumPy and HDF5 tools write it by default."""
    arrays = {
        "labels": np.array([b"happy", b"sad"]),
        "subject": np.array(["ann\u00e9".encode()] * 2),
    }
    table = write_npz(tmp_path, images=IMAGES[:2], **arrays).load("valid")
    assert named(table) == ["happiness", "sadness"]
    assert table.subjects.tolist() == ["ann\u00e9"] * 2
    with pytest.raises(InputError, match="no UTF-8"):
        write_npz(tmp_path, images=IMAGES[:1], labels=np.array([b"\xff"])).load("valid")


@pytest.mark.parametrize("axis", [1, 3])
def test_an_axis_of_one_channel_is_dropped(tmp_path, axis):
    images = np.expand_dims(IMAGES, axis)
    table = write_npz(tmp_path, images=images, labels=np.array(NAMES)).load("valid")
    np.testing.assert_array_equal(table.images, IMAGES)


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"labels": np.arange(8)}, "nothing says what they mean"),
        ({"labels": np.array(NAMES[:5])}, "'labels'"),
        ({"labels": np.array(NAMES), "images": IMAGES / 255.0}, "float64"),
        ({"labels": np.array(NAMES), "images": IMAGES[:, 0]}, r"shape \(8, 48\)"),
        ({"labels": np.array(NAMES, dtype=object)}, "plain arrays"),
        ({"labels": np.array(["sad"] * 7 + ["awe"])}, "'awe'"),
        ({}, "no column of labels"),
    ],
)
def test_arrays_that_cannot_be_used(tmp_path, arrays, told):
    with pytest.raises(InputError, match=told):
        write_npz(tmp_path, **{"images": IMAGES} | arrays).load("valid")


def test_arrays_without_pictures_or_no_archive(tmp_path):
    with pytest.raises(InputError, match="no array 'images'"):
        write_npz(tmp_path, faces=IMAGES).load("valid")
    (tmp_path / "set.npz").write_text("no archive")
    with pytest.raises(InputError, match=r"set\.npz"):
        Manifest(tmp_path / "set.npz").load("valid")


@pytest.mark.parametrize("letter", [0xFFFFFFFF, 0x110000, 0xD800, 0xDFFF])
@pytest.mark.parametrize("name", ["labels", "classes"])
def test_text_of_letters_that_do_not_exist(tmp_path, name, letter):
    damaged = np.array(NAMES)
    damaged.view(np.uint32)[5] = letter
    arrays = {"labels": np.arange(8)} | {name: damaged}
    with pytest.raises(InputError, match="letters that do not exist"):
        write_npz(tmp_path, images=IMAGES, **arrays).load("valid")


def test_text_of_another_byte_order(tmp_path):
    labels = np.array(NAMES).astype(">U9")
    assert named(write_npz(tmp_path, images=IMAGES, labels=labels).load("valid")) == CANONICAL
