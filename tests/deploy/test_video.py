"""Times of frames, files that are no video, and cameras that are not there."""

import shutil
import subprocess

import numpy as np
import pytest

from neurogaze.deploy import video
from neurogaze.deploy.pictures import Limits
from neurogaze.errors import InputError
from tests.deploy.infer_fakes import Reel, clip_frames, number_in, paths, write_clip

IMAGES = [np.full((40, 96, 3), i, dtype=np.uint8) for i in range(5)]


def times(reel, seconds=0.0, **options):
    return [f.seconds for f in video.Recording("reel", reel, **options).frames(seconds)]


@pytest.mark.parametrize(("name", "code"), [("a.avi", "MJPG"), ("a.mp4", "mp4v")])
def test_frames_of_a_file_in_order_with_their_time(tmp_path, name, code):
    path = write_clip(tmp_path / name, clip_frames(paths(12)), 12.5, code)
    recording = video.open_video(path)
    assert (recording.name, recording.rate, recording.total) == (name, 12.5, 12)
    frames = list(recording.frames())
    assert [frame.number for frame in frames] == list(range(12))
    assert [number_in(frame.rgb) for frame in frames] == list(range(12))
    assert [frame.seconds for frame in frames] == pytest.approx([i / 12.5 for i in range(12)])
    assert all(frame.rgb.shape == (240, 320, 3) for frame in frames)


def test_red_comes_first(tmp_path):
    red = np.zeros((48, 96, 3), dtype=np.uint8)
    red[..., 0] = 250
    path = write_clip(tmp_path / "red.avi", [red] * 3, 10, "MJPG")
    frame = next(video.open_video(path).frames())
    assert frame.rgb[..., 0].min() > 200
    assert frame.rgb[..., 1:].max() < 50


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg makes the variable rate")
def test_variable_rate_is_timed_by_the_file(tmp_path):
    """Every frame of a 10 Hz clip but 3, 4 and 7: the others keep the time they had."""
    path = write_clip(tmp_path / "a.avi", clip_frames(paths(10)), 10, "MJPG")
    keep = "select='not(eq(n,3)+eq(n,4)+eq(n,7))'"
    command = ["ffmpeg", "-v", "error", "-i", path, "-vf", keep, "-fps_mode", "vfr"]
    subprocess.run([*command, "-c:v", "mpeg4", tmp_path / "b.mp4"], check=True)
    frames = list(video.open_video(tmp_path / "b.mp4").frames())
    assert [f.number for f in frames] == list(range(7))
    kept = [0, 1, 2, 5, 6, 8, 9]
    assert [number_in(f.rgb) for f in frames] == kept
    assert [f.seconds for f in frames] == pytest.approx([k / 10 for k in kept])


def test_time_of_the_file_where_it_is_sound_else_counted():
    assert times(Reel(IMAGES, [0, 40, 200, 240, 300])) == [0, 0.04, 0.2, 0.24, 0.3]
    assert times(Reel(IMAGES)) == [0, 0.1, 0.2, 0.3, 0.4]  # it stands still: by counting
    backwards = times(Reel(IMAGES, [0, 100, 50, 350, 400]))
    assert backwards == [0, 0.1, 0.2, 0.35, 0.4]  # one slip is stepped over
    assert times(Reel(IMAGES, [0, 100, 50, 150, 200])) == [0, 0.1, 0.2, 0.2, 0.2]  # not back
    assert times(Reel(IMAGES, [float("nan")] * 5, rate=20)) == [0, 0.05, 0.1, 0.15, 0.2]
    assert times(Reel(IMAGES, [0, 5000, 0, 0, 0])) == [0, 5, 5.1, 5.2, 5.3]  # on from there


def test_one_repeated_stamp_costs_nothing():
    """The file is followed again at the next frame, and its end is found in time."""
    stamps = [40 * i for i in range(100)]
    stamps[31] = stamps[30]
    found = times(Reel(IMAGES * 20, stamps, rate=50.0))
    assert found[:31] == [s / 1000 for s in stamps[:31]]
    assert found[32:] == [s / 1000 for s in stamps[32:]]
    assert found == sorted(found)
    assert len(times(Reel(IMAGES * 20, stamps, rate=50.0), seconds=2.0)) == 50


def test_a_clock_that_ran_ahead_is_given_up():
    """It comes back after ten frames: by then the frames are counted, and stay so."""
    stamps = [0, 9000, *[100 * i for i in range(2, 10)], 9100, 9200, 99000]
    found = times(Reel((IMAGES * 3)[:13], stamps, rate=10.0))
    assert found == pytest.approx([0, *[9 + 0.1 * i for i in range(12)]])


def test_headers_that_say_nonsense():
    for rate in (0.0, float("nan"), 90000.0, 1000.0, -1.0):
        assert video.Recording("reel", Reel(IMAGES, rate=rate)).rate == video.USUAL_RATE
    for total in (0.0, -5.0, float("nan")):
        assert video.Recording("reel", Reel(IMAGES, total=total)).total is None


