"""Labels that do not flicker, and a number that says how much they did.

An exponential moving average of a face's probabilities (and of its prototype-space valence and
arousal) over the frames that were judged: `s_t = w s_(t-1) + (1 - w) p_t`, `s_0 = p_0`. Flips per
minute are changes of the label of one face, over the minutes between its first and last row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from neurogaze.deploy.rows import FaceRow, Reading

REMEMBERED = 1000
"""Faces whose average is kept; the one seen longest ago is forgotten first."""

MINUTE = 60.0


class Smoother:
    """The moving average of every face.

    Args:
        weight: of the past, `w` above, from 0 to below 1; 0 leaves everything as it is.
    """

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self._last: dict[int, Reading] = {}

    def update(self, face: int, reading: Reading) -> Reading:
        """The average after one more frame that was judged."""
        before = self._last.pop(face, None)
        if before is not None:
            w = self.weight
            reading = Reading(
                w * before.probabilities + (1 - w) * reading.probabilities,
                w * before.va + (1 - w) * reading.va,
            )
        self._last[face] = reading
        if len(self._last) > REMEMBERED:
            del self._last[next(iter(self._last))]
        return reading


@dataclass(frozen=True)
class Flips:
    """How often the label of one face changed.

    Args:
        face: its number.
        changes: of the label; frames where the student abstained are passed over.
        seconds: between its first and its last row.
    """

    face: int
    changes: int
    seconds: float

    @property
    def per_minute(self) -> float:
        """Changes a minute; 0 for a face that was seen for an instant only."""
        return self.changes * MINUTE / self.seconds if self.seconds > 0 else 0.0


def changes(labels: Iterable[str | None]) -> int:
    """How often neighbouring labels differ; None is passed over.

    >>> changes(["anger", "anger", None, "fear", "anger"])
    2
    """
    given = [label for label in labels if label is not None]
    return sum(one != other for one, other in pairwise(given))


class FlipCounter:
    """Counts flips as rows go by, with a few numbers a face."""

    def __init__(self) -> None:
        self._faces: dict[int, tuple[float, float, str | None, int]] = {}

    def add(self, row: FaceRow) -> None:
        """Take in one row; rows without face or time count for nothing."""
        if row.face is None or row.seconds is None:
            return
        blank = (row.seconds, row.seconds, None, 0)
        first, _, label, count = self._faces.get(row.face, blank)
        flipped = changes((label, row.label))
        self._faces[row.face] = (first, row.seconds, row.label or label, count + flipped)

    def flips(self) -> tuple[Flips, ...]:
        """Of every face, by number."""
        found = sorted(self._faces.items())
        return tuple(Flips(face, n, last - first) for face, (first, last, _, n) in found)


def flips_per_minute(flips: Sequence[Flips]) -> float:
    """Changes of all faces over the minutes that all of them were seen; 0 for no minute."""
    return Flips(-1, sum(f.changes for f in flips), sum(f.seconds for f in flips)).per_minute
