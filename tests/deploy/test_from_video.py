"""A clip whose truth is known: a row for each frame and face, stable numbers, right times."""

import gc
import itertools
import os
import signal
import sys
import tracemalloc
import weakref

import cv2
import numpy as np
import pytest
from PIL import Image

from neurogaze.deploy.boxes import Box
from neurogaze.deploy.infer import infer
from neurogaze.deploy.infer_settings import InferSettings
from neurogaze.deploy.rows import CACHED, NO_FACE
from neurogaze.deploy.video import Recording
from neurogaze.deploy.writing import read_faces
from neurogaze.errors import InputError
from tests.deploy.infer_fakes import (
    Reel,
    Told,
    astronaut_face,
    clip_frames,
    network,
    paths,
    recogniser,
    write_clip,
)

RATE, FRAMES = 12.5, 60
TRUTH = paths(FRAMES)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    return write_clip(path, clip_frames(TRUTH), RATE, "MJPG")


def judged(clip, out, student=None, **settings):
    detector = Told(TRUTH)
    summary = infer(
        clip, student or recogniser(), detector, out, InferSettings(**settings), progress=False
    )
    return list(read_faces(out)), summary, detector


@pytest.fixture(scope="module")
def plain(clip, tmp_path_factory):
    return judged(clip, tmp_path_factory.mktemp("plain") / "faces.csv", batch_size=7)


def test_one_row_a_frame_and_face(plain):
    rows, summary, detector = plain
    assert detector.frames == list(range(FRAMES))  # every frame once, in order
    for t, faces in enumerate(TRUTH):
        own = [row for row in rows if row.frame == t and row.face is not None]
        assert sorted((row.left, row.top, row.width) for row in own) == sorted(
            (box.left, box.top, box.width) for box in faces.values()
        )
        assert all(row.file == "clip.avi" and row.note == "" for row in own)
    assert summary.seen == FRAMES
    assert summary.faces == len(rows) == sum(map(len, TRUTH))


def test_times_are_those_of_the_frames(plain):
    rows, _, _ = plain
    assert [row.seconds for row in rows] == pytest.approx([row.frame / RATE for row in rows])


def test_a_person_keeps_one_number_and_nobody_shares_it(plain):
    rows, _, _ = plain
    numbers = {}
    for row in rows:
        for person, box in TRUTH[row.frame].items():
            if (box.left, box.top) == (row.left, row.top):
                numbers.setdefault(person, set()).add(row.face)
    assert numbers == {"ann": {0}, "bob": {1}, "cyd": {2}}


