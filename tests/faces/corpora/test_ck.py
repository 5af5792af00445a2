"""CK+ read from its official tree, from class folders and from text, traps included."""

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora.ck import CkPlus
from neurogaze.faces.corpora.ck48 import PUBLISHED as OF_FOLDERS
from neurogaze.faces.corpora.ck48 import CkPlus48
from neurogaze.faces.corpora.ck_tree import SEQUENCES as PER_EMOTION
from neurogaze.faces.corpora.ck_tree import face_box, read_points
from neurogaze.faces.corpora.ckextended import PUBLISHED, CkExtended
from neurogaze.faces.store import prepare
from tests.fixtures.ck import (
    BY_CODE,
    MIDDLE,
    SEQUENCES,
    save,
    write_ckextended,
    write_ckplus,
    write_ckplus48,
)

CORPORA = {"ckplus": CkPlus, "ckplus48": CkPlus48, "ckextended": CkExtended}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in CORPORA:
        monkeypatch.delenv(f"NEUROGAZE_{name.upper()}", raising=False)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return write_ckplus(tmp_path_factory.mktemp("ckplus"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return write_ckplus48(tmp_path_factory.mktemp("ckplus48"))


@pytest.fixture
def own(tmp_path):
    return write_ckplus(tmp_path / "ckplus")


def named(table):
    return [EMOTIONS[label] for label in table.labels]


@pytest.mark.parametrize("frames", [1, 3])
def test_the_last_frames_have_the_emotion_of_their_sequence(tree, frames):
    table = CkPlus(tree.root, frames=frames).load("valid")
    assert len(table) == frames * len(SEQUENCES)
    expected = []
    for (subject, number), (code, n) in SEQUENCES.items():
        for frame in range(n - frames + 1, n + 1):
            sample = f"{subject}/{number}/{subject}_{number}_{frame:08d}"
            expected.append((sample, BY_CODE[code], subject, f"{subject}_{number}"))
    found = zip(
        table.ids.tolist(),
        named(table),
        table.subjects.tolist(),
        table.sequences.tolist(),
        strict=True,
    )
    assert list(found) == sorted(expected)
    assert table.skipped == ()


def test_the_first_frame_is_neutral_if_wanted(tree):
    table = CkPlus(tree.root, frames=1, neutral=True).load("valid")
    firsts = [identity.endswith("_00000001") for identity in table.ids]
    assert [name == "neutral" for name in named(table)] == firsts
    assert sum(firsts) == len(SEQUENCES)
    assert table.rule != CkPlus(tree.root, frames=1).load("valid").rule


def test_a_frame_never_has_two_labels(own):
    images = own.root / "cohn-kanade-images" / "S010" / "004"
    for path in sorted(images.glob("S*.png"))[1:]:
        path.unlink()
    table = CkPlus(own.root, frames=1, neutral=True).load("valid")
    held = [name for name, s in zip(named(table), table.sequences, strict=True) if s == "S010_004"]
    assert held == ["anger"]


def test_the_face_is_cut_out_by_its_points(tree, recwarn):
    table = CkPlus(tree.root).load("valid")
    assert not recwarn
    assert table.note == ""
    assert table.images.shape[1:] == (48, 48)
    for image, sample in zip(table.images, table.ids.tolist(), strict=True):
        np.testing.assert_array_equal(image, np.full((48, 48), tree.levels[sample]))


def test_without_points_the_middle_square_is_taken_and_told(tmp_path):
    written = write_ckplus(tmp_path / "ckplus", landmarks=False)
    with pytest.warns(UserWarning, match=r"21 of 21 frames have no landmarks.*middle"):
        table = CkPlus(written.root).load("valid")
    assert table.note.startswith("21 of 21 frames have no landmarks, first S005/001/S005_001_")
    assert (table.images[:, -1, 0] == MIDDLE).all()
    assert (table.images[:, 24, 24] != MIDDLE).all()


def test_some_frames_without_points(own):
    sample = "S010/001/S010_001_00000005"
    (own.root / "Landmarks" / f"{sample}_landmarks.txt").unlink()
    with pytest.warns(UserWarning, match=f"1 of 21 frames have no landmarks, first {sample}"):
        CkPlus(own.root).load("valid")


def test_archives_leave_folders_around_the_trees(tree, tmp_path):
    wrapped = write_ckplus(tmp_path / "ckplus", wrapped=True)
    assert CkPlus(wrapped.root).load("valid").sha256 == CkPlus(tree.root).load("valid").sha256


def test_people_are_one_unit(tree):
    table = CkPlus(tree.root).load("valid")
    people = {subject for subject, _ in SEQUENCES}
    assert len(set(table.units.tolist())) == len(people)


@pytest.mark.parametrize("text", ["", "anger", "8.0000000e+00", "2.5", "-1.0", "nan", "inf"])
def test_a_label_that_does_not_parse_names_its_file(own, text):
    file = own.root / "Emotion" / "S010" / "001" / "S010_001_00000005_emotion.txt"
    file.write_text(text)
    with pytest.raises(InputError, match="S010_001_00000005_emotion"):
        CkPlus(own.root).load("valid")


def test_two_labels_of_one_sequence(own):
    folder = own.root / "Emotion" / "S010" / "001"
    (folder / "S010_001_00000004_emotion.txt").write_text("  2.0")
    CkPlus(own.root).load("valid")
    (folder / "S010_001_00000004_emotion.txt").write_text("  7.0")
    with pytest.raises(InputError, match="2 and 7"):
        CkPlus(own.root).load("valid")


def damage_picture(root):
    path = root / "cohn-kanade-images" / "S022" / "001" / "S022_001_00000005.png"
    path.write_bytes(path.read_bytes()[:100])


def damage_points(root):
    path = root / "Landmarks" / "S022" / "001" / "S022_001_00000005_landmarks.txt"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def lift_points(root):
    path = root / "Landmarks" / "S022" / "001" / "S022_001_00000005_landmarks.txt"
    path.write_text("   9.0e+03   9.0e+03\n" * 67 + "   9.1e+03   9.1e+03\n")


@pytest.mark.parametrize("damage", [damage_picture, damage_points, lift_points])
def test_what_cannot_be_read_is_counted_or_refused(own, damage):
    damage(own.root)
    with pytest.warns(UserWarning, match="1 pictures could not be read"):
        table = CkPlus(own.root).load("valid")
    assert len(table) == 20
    assert table.skipped[0].startswith("S022/001/S022_001_00000005: ")
    with pytest.raises(InputError, match="S022_001_00000005"):
        CkPlus(own.root, strict=True).load("valid")


def test_a_labelled_sequence_without_frames_is_counted_or_refused(own):
    folder = own.root / "cohn-kanade-images" / "S999" / "001"
    for path in folder.iterdir():
        path.unlink()
    for _ in range(2):  # an empty folder, then none
        with pytest.warns(UserWarning, match="holds no frame"):
            table = CkPlus(own.root).load("valid")
        assert len(table) == 18
        with pytest.raises(InputError, match=r"S999.001: holds no frame"):
            CkPlus(own.root, strict=True).load("valid")
        if folder.exists():
            folder.rmdir()


def test_missing_trees_name_their_places(tmp_path):
    with pytest.raises(InputError, match="cohn-kanade-images"):
        CkPlus(tmp_path).load("valid")
    (tmp_path / "cohn-kanade-images").mkdir()
    with pytest.raises(InputError, match="Emotion_labels"):
        CkPlus(tmp_path).load("valid")
    (tmp_path / "Emotion").mkdir()
    with pytest.raises(InputError, match="labels no sequence"):
        CkPlus(tmp_path).load("valid")


def test_points_that_are_no_points(tmp_path):
    path = tmp_path / "points.txt"
    for text in ("1 2\n" * 67, "1 2 3\n" * 68, "1 x\n" * 68, "1 nan\n" * 68, "1 2\n3\n"):
        path.write_text(text)
        with pytest.raises(InputError, match=r"points\.txt"):
            read_points(path)


def test_published_numbers_of_the_three_forms():
    assert (sum(PER_EMOTION), sum(OF_FOLDERS), sum(PUBLISHED)) == (327, 981, 920)


def test_labels_in_another_order_are_found_out(tmp_path):
    """Every sequence of the release, its label one code further; a code of 8 becomes 1."""
    order = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
    number = 0
    (tmp_path / "cohn-kanade-images").mkdir()
    for code, name in enumerate(order, start=1):
        for _ in range(PER_EMOTION[EMOTIONS.index(name)]):
            number += 1
            folder = tmp_path / "Emotion" / f"S{number:03d}" / "001"
            folder.mkdir(parents=True)
            (folder / f"S{number:03d}_001_00000009_emotion.txt").write_text(f" {code % 7 + 1}.0")
    assert number == 327
    with pytest.raises(InputError, match="the classes are mixed up"):
        CkPlus(tmp_path, frames=1).load("valid")


def test_the_box_leaves_room_for_the_forehead():
    left, top, width, height = face_box(np.array([[0.0, 0.0], [200.0, 100.0]]))
    assert (left, left + width) == pytest.approx((-10.0, 210.0))
    assert (top, top + height) == pytest.approx((-30.0, 105.0))


def test_another_number_of_frames():
    with pytest.raises(InputError, match="is 2"):
        CkPlus(frames=2)


# --- class folders ---------------------------------------------------------------------------


def test_ck48_names_people_by_its_files(folders):
    table = CkPlus48(folders.root).load("valid")
    assert len(table) == 3 * len(SEQUENCES)
    assert table.ids.tolist() == sorted(folders.levels)
    assert table.images[:, 0, 0].tolist() == [
        folders.levels[sample] for sample in sorted(table.ids)
    ]
    codes = [SEQUENCES[tuple(sample.split("/")[:2])][0] for sample in table.ids.tolist()]
    assert named(table) == [BY_CODE[code] for code in codes]
    assert table.class_counts[EMOTIONS.index("neutral")] == 0
    assert table.subjects.tolist() == [sample.split("/")[0] for sample in table.ids.tolist()]
    assert table.sequences.tolist() == ["_".join(s.split("/")[:2]) for s in table.ids.tolist()]


def test_ck48_and_the_tree_agree_on_who_shows_what(folders, tree):
    ours, theirs = CkPlus48(folders.root).load("valid"), CkPlus(tree.root).load("valid")
    for name in ("ids", "labels", "subjects", "sequences"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def test_ck48_root_may_be_the_folder_itself(folders):
    inner = CkPlus48(folders.root / "CK+48").load("valid")
    assert inner.sha256 == CkPlus48(folders.root).load("valid").sha256


def test_ck48_lists_every_unknown_class(tmp_path):
    root = write_ckplus48(tmp_path).root / "CK+48"
    (root / "fear").rename(root / "awe")
    (root / "happy").rename(root / "bliss")
    with pytest.raises(InputError, match=r"awe.*bliss"):
        CkPlus48(root).load("valid")


def test_ck48_file_without_a_person(tmp_path):
    root = write_ckplus48(tmp_path).root / "CK+48"
    save(root / "fear" / "face1.png", np.zeros((48, 48), dtype=np.uint8))
    with pytest.raises(InputError, match=r"face1.*S010_004_00000017"):
        CkPlus48(root).load("valid")


def test_ck48_picture_in_two_classes(tmp_path):
    root = write_ckplus48(tmp_path).root / "CK+48"
    path = next((root / "fear").glob("*.png"))
    (root / "anger" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="is also in anger"):
        CkPlus48(root).load("valid")


def test_ck48_class_that_is_no_emotion_is_left_out_and_counted(tmp_path):
    root = write_ckplus48(tmp_path).root / "CK+48"
    (root / "fear").rename(root / "none")
    with pytest.warns(UserWarning, match="left out of valid: 3 none"):
        table = CkPlus48(root).load("valid")
    assert len(table) == 18
    assert "fear" not in named(table)


def test_ck48_two_folders_of_one_emotion(tmp_path):
    root = write_ckplus48(tmp_path).root / "CK+48"
    (root / "fear").rename(root / "angry")
    with pytest.raises(InputError, match="several folders of one emotion: anger, angry"):
        CkPlus48(root).load("valid")


def test_ck48_numbers_mean_nothing(tmp_path):
    """Copies number the classes as they please; the codes of CK+ would call anger neutral."""
    root = write_ckplus48(tmp_path).root / "CK+48"
    for number, folder in enumerate(sorted(root.glob("[a-z]*"))):
        folder.rename(root / str(number))
    with pytest.raises(InputError, match=r"numbered folders: 0, 1, .*after its emotion"):
        CkPlus48(root).load("valid")


def test_ck48_damaged_picture(tmp_path):
    root = write_ckplus48(tmp_path).root
    next((root / "CK+48" / "fear").glob("*.png")).write_text("no picture")
    with pytest.warns(UserWarning, match="1 pictures"):
        assert len(CkPlus48(root).load("valid")) == 20
    with pytest.raises(InputError, match="not a picture"):
        CkPlus48(root, strict=True).load("valid")


# --- text --------------------------------------------------------------------------------------


def test_ckextended_has_the_order_of_fer2013_and_keeps_every_usage(tmp_path):
    table = CkExtended(write_ckextended(tmp_path).parent).load("valid")
    order = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt"]
    assert named(table) == order * 2
    assert table.images[:, 5, 5].tolist() == list(range(16))
    assert (table.subjects, table.sequences) == (None, None)


def edited(path, row, change):
    lines = path.read_text().splitlines()
    lines[row] = change(lines[row])
    path.write_text("\n".join(lines) + "\n")
    return path.parent


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda line: line.replace(" 3", " x", 1), "no whole number"),
        (lambda line: line.replace(" 3", "", 1), "2303 pixels"),
        (lambda line: line.replace(" 3", " 256", 1), "to 256"),
        (lambda line: line.replace(" 3", " -1", 1), "from -1"),
        (lambda line: "3", "0 pixels"),
    ],
)
def test_ckextended_rows_that_do_not_parse_are_counted_or_refused(tmp_path, change, reason):
    root = edited(write_ckextended(tmp_path), 4, change)
    with pytest.warns(UserWarning, match="1 pictures"):
        table = CkExtended(root).load("valid")
    assert len(table) == 15
    assert table.skipped[0].startswith("row00003: ")
    assert reason in table.skipped[0]
    with pytest.raises(InputError, match=f"row 5.*{reason}"):
        CkExtended(root, strict=True).load("valid")


