"""A video or a camera to a table: faces keep their number, and their answers may be smoothed."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from neurogaze.deploy.batching import NO_FACES, Shot, asked, in_groups
from neurogaze.deploy.detection import Detector
from neurogaze.deploy.drawings import annotator, drawn_rows
from neurogaze.deploy.infer_settings import InferSettings
from neurogaze.deploy.looking import look, rows_of
from neurogaze.deploy.recogniser import Recogniser
from neurogaze.deploy.rows import Place, Reading
from neurogaze.deploy.smoothing import Smoother
from neurogaze.deploy.strokes import cells_of
from neurogaze.deploy.summary import Summary, Tally
from neurogaze.deploy.targets import check_fresh
from neurogaze.deploy.tracking import Tracker, TrackSettings
from neurogaze.deploy.video import Frame, Recording
from neurogaze.deploy.writing import table
from neurogaze.errors import InputError
from neurogaze.progress import tracked


class NothingKept(KeyboardInterrupt):
    """A video or camera was interrupted before its table was written."""


def infer_recording(
    recording: Recording,
    recogniser: Recogniser,
    detector: Detector,
    out: Path,
    settings: InferSettings,
    progress: bool,
) -> Summary:
    """Judge every face of every frame; memory does not grow with the length.

    Ctrl-C ends the reading of a camera, and its table is finished. A video that is interrupted
    leaves no table; pictures that were drawn into a folder stay there. One that breaks off, as a
    file that is cut does, has its table, and counts as unreadable in part.

    Raises:
        InputError: for settings or a recording that cannot be used.
        NothingKept: when it is interrupted.
    """
    begun = time.monotonic()
    check_fresh(settings.annotated)
    tally = Tally(out, "frames")
    try:
        _judge(recording, recogniser, detector, out, settings, progress, tally)
    except KeyboardInterrupt as error:
        told = f"interrupted: no table of {recording.name} is kept; a new run begins at its start"
        raise NothingKept(told + _drawings_told(settings.annotated)) from error
    if recording.trouble:
        _say(f"{recording.name}: {recording.trouble}")
        tally.broke_off(recording.missing)
    return tally.summary(time.monotonic() - begun)


def _drawings_told(annotated: Path | None) -> str:
    """What an interrupted run says of drawings that the next one would refuse to go among."""
    try:
        check_fresh(annotated)
    except InputError:
        return f", and needs a new folder for --annotated: drawings stay in {annotated}"
    return ""


def _judge(
    recording: Recording,
    recogniser: Recogniser,
    detector: Detector,
    out: Path,
    settings: InferSettings,
    progress: bool,
    tally: Tally,
) -> None:
    """Frames to table, drawings and tally."""
    judge = Judge(recogniser, settings)
    frames = recording.frames(settings.seconds)
    told = f"judging {recording.name}"
    keep = settings.annotated is not None
    with (
        table(out) as written,
        annotator(settings.annotated, recording.rate, cells_of(recogniser.contract)) as pen,
        _ended_by_hand(recording),
        tracked(frames, told, recording.total, shown=progress) as steps,
    ):
        shots = _shots(steps, recording.name, recogniser, detector, settings.every, keep)
        for group in in_groups(shots, settings.batch_size):
            for shot, said in zip(group, judge.readings(group), strict=True):
                rows, trouble = drawn_rows(shot, rows_of(shot, said, recogniser.contract), pen)
                if trouble:
                    _say(f"{recording.name}, frame {shot.place.frame}: {trouble}")
                tally.add(rows, bool(shot.trouble))
                for row in rows:
                    written.write(row)


class Judge:
    """Answers frame by frame: smoothed, and repeated for frames that were skipped.

    Args:
        recogniser: the student.
        settings: smoothing and the size of a batch.
    """

    def __init__(self, recogniser: Recogniser, settings: InferSettings) -> None:
        self._recogniser, self._settings = recogniser, settings
        self._smoother = Smoother(settings.smoothing)
        self._last: list[Reading] = []

    def readings(self, group: list[Shot]) -> Iterator[list[Reading]]:
        """Of every face of every shot, in the order of time."""
        answers = asked(group, self._recogniser, self._settings.batch_size)
        for shot, said in zip(group, answers, strict=True):
            if not shot.repeated:
                pairs = zip(shot.numbers, said, strict=True)
                self._last = [self._smoother.update(face, reading) for face, reading in pairs]
            yield self._last


def _shots(
    frames: Any, name: str, recogniser: Recogniser, detector: Detector, every: int, keep: bool
) -> Iterator[Shot]:
    """Every frame as a shot; the detector sees every n-th of them."""
    tracker, last = Tracker(TrackSettings(step=every)), Shot(Place(name))
    for frame in frames:
        place = Place(name, frame.number, frame.seconds)
        if frame.number % every:
            rgb = frame.rgb if keep else None
            yield replace(last, place=place, faces=NO_FACES, rgb=rgb, repeated=True)
            continue
        last = _looked(frame, place, recogniser, detector, tracker, keep)
        yield last
        last = replace(last, faces=NO_FACES, rgb=None)


def _looked(
    frame: Frame,
    place: Place,
    recogniser: Recogniser,
    detector: Detector,
    tracker: Tracker,
    keep: bool,
) -> Shot:
    shot = look(place, lambda: frame.rgb, detector, recogniser.contract.crop, tracker.update, keep)
    if shot.trouble:
        _say(f"{place.file}, frame {frame.number}: {shot.trouble}")
    return shot


def _say(line: str) -> None:
    print(line, file=sys.stderr)


@contextmanager
def _ended_by_hand(recording: Recording) -> Iterator[None]:
    """Let the first Ctrl-C end a camera, and only the second one the program."""
    if not recording.live or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        recording.stop()

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