def test_the_student_saw_the_face_in_the_box(clip, tmp_path):
    seen = []

    def run(images):
        seen.append(images)
        return recogniser().run(images)

    judged(clip, tmp_path / "f.csv", recogniser(run), seconds=1 / RATE)
    face = Image.fromarray(astronaut_face()).convert("L").resize((48, 48))
    middle = np.asarray(face)[2:46, 2:46]  # the student sees 44 of 48 pixels
    assert np.corrcoef(seen[0].ravel(), middle.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("batch", [1, 64])
def test_batches_do_not_change_the_rows(clip, plain, tmp_path, batch):
    rows, _, _ = judged(clip, tmp_path / "f.csv", batch_size=batch)
    assert [(r.frame, r.face, r.label) for r in rows] == [
        (r.frame, r.face, r.label) for r in plain[0]
    ]
    given, wanted = ([r.probabilities for r in table] for table in (rows, plain[0]))
    assert np.abs(np.array(given) - np.array(wanted)).max() < 1e-5


def test_skipped_frames_repeat_the_last_one(clip, plain, tmp_path):
    rows, summary, detector = judged(clip, tmp_path / "f.csv", every=4, batch_size=5)
    assert detector.frames == list(range(0, FRAMES, 4))
    assert {row.frame for row in rows} == set(range(FRAMES))
    first = {(r.frame, r.face): r for r in rows if r.frame % 4 == 0}
    for row in rows:
        assert row.seconds == pytest.approx(row.frame / RATE)
        assert row.note == ("" if row.frame % 4 == 0 else CACHED)
        source = first[row.frame - row.frame % 4, row.face]
        assert (row.left, row.probabilities) == (source.left, source.probabilities)
    assert summary.faces == sum(4 * len(TRUTH[t]) for t in range(0, FRAMES, 4))


def test_smoothing_follows_each_face(clip, plain, tmp_path):
    rows, summary, _ = judged(clip, tmp_path / "f.csv", smoothing=0.9)
    raw = plain[0]
    for face in (0, 1, 2):
        ours = np.array([r.probabilities for r in rows if r.face == face])
        average = theirs = np.array([r.probabilities for r in raw if r.face == face])
        for t in range(1, len(theirs)):
            average[t] = 0.9 * average[t - 1] + 0.1 * theirs[t]
        assert np.abs(ours - average).max() < 1e-4
    assert [flips.face for flips in summary.flips] == [0, 1, 2]
    assert [flips.seconds for flips in summary.flips] == pytest.approx(
        [39 / RATE, 39 / RATE, 14 / RATE]
    )
    assert sum(f.changes for f in summary.flips) <= sum(f.changes for f in plain[1].flips)


def test_frames_without_a_face_keep_a_row(tmp_path):
    truth = [{}, {"ann": Box(10, 10, 40, 40, 1.0)}, {}]
    reel = Recording("reel", Reel(clip_frames(truth), rate=10.0))
    summary = infer(reel, recogniser(), Told(truth), tmp_path / "f.jsonl", progress=False)
    rows = list(read_faces(tmp_path / "f.jsonl"))
    assert [(r.frame, r.seconds, r.face, r.note) for r in rows] == [
        (0, 0.0, None, NO_FACE),
        (1, 0.1, 0, ""),
        (2, 0.2, None, NO_FACE),
    ]
    assert (summary.no_face, summary.exit_code) == (2, 0)


def test_annotated_video_and_frames(clip, tmp_path):
    video = tmp_path / "drawn.mp4"
    judged(clip, tmp_path / "f.csv", annotated=video, every=2, batch_size=3, seconds=0.5)
    capture = cv2.VideoCapture(str(video))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 7  # 0 to 0.48 s
    judged(clip, tmp_path / "f.csv", annotated=tmp_path / "frames", seconds=0.2)
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == [f"clip.avi-00000{i}.jpg" for i in range(3)]


def test_ctrl_c_ends_a_camera_with_its_table(tmp_path):
    """The interrupt comes while frame 30 is read: all up to it are in the table."""

    def images():
        for number, rgb in enumerate(clip_frames(TRUTH)):
            if number == 30:
                os.kill(os.getpid(), signal.SIGINT)
            yield rgb

    before = signal.getsignal(signal.SIGINT)
    camera = Recording("camera:0", Reel(images()), live=True)
    summary = infer(camera, recogniser(), Told(TRUTH), tmp_path / "f.csv", progress=False)
    assert summary.seen == 31
    assert {row.frame for row in read_faces(tmp_path / "f.csv")} == set(range(31))
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupted_video_leaves_nothing(tmp_path):
    def images():
        yield from list(clip_frames(TRUTH))[:5]
        raise KeyboardInterrupt

    reel = Recording("reel", Reel(images()))
    with pytest.raises(KeyboardInterrupt):
        infer(reel, recogniser(), Told(TRUTH), tmp_path / "f.csv", progress=False)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_video_says_that_drawings_stay(tmp_path):
    """The same command again would be refused."""

    def run(drawn):
        images = itertools.chain(list(clip_frames(TRUTH))[:5], interrupted())
        settings = InferSettings(annotated=tmp_path / drawn, batch_size=1)
        reel = Recording("reel", Reel(images))
        infer(reel, recogniser(), Told(TRUTH), tmp_path / "f.csv", settings, progress=False)

    def interrupted():
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt, match=r"a new folder for --annotated: .*shown"):
        run("shown")
    with pytest.raises(KeyboardInterrupt) as told:
        run("shown.mp4")
    assert "--annotated" not in str(told.value)


def test_the_annotated_film_of_a_slow_camera_lasts_as_long_as_it_ran(tmp_path):
    clock = itertools.count(0, 0.25)
    reel = Reel(itertools.islice(clip_frames(TRUTH), 20), rate=30.0)
    camera = Recording("camera:0", reel, live=True, clock=lambda: next(clock))
    settings = InferSettings(annotated=tmp_path / "shown.mp4")
    infer(camera, recogniser(), Told(TRUTH), tmp_path / "f.csv", settings, progress=False)
    capture = cv2.VideoCapture(str(tmp_path / "shown.mp4"))
    length = capture.get(cv2.CAP_PROP_FRAME_COUNT) / capture.get(cv2.CAP_PROP_FPS)
    assert length == pytest.approx(19 * 0.25, abs=0.1)


def test_a_video_that_breaks_off_is_told_and_keeps_its_table(tmp_path, capsys):
    reel = Recording("reel", Reel(list(clip_frames(TRUTH))[:20], rate=10.0, total=60))
    summary = infer(reel, recogniser(), Told(TRUTH), tmp_path / "f.csv", progress=False)
    assert (summary.seen, summary.unreadable, summary.exit_code) == (60, 40, 1)
    assert {row.frame for row in read_faces(tmp_path / "f.csv")} == set(range(20))
    assert capsys.readouterr().err == "reel: ends after 20 of 60 frames: it is cut or broken\n"


def test_frames_are_not_drawn_among_other_files(clip, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "clip.avi-000000.jpg").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        judged(clip, tmp_path / "f.csv", annotated=tmp_path / "mine", seconds=0.2)
    assert (tmp_path / "mine" / "clip.avi-000000.jpg").read_text() == "mine"


