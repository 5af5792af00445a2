"""From sources to rows: which way a source goes, the command, and what it refuses."""

import numpy as np
import pytest
from PIL import Image

from neurogaze.cli import main
from neurogaze.deploy.infer import infer
from neurogaze.deploy.infer_settings import InferSettings
from neurogaze.deploy.recogniser import BATCH
from neurogaze.deploy.video import Recording
from neurogaze.deploy.writing import read_faces
from neurogaze.errors import InputError
from tests.deploy.infer_fakes import Everything, Reel, clip_frames, paths, recogniser, write_clip


def picture(path, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_every_kind_of_source(tmp_path):
    (tmp_path / "folder").mkdir()
    one = picture(tmp_path / "folder" / "one.png")
    clip = write_clip(tmp_path / "clip.avi", clip_frames(paths(3)), 10, "MJPG")
    live = Recording("camera:0", Reel([np.zeros((48, 96, 3), np.uint8)] * 2), live=True)
    sources = {"one.png": one, "clip.avi": str(clip), "camera:0": live}
    for name, source in sources.items():
        out = tmp_path / f"{name.replace(':', '')}.csv"
        summary = infer(source, recogniser(), Everything(), out, progress=False)
        rows = list(read_faces(out))
        assert {row.file for row in rows} == {name}
        assert len(rows) == summary.faces == {"one.png": 1, "clip.avi": 3, "camera:0": 2}[name]
        assert (rows[0].frame is None) == (name == "one.png")
    infer(tmp_path / "folder", recogniser(), Everything(), tmp_path / "f.csv", progress=False)
    assert (tmp_path / "f.csv").read_bytes() == (tmp_path / "one.png.csv").read_bytes()


def test_what_cannot_be_used_at_all(tmp_path):
    (tmp_path / "empty").mkdir()
    source, out = picture(tmp_path / "a.png"), tmp_path / "faces.csv"
    bad = {
        "xlsx": (source, tmp_path / "faces.xlsx", {}),
        "holds no picture": (tmp_path / "empty", out, {}),
        "gone": (tmp_path / "gone", out, {}),
        r"gone\.mp4": (tmp_path / "gone.mp4", out, {}),
        "camera:98": ("camera:98", out, {}),
        "--every": (source, out, {"every": 2}),
        "--smoothing": (source, out, {"smoothing": 0.5}),
        "--seconds": (source, out, {"seconds": 1.0}),
        "lies in the folder": (tmp_path, out, {"annotated": tmp_path / "drawn"}),
        "holds what is read": (source, out, {"annotated": tmp_path}),
        "source: is empty": ("", out, {}),
    }
    for words, (given, table, settings) in bad.items():
        with pytest.raises(InputError, match=words):
            infer(given, recogniser(), Everything(), table, InferSettings(**settings), False)
        assert not table.exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"every": 0},
        {"batch_size": 0},
        {"batch_size": BATCH + 1},
        {"smoothing": 1.0},
        {"smoothing": -0.1},
        {"smoothing": float("nan")},
        {"seconds": -1.0},
        {"seconds": float("inf")},
    ],
)
def test_settings_out_of_range(settings):
    with pytest.raises(InputError, match=f"--{next(iter(settings))}"):
        InferSettings(**settings)


@pytest.fixture
def fake_model(monkeypatch):
    from neurogaze.deploy import detection
    from neurogaze.deploy import recogniser as opened

    asked = []

    def open_recogniser(path, calibration=None, threads=0):
        asked.append((path.name, calibration))
        return recogniser(generated=True)

    monkeypatch.setattr(opened, "open_recogniser", open_recogniser)
    monkeypatch.setattr(detection, "open_detector", lambda kind, model: Everything())
    return asked