def test_ckextended_numbered_as_ckplus_is_found_out(tmp_path):
    """The published numbers of pictures, under the codes of CK+ in place of those of FER2013."""
    order = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
    counts = [PUBLISHED[EMOTIONS.index(name)] for name in order]
    pixels = " ".join(["7"] * 48 * 48)
    rows = [f"{code},{pixels}" for code, n in enumerate(counts) for _ in range(n)]
    (tmp_path / "ckextended.csv").write_text("\n".join(["emotion,pixels", *rows]))
    assert len(rows) == 920
    with pytest.raises(InputError, match="the classes are mixed up: 28 neutral"):
        CkExtended(tmp_path).load("valid")


@pytest.mark.parametrize("code", ["8", "-1", "bliss", ""])
def test_ckextended_class_that_is_none(tmp_path, code):
    root = edited(write_ckextended(tmp_path), 4, lambda line: code + line[1:])
    with pytest.raises(InputError, match="row 5"):
        CkExtended(root).load("valid")


@pytest.mark.parametrize("text", ["", "emotion,pixels,Usage\n", "emotion,Usage\n1,Training\n"])
def test_ckextended_that_is_no_such_table(tmp_path, text):
    (tmp_path / "ckextended.csv").write_text(text)
    with pytest.raises(InputError, match=r"ckextended\.csv"):
        CkExtended(tmp_path).load("valid")
    (tmp_path / "ckextended.csv").unlink()
    with pytest.raises(InputError, match=r"ckextended\.csv"):
        CkExtended(tmp_path).load("valid")


