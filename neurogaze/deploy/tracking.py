"""Which box of this frame is which face of the last: assignment by overlap.

Boxes of neighbouring frames are matched so that the sum of their intersections over union is the
largest (the assignment problem; Kuhn, Naval Research Logistics Quarterly 2, 1955, solved by SciPy).
Faces are told apart by place alone: nobody is recognised, and whoever comes back after a while gets
a new number.

Where frames are skipped a face may have left its old box altogether. It is then expected where its
last step would take it, and how far it is from there is divided by the number of frames between, as
if it had drifted evenly and only the first of these frames were compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurogaze.deploy.boxes import Box


@dataclass(frozen=True)
class TrackSettings:
    """When two boxes are one face.

    Args:
        overlap: least intersection over union of boxes in neighbouring frames.
        patience: judged frames for which a face may be missing and keep its number.
        step: frames from one that is judged to the next; 1 judges all of them.
        farthest: frames of drift that are allowed for, however many are skipped: six are about
            three widths of a face.
    """

    overlap: float = 0.3
    patience: int = 15
    step: int = 1
    farthest: int = 6


def edges(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """Left, top, right and bottom of boxes, pixels, `[N, 4]`."""
    listed = [(b.left, b.top, b.left + b.width, b.top + b.height) for b in boxes]
    return np.array(listed, dtype=np.float64).reshape(-1, 4)


def intersection_over_union(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shared area over joint area of every pair.

    Args:
        one: left, top, right, bottom, `[M, 4]`.
        other: the same, `[N, 4]`, or `[M, N, 4]` where they differ from one to one.

    Returns:
        `[M, N]`, 0 to 1.
    """
    one = one[:, None]
    least = np.maximum(one[..., :2], other[..., :2])
    most = np.minimum(one[..., 2:], other[..., 2:])
    shared = np.clip(most - least, 0.0, None).prod(axis=-1)
    areas = [(box[..., 2:] - box[..., :2]).prod(axis=-1) for box in (one, other)]
    joint = areas[0] + areas[1] - shared
    return np.asarray(np.divide(shared, joint, out=np.zeros_like(shared), where=joint > 0))


def drawn_near(
    boxes: NDArray[np.float64], places: NDArray[np.float64], frames: int
) -> NDArray[np.float64]:
    """Boxes whose centres are moved towards each of some places; their sizes stay.

    Args:
        boxes: left, top, right, bottom, `[N, 4]`.
        places: the same, `[M, 4]`.
        frames: the distance from the centre of a place is divided by it; 1 moves nothing.

    Returns:
        `[M, N, 4]`.
    """
    between = centres(places)[:, None] - centres(boxes)[None]
    return boxes[None] + np.tile(between * (1 - 1 / frames), 2)


def centres(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Middles of boxes, x and y, `[N, 2]`."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def assigned(overlaps: NDArray[np.float64], least: float) -> list[tuple[int, int]]:
    """Pairs (row, column) with the largest sum of overlaps, none of them below `least`.

    Pairs below it count for nothing, so that they never cost a good pair its place.
    """
    from scipy.optimize import linear_sum_assignment

    counted = np.where(overlaps >= least, overlaps, 0.0)
    rows, columns = linear_sum_assignment(counted, maximize=True)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if counted[r, c] > 0]


@dataclass
class _Track:
    face: int
    box: Box
    missing: int = 0
    drift: tuple[float, float] = (0.0, 0.0)
    """Pixels from one judged frame to the next."""

    @property
    def expected(self) -> Box:
        """Its box one step on: one alone, for who was missed may have gone on or stood still."""
        x, y = self.drift
        return replace(self.box, left=self.box.left + x, top=self.box.top + y)

    def seen(self, box: Box, follow: bool) -> None:
        """Take in where it is now, `missing` judged frames after it was seen last."""
        if follow and self.missing:
            (x, y), (was_x, was_y) = box.centre, self.box.centre
            self.drift = (x - was_x) / self.missing, (y - was_y) / self.missing
        self.box, self.missing = box, 0


class Tracker:
    """Numbers for faces that stay the same while they move.

    Args:
        settings: when two boxes are one face.
    """

    def __init__(self, settings: TrackSettings = TrackSettings()) -> None:
        self.settings = settings
        self._tracks: list[_Track] = []
        self._next = 0

    def update(self, boxes: Sequence[Box]) -> list[int]:
        """The numbers of the boxes of the next frame; new faces get the next free number.

        Args:
            boxes: of one judged frame, in any order.

        Returns:
            A number for each box, all of them different.
        """
        pairs = {c: r for r, c in assigned(self._overlaps(boxes), self.settings.overlap)}
        for track in self._tracks:
            track.missing += 1
        numbers = []
        for i, box in enumerate(boxes):
            track = self._tracks[pairs[i]] if i in pairs else self._new(box)
            track.seen(box, follow=self.settings.step > 1)
            numbers.append(track.face)
        self._tracks = [t for t in self._tracks if t.missing <= self.settings.patience]
        return numbers

    def _overlaps(self, boxes: Sequence[Box]) -> NDArray[np.float64]:
        """Of what is expected of every face with every box, `[M, N]`.

        Where every frame is judged a face is expected where it was: neighbouring boxes overlap by
        themselves, and a drift of a few pixels is mostly the trembling of the detector.
        """
        expected = edges([track.expected for track in self._tracks])
        frames = min(self.settings.step, self.settings.farthest)
        return intersection_over_union(expected, drawn_near(edges(boxes), expected, frames))

    def _new(self, box: Box) -> _Track:
        track = _Track(self._next, box)
        self._next += 1
        self._tracks.append(track)
        return track
