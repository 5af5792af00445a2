"""Which box of this frame is which face of the last: assignment by overlap.

Boxes of neighbouring frames are matched so that the sum of their intersections over union is the
largest (the assignment problem; Kuhn, Naval Research Logistics Quarterly 2, 1955, solved by SciPy).
Faces are told apart by place alone: nobody is recognised, and whoever comes back after a while gets
a new number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurogaze.deploy.boxes import Box


@dataclass(frozen=True)
class TrackSettings:
    """When two boxes are one face.

    Args:
        overlap: least intersection over union of boxes in neighbouring frames.
        patience: judged frames for which a face may be missing and keep its number.
    """

    overlap: float = 0.3
    patience: int = 15


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
        other: the same, `[N, 4]`.

    Returns:
        `[M, N]`, 0 to 1.
    """
    least = np.maximum(one[:, None, :2], other[None, :, :2])
    most = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(most - least, 0.0, None).prod(axis=2)
    areas = [(box[:, 2:] - box[:, :2]).prod(axis=1) for box in (one, other)]
    joint = areas[0][:, None] + areas[1][None] - shared
    return np.asarray(np.divide(shared, joint, out=np.zeros_like(shared), where=joint > 0))


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
            boxes: of one frame, in any order.

        Returns:
            A number for each box, all of them different.
        """
        overlaps = intersection_over_union(edges([t.box for t in self._tracks]), edges(boxes))
        pairs = {c: r for r, c in assigned(overlaps, self.settings.overlap)}
        for track in self._tracks:
            track.missing += 1
        numbers = []
        for i, box in enumerate(boxes):
            track = self._tracks[pairs[i]] if i in pairs else self._new(box)
            track.box, track.missing = box, 0
            numbers.append(track.face)
        self._tracks = [t for t in self._tracks if t.missing <= self.settings.patience]
        return numbers

    def _new(self, box: Box) -> _Track:
        track = _Track(self._next, box)
        self._next += 1
        self._tracks.append(track)
        return track
