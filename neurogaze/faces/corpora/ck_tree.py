"""The official tree of CK+: which frames of which sequence carry a label, and where the face is.

Pictures lie in `cohn-kanade-images/S005/001`, the label of a sequence in `Emotion/S005/001` and 68
points of each frame in `Landmarks/S005/001` (Lucey et al., CVPR Workshops 2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.faces.corpora.classes import Codes, labels_of
from neurogaze.faces.corpora.places import PICTURES, first_place, folders_in, pictures_in
from neurogaze.faces.decoding import read_grey
from neurogaze.faces.reading import Box, fitted

CODES = Codes(("neutral", "anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise"))
"""Numbers in the emotion files; no sequence of the release has 0."""

IMAGES = ("extended-cohn-kanade-images/cohn-kanade-images", "cohn-kanade-images")
EMOTIONS_AT = ("Emotion_labels/Emotion", "Emotion")
LANDMARKS = ("Landmarks/Landmarks", "Landmarks")
"""Places of the three trees below the root, some behind the folder that their archive makes."""

SEQUENCES = (0, 69, 83, 28, 45, 59, 25, 18)
"""Labelled sequences of each emotion in the release, in the order of `EMOTIONS`: 327."""

EMOTION_ENDING = "_emotion.txt"
LANDMARK_ENDING = "_landmarks.txt"
N_POINTS = 68
FOREHEAD = 0.30
"""Room above the points, in their height: they begin at the brows."""
ROOM = 0.05
"""Room on the other three sides, in the extent of the points."""


@dataclass(frozen=True)
class Frame:
    """One labelled frame.

    Args:
        picture: the file; where a labelled sequence has no frame, the folder that should hold them.
        subject: person, such as "S005".
        sequence: recording, such as "S005_001".
        label: index into the emotions of the package.
        landmarks: file of its 68 points, or None.
    """

    picture: Path
    subject: str
    sequence: str
    label: int
    landmarks: Path | None

    @property
    def sample(self) -> str:
        """Sample id, such as "S005/001/S005_001_00000011"."""
        return "/".join((*self.sequence.split("_"), self.picture.stem))

    @property
    def exists(self) -> bool:
        """Whether the sequence has a frame at all."""
        return self.picture.suffix.lower() in PICTURES


def labelled_frames(root: Path, last: int, neutral: bool, remedy: str) -> list[Frame]:
    """Frames that carry a label, by person and sequence.

    Args:
        root: folder that holds the trees of pictures and of emotions.
        last: how many frames at the end of a labelled sequence show its emotion.
        neutral: take the first frame as neutral too, unless it is among the last.
        remedy: what to do when the trees are not there.

    Raises:
        InputError: when they are not, or an emotion file does not parse.
    """
    images, emotions = first_place(root, IMAGES, remedy), first_place(root, EMOTIONS_AT, remedy)
    points = next((root / place for place in LANDMARKS if (root / place).is_dir()), None)
    found: list[Frame] = []
    for place, code in _labelled(emotions):
        label = labels_of(emotions, [CODES.name(code)])[0]
        subject, sequence = place.parts[-2], "_".join(place.parts[-2:])
        within = Path(*place.parts[-2:])
        marks = points / within if points else None
        for picture, shown in _frames(images / within, label, last, neutral):
            found.append(Frame(picture, subject, sequence, shown, _marks_of(marks, picture)))
    if not found:
        raise InputError(emotions, "labels no sequence", remedy)
    return found


def _labelled(emotions: Path) -> Iterator[tuple[Path, str]]:
    """Folder and code of every sequence that has one; unlabelled ones have an empty folder."""
    for subject in folders_in(emotions):
        for number in folders_in(emotions / subject):
            folder = emotions / subject / number
            files = [f for f in folder.iterdir() if _says(f)]
            codes = {code_of(file) for file in files}
            if len(codes) > 1:
                found = f"labels one sequence {' and '.join(sorted(codes))}"
                raise InputError(folder, found, "keep the file of the release")
            if codes:
                yield folder, codes.pop()


def _says(file: Path) -> bool:
    return file.name.endswith(EMOTION_ENDING) and not file.name.startswith(".")


def code_of(file: Path) -> str:
    """The code in an emotion file, which holds one number as text, such as "   3.0000000e+00".

    Raises:
        InputError: when it is no whole number among the codes.
    """
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value.is_integer() or not 0 <= value < len(CODES.names):
        raise InputError(file, f"holds {text[:40]!r}", f"give one code of {CODES}")
    return str(int(value))


def _frames(folder: Path, label: int, last: int, neutral: bool) -> Iterator[tuple[Path, int]]:
    names = sorted(pictures_in(folder), key=_number) if folder.is_dir() else []
    if not names:
        yield folder, label
        return
    if neutral and len(names) > last:
        yield folder / names[0], labels_of(folder, [CODES.names[0]])[0]
    for name in names[-last:]:
        yield folder / name, label


def _number(name: str) -> tuple[int, str]:
    """Frames by number, then by name: padding differs in some copies."""
    digits = Path(name).stem.rpartition("_")[2]
    return (int(digits) if digits.isdecimal() else -1, name)


def _marks_of(folder: Path | None, picture: Path) -> Path | None:
    if folder is None:
        return None
    file = folder / f"{picture.stem}{LANDMARK_ENDING}"
    return file if file.is_file() else None


def read_face(frame: Frame) -> NDArray[np.uint8]:
    """The face of a frame, cut out by its points, else the square in the middle.

    Returns:
        `uint8 [48, 48]`.

    Raises:
        InputError: when picture or points cannot be read, or the sequence has no frame.
    """
    if not frame.exists:
        raise InputError(frame.picture, "holds no frame of a labelled sequence", "restore it")
    image = read_grey(frame.picture)
    if frame.landmarks is None:
        return fitted(image)
    try:
        return fitted(image, face_box(read_points(frame.landmarks)))
    except InputError as error:
        raise InputError(frame.landmarks, error.found, "restore the file") from None


def read_points(file: Path) -> NDArray[np.float64]:
    """The points of a frame, `[68, 2]`, x and y in pixels from the upper left corner.

    Raises:
        InputError: when the file holds anything else.
    """
    try:
        text = file.read_text(encoding="utf-8")
        points = np.array([line.split() for line in text.splitlines() if line.strip()], dtype=float)
    except (OSError, ValueError) as error:
        raise InputError(file, f"no table of points ({error})", "restore the file") from error
    if points.shape != (N_POINTS, 2) or not np.isfinite(points).all():
        found = f"points of shape {points.shape}, or not finite; expected ({N_POINTS}, 2)"
        raise InputError(file, found, "restore the file")
    return points


def face_box(points: NDArray[np.float64]) -> Box:
    """Around the points, with room for the forehead: framed about as FER2013 is.

    Args:
        points: `[68, 2]`, x and y.

    >>> [round(side, 6) for side in face_box(np.array([[10.0, 20.0], [110.0, 120.0]]))]
    [5.0, -10.0, 110.0, 135.0]
    """
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    width, height = right - left, bottom - top
    return (
        left - ROOM * width,
        top - FOREHEAD * height,
        width * (1 + 2 * ROOM),
        height * (1 + FOREHEAD + ROOM),
    )
