"""Nothing that a run writes may take the place of what it reads."""

from pathlib import Path

import pytest

from neurogaze.cli import main
from neurogaze.deploy.targets import check_fresh, check_not_read, check_targets, place_of, same
from neurogaze.errors import InputError


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of pictures in a folder with others, a video, and links to both."""
    (tmp_path / "pics" / "2020").mkdir(parents=True)
    for name in ("pics/a.png", "pics/2020/a.png", "mine.mp4", "faces.csv"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "link.mp4").symlink_to("mine.mp4")
    (tmp_path / "hard.mp4").hardlink_to(tmp_path / "mine.mp4")
    (tmp_path / "door").symlink_to("pics", target_is_directory=True)
    (tmp_path / "shown.mp4").write_bytes(b"an older one")
    (tmp_path / "dir.mp4").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "annotated", "words"),
    [
        ("mine.mp4", "mine.mp4", "is what is read"),
        ("mine.mp4", "pics/../mine.mp4", "is what is read"),
        ("mine.mp4", "link.mp4", "is what is read"),
        ("mine.mp4", "hard.mp4", "is what is read"),
        ("pics/2020", "pics", "holds what is read"),
        ("pics/2020", "door", "holds what is read"),
        ("pics/2020", ".", "holds what is read"),
        ("pics/2020/a.png", "pics/2020", "holds what is read"),
        ("pics", "pics", "is what is read"),
        ("pics", "door", "is what is read"),
        ("pics", "door/shown/new", "lies in the folder"),
        ("pics", "faces.csv", "is the table"),
        ("mine.mp4", "dir.mp4", "is a folder"),
    ],
)
def test_drawings_that_would_replace_what_is_read(place, source, annotated, words):
    with pytest.raises(InputError, match=words):
        check_targets(Path(source), Path("faces.csv"), Path(annotated))


@pytest.mark.parametrize("annotated", [None, "new", "pics/2020/shown", "shown.mp4", "new.mp4"])
def test_drawings_that_replace_nothing_but_an_older_video(place, annotated):
    for source in (Path("mine.mp4"), Path("pics/2020/a.png"), None):
        check_targets(source, Path("faces.csv"), Path(annotated) if annotated else None)
        check_fresh(Path(annotated) if annotated else None)


def test_a_table_over_its_source(place):
    for out in ("faces.csv", "pics/../faces.csv"):
        with pytest.raises(InputError, match="is what is read"):
            check_targets(Path("faces.csv"), Path(out), None)


def test_a_folder_of_drawings_is_new_or_empty(place):
    with pytest.raises(InputError, match="not empty"):
        check_fresh(Path("pics"))
    (place / "shown").mkdir()
    (place / "shown" / ".DS_Store").write_text("")
    check_fresh(Path("shown"))


def test_places_that_are_not_there(place):
    assert same(Path("gone"), place / "gone")
    assert not same(Path("gone"), Path("mine.mp4"))


@pytest.mark.parametrize(
    ("source", "out", "annotated"),
    [
        ("loop", "f.csv", None),
        ("loop/a.png", "f.csv", None),
        ("pics", "loop", None),
        (None, "loop", None),
        ("pics", "loop/f.csv", None),
        ("pics", "f.csv", "there"),
        (None, "f.csv", "here"),
    ],
)
def test_links_in_a_circle_are_refused_wherever_they_stand(place, source, out, annotated):
    for name, target in (("loop", "loop"), ("here", "there"), ("there", "here")):
        (place / name).symlink_to(target)
    given = [None if name is None else Path(name) for name in (source, out, annotated)]
    with pytest.raises(InputError, match=r"^(loop|there|here)\S*: is reached by links"):
        check_targets(*given)


def test_a_place_is_where_links_lead_be_it_there_or_not(place):
    assert place_of(Path("door/2020")) == place / "pics" / "2020"
    assert place_of(Path("door/gone/x")) == place / "pics" / "gone" / "x"


def test_a_file_that_is_read_is_not_written(place):
    for out in ("mine.mp4", "pics/../mine.mp4", "link.mp4", "hard.mp4"):
        with pytest.raises(InputError, match=r"mp4: is what is read\. Remedy: give --out another"):
            check_not_read(Path(out), [Path("faces.csv"), Path("gone"), Path("mine.mp4")])
    check_not_read(Path("new.mp4"), [Path("faces.csv"), Path("gone"), Path("mine.mp4")])


@pytest.mark.parametrize(
    "out",
    [
        *("student.onnx", "./student.onnx", "link", "temperature.json"),
        *("one/results.jsonl", "two/results.jsonl", "two/predictions.parquet"),
    ],
)
def test_a_card_over_what_it_is_made_from(tmp_path, monkeypatch, capsys, out):
    monkeypatch.chdir(tmp_path)
    names = ["student.onnx", "temperature.json"]
    names += [f"{f}/{n}" for f in ("one", "two") for n in ("results.jsonl", "predictions.parquet")]
    for name in names:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(name)
    Path("link").symlink_to("student.onnx")
    results = "--results=[one/results.jsonl,two/results.jsonl]"
    given = ["card", "student.onnx", results, "--calibration=temperature.json", f"--out={out}"]
    assert main(given) == 2
    told = f"{Path(out)}: is what is read. Remedy: give --out another name.\n"
    assert capsys.readouterr().err.endswith(told)
    assert [Path(name).read_text() for name in names] == names