def flickering(frames):
    """A face of 60 pixels that runs 20 pixels a frame, and how bright it is."""
    return [{"ann": Box(20.0 * t, 60.0, 60.0, 60.0, 5.0)} for t in range(frames)]


@pytest.mark.parametrize("every", [1, 2, 5])
def test_a_fast_face_keeps_its_number_and_its_flips(tmp_path, every):
    """At 25 frames a second, with a label that changes at every judged frame."""
    truth, judged_so_far = flickering(30), itertools.count()

    def run(images):
        logits = np.zeros((len(images), 8), dtype=np.float32)
        logits[:, :2] = [[5.0 * (next(judged_so_far) % 2), 2.0] for _ in images]
        return network(images)._replace(logits=logits)

    reel = Recording("reel", Reel(clip_frames(truth, (180, 700)), rate=25.0))
    settings = InferSettings(every=every, batch_size=3)
    out = tmp_path / "f.csv"
    summary = infer(reel, recogniser(run), Told(truth), out, settings, progress=False)
    assert [row.face for row in read_faces(out)] == [0] * 30
    (flips,) = summary.flips
    assert (flips.face, flips.changes) == (0, 30 // every - 1)
    assert flips.seconds == pytest.approx(29 / 25)
    assert flips.per_minute == pytest.approx((30 // every - 1) * 60 * 25 / 29)


class Wandering:
    """One face that goes round and round, in some frames.

    Args:
        keep: every so many-th frame is held on to; 0 holds none.
        period: the face is in every so many-th frame; 16 at most, that it keeps its number.
        remember: hold on to a number a frame.

    Attributes:
        alive: frames in memory now.
        most: that there ever were.
    """

    name = identity = "wandering"

    def __init__(self, keep=0, period=4, remember=False):
        self.frame, self.keep, self.kept = -1, keep, []
        self.period, self.remember = period, remember
        self.watched = {}  # a registry of finalisers would grow in steps of its own
        self.alive = self.most = 0

    def detect(self, rgb):
        self.frame += 1
        self.alive += 1
        self.most = max(self.most, self.alive)
        watch = weakref.ref(rgb, self.gone)
        self.watched[id(watch)] = watch
        if self.keep and self.frame % self.keep == 0:
            self.kept.append(rgb)
        if self.remember:
            self.kept.append(float(self.frame))
        left = abs(self.frame % 96 - 48)
        return [] if self.frame % self.period else [Box(left, 6, 48, 48, 1.0, cropped=True)]

    def gone(self, watch):
        del self.watched[id(watch)]
        self.alive -= 1


FRAME = np.zeros((120, 192, 3), dtype=np.uint8)
GROUP = 128
FIRST = 2 * GROUP
"""Frames of a group, and the frame from which memory is watched: the beginning of a group."""


def leftovers(tmp_path, detector, last, held):
    """Frames that were alive together at most, and what is held at frame `last` beyond `FIRST`."""
    measured = []

    def images():
        for number in range(last + 1):
            if number in (FIRST, last):
                gc.collect()
                measured.append(held())
            yield FRAME.copy()

    reel = Recording("reel", Reel(images(), rate=25.0))
    summary = infer(reel, recogniser(), detector, tmp_path / "f.csv", progress=False)
    faces = last // detector.period + 1
    assert (summary.seen, summary.faces) == (last + 1, faces)
    assert summary.no_face == last + 1 - faces
    assert [flips.face for flips in summary.flips] == [0]
    return detector.most, measured[1] - measured[0]


LONG = 79 * GROUP
"""Frames of a long film: 10,112."""
OBJECTS = 1_000
"""Objects that may be there at its end beyond those at frame `FIRST`: one in ten frames."""


def test_memory_stays_flat_over_ten_thousand_frames(tmp_path):
    """Frames that live are counted, and objects of Python: neither slows a run down."""
    detector = Wandering(period=16)
    alive, grown = leftovers(tmp_path, detector, LONG, sys.getallocatedblocks)
    assert alive <= 2
    assert grown < OBJECTS


def test_one_number_kept_a_frame_would_be_seen(tmp_path):
    detector = Wandering(period=16, remember=True)
    assert leftovers(tmp_path, detector, 20 * GROUP, sys.getallocatedblocks)[1] > 2 * OBJECTS


@pytest.fixture
def traced():
    """Bytes that are held; following each of them makes a run three times as long."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()


def test_bytes_stay_flat(tmp_path, traced):
    """Two frames live at once; all else grows by less than half of one in 1,024 frames."""
    alive, grown = leftovers(tmp_path, Wandering(), 10 * GROUP, traced)
    assert alive <= 2
    assert grown < FRAME.nbytes / 2


def test_one_frame_kept_in_a_thousand_would_be_seen(tmp_path, traced):
    alive, grown = leftovers(tmp_path, Wandering(keep=1_000), 10 * GROUP, traced)
    assert alive > 2
    assert grown > FRAME.nbytes / 2