# --- all forms ---------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path):
    write_ckplus(tmp_path / "ckplus")
    write_ckplus48(tmp_path / "ckplus48")
    write_ckextended(tmp_path / "ckextended")
    return tmp_path


@pytest.mark.parametrize("name", CORPORA)
def test_roots_come_from_the_environment(written, name, monkeypatch):
    with pytest.raises(InputError, match=f"NEUROGAZE_{name.upper()}"):
        CORPORA[name]().load("valid")
    monkeypatch.setenv(f"NEUROGAZE_{name.upper()}", str(written / name))
    assert CORPORA[name]().load("valid").dataset == name


@pytest.mark.parametrize("name", CORPORA)
def test_it_is_a_test_set(written, name):
    corpus = CORPORA[name](written / name)
    for call in (corpus.load, corpus.identity):
        with pytest.raises(InputError, match="test set"):
            call("train")
    table = corpus.load("valid")
    np.testing.assert_array_equal(table.votes, np.eye(8)[table.labels])


@pytest.mark.parametrize("name", CORPORA)
def test_the_stored_copy_is_the_table(written, name):
    corpus = CORPORA[name](written / name)
    stored = prepare(corpus, "valid", written / "store", progress=False)
    assert stored.sha256 == corpus.load("valid").sha256
    assert stored.keys == (() if name == "ckextended" else ("subjects", "sequences"))


def test_identity_follows_what_the_table_depends_on(written):
    def plus(**options):
        return CkPlus(written / "ckplus", **options).identity("valid")

    seen = [plus(), plus(frames=1), plus(neutral=True), plus(strict=True)]
    assert plus() == seen[0]
    label = written / "ckplus" / "Emotion" / "S999" / "001" / "S999_001_00000004_emotion.txt"
    label.write_text("  1.0")
    seen.append(plus())
    points = written / "ckplus" / "Landmarks" / "S999" / "001" / "S999_001_00000004_landmarks.txt"
    points.unlink()
    seen.append(plus())
    forty = CkPlus48(written / "ckplus48")
    seen.append(forty.identity("valid"))
    next((written / "ckplus48" / "CK+48" / "fear").glob("*.png")).unlink()
    seen.append(forty.identity("valid"))
    extended = CkExtended(written / "ckextended")
    seen.append(extended.identity("valid"))
    edited(written / "ckextended" / "ckextended.csv", 1, lambda line: "1" + line[1:])
    seen.append(extended.identity("valid"))
    assert len({str(sorted(identity.items())) for identity in seen}) == len(seen)
