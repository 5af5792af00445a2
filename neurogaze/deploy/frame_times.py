"""The time of each frame of a file: as the file says it, or by counting where that cannot be."""

from __future__ import annotations

import math

SEVERAL = 5
"""Bad stamps in a row after which the clock of a file is given up. One or two are slips of who
wrote it; a clock that stands still or ran ahead has nothing but bad ones."""


class FrameTimes:
    """Turns the stamps of a file into times that never run backwards.

    A stamp is sound where it lies after all sound ones before. A frame with a bad one has the time
    that counting from the last sound one gives, so that a single repeated stamp costs nothing;
    after `SEVERAL` in a row the rest is counted. The time that a file gives is right also where the
    rate varies.

    Args:
        rate: frames a second, to count by.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._sound = -1.0  # the last sound stamp
        self._counted = -1  # frames since then; -1 before the first frame
        self._anchor = self._now = 0.0

    def at(self, stamp: float) -> float:
        """The time of the next frame, seconds.

        Args:
            stamp: what the file says, seconds; anything at all.
        """
        sound = math.isfinite(stamp) and stamp > self._sound
        if sound and self._counted < SEVERAL:
            self._sound = self._anchor = stamp
            self._counted = 0
        else:
            self._counted += 1
        counted = self._anchor + max(self._counted, 0) / self._rate
        self._now = max(self._now, counted)
        return self._now
