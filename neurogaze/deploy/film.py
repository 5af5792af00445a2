"""An annotated video, written aside: it lasts as long as what it was drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import written_aside
from neurogaze.errors import InputError

LONGEST_STILL = 60.0
"""Seconds that a picture is held at most: a stamp further ahead is an error, not a wait, and would
fill the disk."""


class Film:
    """One video of even rate; every picture has the size of the first.

    A picture stays until the next one comes. Of two that fall on one place the later one is kept.

    Args:
        path: file to write.
        name: what to call it in messages.
        rate: pictures a second.
    """

    def __init__(self, path: Path, name: Path, rate: float) -> None:
        self._path, self._name, self._rate = path, name, rate
        self._writer: Any = None
        self._held: NDArray[np.uint8] | None = None
        self._place, self._begun = 0, 0.0
        self._shown = 0

    def add(self, rgb: NDArray[np.uint8], seconds: float) -> None:
        """Show a picture from a time on, which is not before that of the last one.

        Raises:
            InputError: where the file cannot be written as video.
        """
        if self._held is None:
            self._begun = seconds
        ahead = round((seconds - self._begun) * self._rate) - self._place
        most = round(LONGEST_STILL * self._rate)
        if ahead > most:
            self._begun += (ahead - most) / self._rate
            ahead = most
        self._show(ahead)
        self._held = rgb
        self._place += max(ahead, 0)

    def close(self) -> None:
        """Show the last picture and finish the file."""
        self._show(1)
        if self._writer is not None:
            self._writer.release()

    def check(self) -> None:
        """Read back how much the finished file holds: of a full disk OpenCV says nothing.

        Raises:
            InputError: for a film without a single picture, or one that lacks some.
        """
        import cv2

        if not self._shown:
            remedy = "raise --seconds, or leave it out"
            raise InputError(self._name, "would not have a single frame", remedy)
        read = cv2.VideoCapture(str(self._path))
        held = int(read.get(cv2.CAP_PROP_FRAME_COUNT)) if read.isOpened() else 0
        read.release()
        if held < self._shown:
            found = f"would hold {held} of {self._shown} frames"
            raise InputError(self._name, found, "make room on the disk, and repeat the command")

    def _show(self, times: int) -> None:
        """Write the picture that is held, a number of times."""
        if self._held is None or times < 1:
            return
        if self._writer is None:
            self._writer = self._opened(self._held)
        frame = np.ascontiguousarray(self._held[..., ::-1])
        for _ in range(times):
            self._writer.write(frame)
        self._shown += times

    def _opened(self, first: NDArray[np.uint8]) -> Any:
        import cv2

        size = (first.shape[1], first.shape[0])
        code = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(self._path), code, self._rate, size)
        if not writer.isOpened():
            raise InputError(self._name, "cannot be written as video", "name a folder instead")
        return writer


@contextmanager
def film(to: Path, rate: float) -> Iterator[Film]:
    """A film that gets its name when the block ends well.

    Args:
        to: an `.mp4`; one that is there is replaced.
        rate: pictures a second.

    Raises:
        InputError: for a film without a single picture, or one that cannot be written whole; a
            film that was there stays.
    """
    with written_aside(to) as aside:
        made = Film(aside, to, rate)
        try:
            yield made
        finally:
            made.close()
        made.check()
