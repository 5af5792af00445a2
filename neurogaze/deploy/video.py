"""Frames of a video file or a camera, each with its number and its time."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurogaze.deploy.frame_times import FrameTimes
from neurogaze.deploy.pictures import Limits
from neurogaze.errors import InputError

SUFFIXES = (
    ".3gp",
    ".avi",
    ".flv",
    ".m2ts",
    ".m4v",
    ".mkv",
    ".mov",
    ".mp4",
    ".mpeg",
    ".mpg",
    ".mts",
    ".ogv",
    ".ts",
    ".webm",
    ".wmv",
)
"""Of files that are opened as a video, in lower case."""

LIMITS = Limits()
"""Of a frame: those of a picture."""

CAMERA = re.compile(r"(?:camera:)?(\d{1,3})")
USUAL_RATE = 30.0
"""Frames a second where a file or camera does not say: those of webcams and browsers."""

SHORT_FRAMES, SHORT_SHARE = 2, 0.02
"""Frames, and share of all, that a header may promise in vain, whichever is more: headers are off
by a frame or two."""

FASTEST = 240.0
"""Frames a second; more is a mistake in the header, or the ticks of the clock of a container: a
browser's WebM says 1000."""

MILLISECONDS = 1000.0
FFMPEG = {
    "OPENCV_FFMPEG_LOGLEVEL": "-8",  # says nothing
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": "protocol_whitelist;file",  # a playlist in disguise stays home
}
"""Environment under which OpenCV opens a video, unless somebody set it otherwise."""


class Capture(Protocol):
    """The part of `cv2.VideoCapture` that is used."""

    def read(self) -> tuple[bool, Any]:
        """Whether there was a frame, and the frame, blue first."""
        ...

    def get(self, name: int, /) -> float:
        """A property by its number."""
        ...

    def release(self) -> None:
        """Close it."""
        ...


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame.

    Args:
        number: from 0.
        seconds: from the start.
        rgb: `uint8 [H, W, 3]`, red first.
    """

    number: int
    seconds: float
    rgb: NDArray[np.uint8]


class Recording:
    """A video or camera that is open.

    Args:
        name: what to call it in rows and messages.
        capture: where frames come from.
        live: a camera, whose time is that of the clock.
        limits: of a frame.
        clock: seconds.

    Attributes:
        rate: frames a second, as the file or camera says, or `USUAL_RATE`.
        total: frames, as the file says or its length tells; None where it says nothing credible.
        missing: frames that were promised and did not come, known after the last; 1 for a camera
            that broke off, which promises no number.
        trouble: that it broke off, in words; "" where it ended as it should.
    """

    def __init__(
        self,
        name: str,
        capture: Capture,
        live: bool = False,
        limits: Limits = LIMITS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        import cv2

        self.name, self.live = name, live
        self._capture, self._limits, self._clock = capture, limits, clock
        self._stopped = False
        self.missing, self.trouble = 0, ""
        said = capture.get(cv2.CAP_PROP_FPS)
        rate = said if math.isfinite(said) and said > 0 else USUAL_RATE
        self.rate = rate if rate <= FASTEST else USUAL_RATE
        # a total is often the length times the rate: it falls with a rate that is not believed
        total = capture.get(cv2.CAP_PROP_FRAME_COUNT) * self.rate / rate
        self.total = round(total) if math.isfinite(total) and total >= 1 and not live else None

    def stop(self) -> None:
        """Let the frame that is read now be the last."""
        self._stopped = True

    def frames(self, seconds: float = 0.0) -> Iterator[Frame]:
        """Frame after frame, once.

        Args:
            seconds: frames at this time and later are left out; 0 goes on to the end.

        Raises:
            InputError: for a recording without a single frame, or with frames that are too large.
        """
        try:
            for number, (at, image) in enumerate(self._timed()):
                if seconds and at >= seconds:
                    return
                yield Frame(number, at, self._checked(image))
                if self._stopped:
                    return
        finally:
            self._capture.release()

    def _timed(self) -> Iterator[tuple[float, Any]]:
        """Images with their time: of the clock, or of the file as `FrameTimes` takes it."""
        import cv2

        number, at, start, times = 0, 0.0, 0.0, FrameTimes(self.rate)
        while True:
            read, image = self._capture.read()
            if not read or image is None:
                break
            if self.live:
                now = self._clock()
                start = now if number == 0 else start
                at = now - start
            else:
                at = times.at(self._capture.get(cv2.CAP_PROP_POS_MSEC) / MILLISECONDS)
            yield at, image
            number += 1
        self._end(number, at)
        if number == 0:
            remedy = "give another" if self.live else "convert it, for example with ffmpeg"
            raise InputError(self.name, "holds no frame that can be read", remedy)

    def _end(self, frames: int, last: float) -> None:
        """Say whether the source broke off, from how many frames came and the time of the last.

        A file does where both fall short of its header: the number of frames alone is an estimate
        in some containers, and wrong where the rate varies.
        """
        if self._stopped or not frames:
            return
        if self.live:
            self.missing = 1
            self.trouble = f"gives no more pictures after {last:.1f} s: it broke off"
        elif self.total is not None:
            allowed = max(SHORT_FRAMES, SHORT_SHARE * self.total)
            late = self.total - (last * self.rate + 1)
            if self.total - frames > allowed and late > allowed:
                self.missing = self.total - frames
                self.trouble = (
                    f"ends after {frames:,} of {self.total:,} frames: it is cut or broken"
                )

    def _checked(self, image: Any) -> NDArray[np.uint8]:
        import cv2

        height, width = image.shape[:2]
        if height * width > self._limits.pixels:
            found = f"has frames of {width}x{height}, more than {self._limits.pixels:,} pixels"
            raise InputError(self.name, found, "make it smaller, for example with ffmpeg")
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def camera_number(source: str) -> int | None:
    """The number in "0" or "camera:0"; None for anything else, and for a file of that name.

    >>> camera_number("camera:1"), camera_number("1.jpg")
    (1, None)
    """
    found = CAMERA.fullmatch(source)
    return int(found[1]) if found and not Path(source).exists() else None


def is_video(source: Path) -> bool:
    """Whether a file counts as a video, by its suffix."""
    return source.suffix.lower() in SUFFIXES and not source.is_dir()


def open_video(path: Path, limits: Limits = LIMITS) -> Recording:
    """Open a video file.

    Raises:
        InputError: for a file that is not there, cannot be read or is no video.
    """
    if not path.is_file():
        raise InputError(path, "no such file", "give a video, a picture, a folder or camera:0")
    with path.open("rb") as stream:
        if not stream.read(1):
            raise InputError(path, "is empty", "copy it again")
    capture = _silently(str(path))
    if not capture.isOpened():
        remedy = "give a video that plays, or convert it, for example with ffmpeg"
        raise InputError(path, "is no video that can be read", remedy)
    return Recording(path.name, capture, limits=limits)


def open_camera(number: int) -> Recording:
    """Open a camera of this machine.

    Raises:
        InputError: where there is none of that number, or it is in use.
    """
    capture = _silently(number)
    if not capture.isOpened():
        remedy = "connect it, close other programs that use it, or try another number"
        raise InputError(f"camera:{number}", "is not there or in use", remedy)
    return Recording(f"camera:{number}", capture, live=True)


def _silently(source: str | int) -> Any:
    """Open with OpenCV, whose own remarks on what it tries are kept from the reader."""
    for name, value in FFMPEG.items():
        os.environ.setdefault(name, value)
    import cv2

    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        return cv2.VideoCapture(source)
    finally:
        cv2.utils.logging.setLogLevel(level)