def test_the_command(tmp_path, capsys, fake_model):
    source, out = tmp_path / "photos", tmp_path / "faces.jsonl"
    source.mkdir()
    picture(source / "a.png")
    command = ["infer", str(source), "--model", "m.onnx", "--out", str(out)]
    assert main([*command, "--annotated", str(tmp_path / "drawn"), "--batch_size", "2"]) == 0
    told = capsys.readouterr().out
    for words in ("1 pictures: 1 faces", "pictures/s", "peak memory", "meaningless on people"):
        assert words in told
    assert "perceived expression" in told
    assert fake_model == [("m.onnx", None)]
    assert [row.note for row in read_faces(out)] == ["meaningless on people"]
    assert (tmp_path / "drawn" / "a.png").is_file()
    (source / "b.jpg").write_text("no picture")
    assert main(command) == 1  # some of the batch
    assert "b.jpg: cannot be judged" in capsys.readouterr().err
    assert main(["infer", str(tmp_path / "gone"), "--model", "m.onnx"]) == 2
    assert capsys.readouterr().err.count("error:") == 1


def test_the_video_that_is_read_survives(tmp_path, capsys, fake_model):
    clip = write_clip(tmp_path / "mine.mp4", clip_frames(paths(3)), 10, "mp4v")
    before = clip.read_bytes()
    command = ["infer", str(clip), "--model", "m.onnx", "--out", str(tmp_path / "f.csv")]
    assert main([*command, "--annotated", str(clip)]) == 2
    assert "mine.mp4: is what is read" in capsys.readouterr().err
    assert clip.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mine.mp4"]


def test_an_interrupted_video_is_not_said_to_go_on(tmp_path, capsys, fake_model, monkeypatch):
    def interrupted(self, rgb):
        raise KeyboardInterrupt

    write_clip(tmp_path / "mine.mp4", clip_frames(paths(3)), 10, "mp4v")
    picture(tmp_path / "a.png")
    monkeypatch.setattr(Everything, "detect", interrupted)
    ends = {}
    for name in ("mine.mp4", "a.png"):
        command = ["infer", str(tmp_path / name), "--model", "m.onnx"]
        assert main([*command, "--out", str(tmp_path / "f.csv")]) == 130
        ends[name] = capsys.readouterr().err
    assert "no table of mine.mp4 is kept" in ends["mine.mp4"]
    assert "go on" not in ends["mine.mp4"]
    assert "run the same command again to go on" in ends["a.png"]


def test_videos_in_a_folder_are_counted(tmp_path, capsys, fake_model):
    source = tmp_path / "mixed"
    source.mkdir()
    for name in ("b.mp4", "c.MOV"):
        (source / name).write_bytes(b"x")
    command = ["infer", str(source), "--model", "m.onnx", "--out", str(tmp_path / "f.csv")]
    assert main(command) == 2
    assert "holds no picture, but 2 videos" in capsys.readouterr().err
    picture(source / "a.png")
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "2 videos were passed over" in told
    assert "a face was found in 100.0% of the pictures" in told


@pytest.mark.parametrize(("source", "out"), [("loop", "f.csv"), ("a.png", "loop.csv")])
def test_links_in_a_circle_end_in_one_line(tmp_path, capsys, fake_model, source, out):
    picture(tmp_path / "a.png")
    for name in ("loop", "loop.csv"):
        (tmp_path / name).symlink_to(name)
    command = ["infer", str(tmp_path / source), "--model", "m.onnx", "--out", str(tmp_path / out)]
    assert main(command) == 2
    error = capsys.readouterr().err
    assert "lead in a circle. Remedy: " in error
    assert error.count("\n") == 1
    assert (tmp_path / "loop.csv").is_symlink()


def test_pictures_of_other_types_in_a_folder_are_counted(tmp_path, capsys, fake_model):
    source, out = tmp_path / "mixed", tmp_path / "f.csv"
    source.mkdir()
    for name in ("b.heic", "c.SVG"):
        (source / name).write_bytes(b"x")
    command = ["infer", str(source), "--model", "m.onnx", "--out", str(out)]
    assert main(command) == 2
    assert "holds no picture that is read, but 2 of other types" in capsys.readouterr().err
    picture(source / "a.png")
    assert main(command) == 0
    told = "2 pictures of other types are passed over: save them as PNG or JPEG\n"
    assert capsys.readouterr().err == told
    assert [row.file for row in read_faces(out)] == ["a.png"]


def test_the_help_says_what_it_is_and_gives_an_example(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["infer", "--help"])
    assert stop.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    for words in (
        "perceived expression",
        "prototype-space valence and arousal",
        "neurogaze infer photos/ --model student.onnx --out faces.csv",
    ):
        assert words in told
