"""Every picture under a folder, without labels: only for warm-ups."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurogaze.affect import EMOTIONS
from neurogaze.faces.corpora.places import PICTURES, MissingError, hidden, lines_hash, size_of
from neurogaze.faces.images import FaceCorpus, FaceTable, pixel_groups, unknown_split
from neurogaze.faces.reading import FACE_SIZE, fitted, read_pictures
from neurogaze.faces.upright import read_upright
from neurogaze.faces.walking import files_under

SPLIT = "unlabelled"
"""The one split; no training with labels and no evaluation asks for it."""

READER_VERSION = 2
"""Raised when the same files would be read into another table; part of the identity."""


class FaceFolder(FaceCorpus):
    """Pictures of faces whose labels are not known, or not to be used.

    It has one split, "unlabelled"; labels and votes of its table mean nothing (votes are even).
    Hidden files and folders are passed over. Ids are paths below the folder.

    Args:
        root: the folder; searched at every depth, and through links to folders, each folder once.
        strict: raise at the first picture that is unreadable, rather than skip it.
    """

    def __init__(self, root: Path, strict: bool = False) -> None:
        self.name = "folder"
        self.root, self.strict = Path(root), strict

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read all pictures upright, by path, each as its largest middle square.

        Raises:
            InputError: for another split, or a folder without a picture.
        """
        paths = self._paths(split)
        ids = [path.relative_to(self.root).as_posix() for path in paths]
        read = read_pictures(
            ids, lambda i: fitted(read_upright(paths[i])), self.root, self.strict, progress
        )
        n = len(read.kept)
        return FaceTable(
            images=read.images,
            ids=np.array(ids, dtype=np.str_)[read.kept],
            labels=np.zeros(n, dtype=np.int64),
            votes=np.full((n, len(EMOTIONS)), 1 / len(EMOTIONS), dtype=np.float32),
            groups=pixel_groups(read.images),
            dataset=self.name,
            split=split,
            rule="no labels",
            skipped=read.skipped,
        )

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """Pictures by path and file size; pixels are not read."""
        lines = [
            f"{path.relative_to(self.root).as_posix()} {size_of(path)}"
            for path in self._paths(split)
        ]
        return {
            "corpus": self.name,
            "split": split,
            "strict": self.strict,
            "reader": READER_VERSION,
            "face_size": FACE_SIZE,
            "listing_sha256": lines_hash(lines),
        }

    def files(self, split: str) -> tuple[Path, ...]:
        """The picture files, by path."""
        return tuple(self._paths(split))

    def _paths(self, split: str) -> list[Path]:
        if split != SPLIT:
            raise unknown_split(self.name, split, (SPLIT,))
        walked = files_under(self.root)
        # broken links and pipes are named as pictures that cannot be read, as missing files are
        listed = [*walked.files, *walked.irregular, *(path for path, _ in walked.refused)]
        found = [
            path
            for path in listed
            if path.suffix.lower() in PICTURES and not hidden(path.relative_to(self.root))
        ]
        if not found:
            raise MissingError(self.root, "holds no picture", f"name a folder with {PICTURES}")
        return sorted(found)
