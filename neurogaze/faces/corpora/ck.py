"""CK+ as released: a tree of pictures, one of labels, and one of points where there is.

CK+ is a test set in all its forms: every row is offered as "valid", and there is no "train". The
release labels 327 sequences of 118 people by the emotion that their last frames show.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora.ck_tree import SEQUENCES, Frame, labelled_frames, read_face
from neurogaze.faces.corpora.labelled import (
    TEST_SPLITS,
    check_test_split,
    content_identity,
    labelled_table,
)
from neurogaze.faces.corpora.places import lines_hash, root_of, root_remedy, size_of
from neurogaze.faces.corpora.published import refuse_mixed_up
from neurogaze.faces.images import FaceCorpus, FaceTable
from neurogaze.faces.reading import read_pictures

LAST_FRAMES = (1, 3)


class CkPlus(FaceCorpus):
    """CK+ as released (Lucey et al., CVPR Workshops 2010); every row is "valid".

    A face is cut out by the 68 points of its frame. Where they are not there it is the largest
    square in the middle of the frame, with a warning and a note in the table: the face is small in
    it.

    Args:
        root: folder that holds `cohn-kanade-images` and `Emotion`, themselves or in the folders of
            their archives, and `Landmarks` where there is; by default the environment variable
            `NEUROGAZE_CKPLUS`.
        frames: how many frames at the end of a sequence show its emotion, 1 or 3.
        neutral: whether the first frame of a labelled sequence is neutral.
        strict: raise at the first frame that is missing or unreadable, rather than skip it.

    Raises:
        InputError: for another number of frames. Files are looked for when a split is loaded.
    """

    splits = TEST_SPLITS

    def __init__(
        self,
        root: Path | None = None,
        frames: Literal[1, 3] = 3,
        neutral: bool = False,
        strict: bool = False,
    ) -> None:
        if frames not in LAST_FRAMES:
            raise InputError("--data.corpus.frames", f"is {frames}", f"use one of {LAST_FRAMES}")
        self.name = "ckplus"
        self.frames, self.neutral, self.strict = frames, neutral, strict
        self._root = root

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read the labelled frames, by person and sequence.

        Raises:
            InputError: for an unknown split, missing trees, a label that does not parse, or when
                the published number of sequences belongs to other emotions.
        """
        check_test_split(self.name, split)
        root = root_of(self._root, self.name)
        listed = self._listed(root)
        labels = np.array([frame.label for frame in listed], dtype=np.int64)
        _refuse_other_numbers(root, labels, self.frames)
        note = note_of_squares(listed)
        if note:
            warnings.warn(f"{root}: {note}", stacklevel=2)
        ids = [frame.sample for frame in listed]
        read = read_pictures(ids, lambda i: read_face(listed[i]), root, self.strict, progress)
        return labelled_table(
            read,
            ids,
            labels,
            (self.name, split, self._rule),
            subjects=[frame.subject for frame in listed],
            sequences=[frame.sequence for frame in listed],
            note=note,
        )

    def _listed(self, root: Path) -> list[Frame]:
        return labelled_frames(root, self.frames, self.neutral, root_remedy(self.name))

    @property
    def _rule(self) -> str:
        """Which frames have which label."""
        last = "last frame" if self.frames == 1 else f"last {self.frames} frames"
        return f"{last}, first neutral" if self.neutral else last

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """Labels of the frames, and size of their pictures and points; pixels are not read."""
        check_test_split(self.name, split)
        listed = self._listed(root_of(self._root, self.name))
        rows = [
            f"{f.sample} {f.label} {size_of(f.picture)} {f.landmarks and size_of(f.landmarks)}"
            for f in listed
        ]
        return content_identity(self.name, split, self.strict, lines_hash(rows)) | {
            "rule": self._rule
        }

    def files(self, split: str) -> tuple[Path, ...]:
        """Pictures and points of the frames."""
        check_test_split(self.name, split)
        listed = self._listed(root_of(self._root, self.name))
        return tuple(path for f in listed for path in (f.picture, f.landmarks) if path)


def _refuse_other_numbers(root: Path, labels: NDArray[np.int64], frames: int) -> None:
    """Hold emotions, first frames apart, against the published number of sequences."""
    counts = np.bincount(labels, minlength=len(EMOTIONS)) // frames
    counts[EMOTIONS.index("neutral")] = 0
    refuse_mixed_up(root, counts, SEQUENCES)


def note_of_squares(frames: list[Frame]) -> str:
    """What must be said of frames without points; empty where all have them."""
    bare = [frame for frame in frames if frame.exists and frame.landmarks is None]
    if not bare:
        return ""
    return (
        f"{len(bare)} of {len(frames)} frames have no landmarks, first {bare[0].sample}; the "
        "square in the middle of the frame stands for the face, which is small in it"
    )
