"""Faces of many pictures judged together: the student is asked once for a batch of them.

Pictures wait in a group until they hold enough faces. The groups depend on the pictures alone, and
nothing of a group is left for the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neurogaze.deploy.boxes import Box
from neurogaze.deploy.recogniser import Recogniser
from neurogaze.deploy.rows import Place, Reading, readings
from neurogaze.faces.reading import FACE_SIZE

HELD_PIXELS = 100_000_000
"""Of pictures that wait, beyond which a group is closed: 300 MB."""

WAITING = 4
"""Shots that wait for each face of a batch, where few of them hold one."""

NO_FACES = np.zeros((0, FACE_SIZE, FACE_SIZE), dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture or frame after its detector, before its student.

    Args:
        place: what it is called.
        boxes: of its faces.
        numbers: of its faces, one a box.
        faces: cut out, grey `uint8 [N, 48, 48]`; none where the answers of the frame before are
            `repeated`.
        rgb: the picture, `uint8 [H, W, 3]`, where it will be drawn on.
        trouble: why it could not be read; "" where it could.
        repeated: the frame was skipped.
    """

    place: Place
    boxes: Sequence[Box] = ()
    numbers: Sequence[int] = ()
    faces: NDArray[np.uint8] = field(default_factory=lambda: NO_FACES)
    rgb: NDArray[np.uint8] | None = None
    trouble: str = ""
    repeated: bool = False

    @property
    def pixels(self) -> int:
        """Of the picture that is kept."""
        return 0 if self.rgb is None else self.rgb.shape[0] * self.rgb.shape[1]


def in_groups(shots: Iterable[Shot], faces: int) -> Iterator[list[Shot]]:
    """Collect shots until they hold `faces` faces, are `WAITING` times as many, or fill memory.

    Args:
        shots: one after another.
        faces: that are judged at once, at least 1.
    """
    group: list[Shot] = []
    held = pixels = 0
    for shot in shots:
        group.append(shot)
        held, pixels = held + len(shot.faces), pixels + shot.pixels
        if held >= faces or len(group) >= WAITING * faces or pixels >= HELD_PIXELS:
            yield group
            group, held, pixels = [], 0, 0
    if group:
        yield group


def asked(group: Sequence[Shot], recogniser: Recogniser, batch_size: int) -> list[list[Reading]]:
    """What the student says of every face of every shot.

    Args:
        group: shots with their faces.
        recogniser: the student.
        batch_size: faces it is asked about at once.
    """
    faces = np.concatenate([shot.faces for shot in group])
    said: list[Reading] = []
    for start in range(0, len(faces), batch_size):
        said += readings(recogniser.answers(faces[start : start + batch_size]))
    ends = np.cumsum([len(shot.faces) for shot in group]).tolist()
    return [said[end - len(shot.faces) : end] for shot, end in zip(group, ends, strict=True)]