def test_a_total_falls_with_a_rate_that_is_not_believed():
    """A browser's WebM of four seconds has the rate 1000 and so 4,000 frames."""
    whole = video.Recording("reel", Reel(IMAGES * 24, [33 * i for i in range(120)], 1000.0, 4000.0))
    assert whole.total == 4 * video.USUAL_RATE
    assert len(list(whole.frames())) == 120
    assert not whole.trouble
    cut = video.Recording("reel", Reel(IMAGES * 12, [33 * i for i in range(60)], 1000.0, 4000.0))
    list(cut.frames())
    assert cut.trouble == "ends after 60 of 120 frames: it is cut or broken"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg puts the index first")
def test_a_clip_that_was_cut_says_so(tmp_path):
    """Its header comes first and promises 60 frames; half of what follows is there."""
    write_clip(tmp_path / "a.avi", clip_frames(paths(60)), 10, "MJPG")
    command = ["ffmpeg", "-v", "error", "-i", tmp_path / "a.avi", "-c:v", "mpeg4", "-q:v", "2"]
    subprocess.run([*command, "-movflags", "+faststart", tmp_path / "whole.mp4"], check=True)
    whole = (tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    found = {}
    for name in ("whole", "cut"):
        recording = video.open_video(tmp_path / f"{name}.mp4")
        found[name] = len(list(recording.frames())), recording.missing, recording.trouble
    assert found["whole"] == (60, 0, "")
    frames, missing, trouble = found["cut"]
    assert 5 < frames < 50
    assert missing == 60 - frames
    assert trouble == f"ends after {frames} of 60 frames: it is cut or broken"


@pytest.mark.parametrize(
    ("total", "stamps", "missing"),
    [
        (5, None, 0),
        (7, None, 0),  # headers are off by a frame or two
        (8, None, 3),
        (0, None, 0),  # nothing is promised
        (20, [0, 500, 900, 1400, 1900], 0),  # few frames of a rate that varies, to the very end
        (20, [0, 100, 200, 300, 400], 15),
    ],
)
def test_how_far_a_header_may_be_off(total, stamps, missing):
    recording = video.Recording("reel", Reel(IMAGES, stamps, rate=10.0, total=total))
    assert len(list(recording.frames())) == 5
    assert (recording.missing, bool(recording.trouble)) == (missing, missing > 0)


def test_what_was_ended_on_purpose_is_not_broken():
    recording = video.Recording("reel", Reel(IMAGES, total=50))
    assert len(list(recording.frames(seconds=0.3))) == 3
    assert not recording.trouble
    camera = video.Recording("camera:0", Reel(IMAGES), live=True)
    for _ in camera.frames():
        camera.stop()
    assert not camera.trouble


@pytest.mark.parametrize("seconds", [0.0, 9.0])
def test_a_camera_that_drops_out(seconds):
    clock = iter([0.0, 0.5, 1.0, 1.5, 2.0])
    camera = video.Recording("camera:0", Reel(IMAGES), live=True, clock=lambda: next(clock))
    assert len(list(camera.frames(seconds))) == 5
    assert (camera.missing, camera.trouble) == (
        1,
        "gives no more pictures after 2.0 s: it broke off",
    )


def test_seconds_end_a_file_and_a_camera():
    reel = Reel(IMAGES)
    assert times(reel, 0.2) == [0, 0.1]
    assert reel.released
    clock = iter([100.0, 100.5, 101.0, 102.0])
    live = times(Reel(IMAGES), 2.0, live=True, clock=lambda: next(clock))
    assert live == [0, 0.5, 1.0]


def test_a_recording_stops_when_asked():
    recording = video.Recording("camera:0", Reel(IMAGES), live=True)
    seen = []
    for frame in recording.frames():
        seen.append(frame.number)
        if frame.number == 1:
            recording.stop()
    assert seen == [0, 1]


def test_large_frames_are_refused():
    recording = video.Recording("reel", Reel(IMAGES), limits=Limits(pixels=1000))
    with pytest.raises(InputError, match="96x40"):
        list(recording.frames())


def test_what_is_no_video(tmp_path):
    for name, content in (("empty.mp4", b""), ("text.mp4", b"no video at all\n" * 99)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name):
            video.open_video(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        video.open_video(tmp_path / "gone.mp4")
    with pytest.raises(InputError, match="no frame"):
        list(video.Recording("reel", Reel([])).frames())
    playlist = tmp_path / "list.mp4"  # must not be followed to another file
    write_clip(tmp_path / "a.avi", IMAGES, 10, "MJPG")
    playlist.write_text(f"ffconcat version 1.0\nfile {tmp_path / 'a.avi'}\n")
    with pytest.raises(InputError, match=r"list\.mp4"):
        video.open_video(playlist)


def test_a_camera_that_is_not_there(capfd):
    with pytest.raises(InputError, match=r"camera:97: is not there.*Remedy"):
        video.open_camera(97)
    assert capfd.readouterr().err == ""


def test_names_of_cameras_and_videos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert video.camera_number("0") == 0
    assert video.camera_number("camera:12") == 12
    assert video.camera_number("camera:x") is None
    assert video.camera_number("-1") is None
    (tmp_path / "0").mkdir()
    assert video.camera_number("0") is None
    assert video.camera_number("camera:0") == 0
    assert video.is_video(tmp_path / "A.MP4")
    assert not video.is_video(tmp_path / "a.gif")
    (tmp_path / "b.mp4").mkdir()
    assert not video.is_video(tmp_path / "b.mp4")
