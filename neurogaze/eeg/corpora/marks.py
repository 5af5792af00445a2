"""Marks of a recording that no trial may run across: interruptions, and stretches marked bad.

MNE lets whoever reads samples run across both. An interruption is a jump in time, which a filter
hears as a click; MNE and EEGLAB write it as a "boundary", BrainVision as a "New Segment".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

BOUNDARY, SEGMENT, BAD = "boundary", "new segment", "bad"
CLOSE = 1e-6
"""Share of a sample by which rounding may move a mark."""


@dataclass(frozen=True)
class Mark:
    """One annotation of a recording that a trial must not cross.

    Args:
        text: as the file has it.
        first: first sample after an interruption, or first bad sample.
        stop: the sample after it or, of a bad stretch, after the last.
        jump: whether it is an interruption, which the trials before and after it may touch.
    """

    text: str
    first: int
    stop: int
    jump: bool

    def inside(self, first: int, stop: int) -> bool:
        """Whether the samples from `first` to before `stop` run across it."""
        return self.first < stop and (self.first > first if self.jump else self.stop > first)


def marks_of(raw: Any, names: Sequence[str]) -> tuple[Mark, ...]:
    """Interruptions and bad stretches of a recording of MNE.

    Args:
        raw: the recording.
        names: signals that are used; what is bad of others alone does not count.
    """
    rate, marks = float(raw.info["sfreq"]), []
    for text, onset, seconds, of in _annotations(raw):
        place, lower = (onset - float(raw.first_time)) * rate, text.strip().lower()
        jump = BOUNDARY in lower or lower.startswith(SEGMENT)
        if jump:  # EEGLAB gives it the duration of what was cut out
            first = math.ceil(place - CLOSE)
            marks.append(Mark(text, first, first + 1, jump))
        elif lower.startswith(BAD) and (not of or set(of) & set(names)):
            first = round(place)
            marks.append(Mark(text, first, max(first + 1, round(place + seconds * rate)), jump))
    return tuple(marks)


def _annotations(raw: Any) -> list[tuple[str, float, float, tuple[str, ...]]]:
    """Text, onset (s), duration (s) and signals of each annotation."""
    found = raw.annotations
    columns = (found.description, found.onset, found.duration, found.ch_names)
    return [(str(t), float(o), float(d), tuple(c)) for t, o, d, c in zip(*columns, strict=True)]
