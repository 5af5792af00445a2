"""Copies of AffectNet in one folder a class, numbered or named.

Numbers are the codes of AffectNet; names are read as names. Their sorted order means nothing: tools
that number sorted names (anger, contempt, disgust, ...) make other codes.
"""

from __future__ import annotations

from pathlib import Path

from neurogaze.faces.corpora.affectnet_8label import PUBLISHED
from neurogaze.faces.corpora.affectnet_lists import AFFECTNET_CODES
from neurogaze.faces.corpora.class_folders import list_classes
from neurogaze.faces.corpora.labelled import Listed, listed_identity, read_listed
from neurogaze.faces.corpora.places import MissingError, folders_in, root_of, root_remedy
from neurogaze.faces.corpora.published import compare_counts
from neurogaze.faces.images import FaceCorpus, FaceTable, unknown_split

FOLDERS = {"train": ("train",), "valid": ("val", "valid", "validation", "test")}
"""What the folder of a split is called, in small letters; the first that is there counts."""


def find_split(root: Path, split: str) -> Path:
    """The folder of a split, whatever its capitals.

    Raises:
        MissingError: when there is none.
    """
    present = {name.lower(): name for name in folders_in(root)}
    for name in FOLDERS[split]:
        if name in present:
            return root / present[name]
    found = f"holds no folder {' or '.join(FOLDERS[split])}"
    raise MissingError(root, found, root_remedy("affectnet_folders"))


class AffectNetFolders(FaceCorpus):
    """AffectNet as `train/<class>/*` and `val/<class>/*`.

    The validation folder may be called `val`, `valid`, `validation` or `test`. A copy without
    contempt has seven emotions.

    Args:
        root: folder of the two; by default the environment variable
            `NEUROGAZE_AFFECTNET_FOLDERS`.
        strict: raise at the first picture that is unreadable, rather than skip it.
    """

    def __init__(self, root: Path | None = None, strict: bool = False) -> None:
        self.name = "affectnet_folders"
        self.strict = strict
        self._root = root
        self._listed: dict[str, Listed] = {}

    def listed(self, split: str) -> Listed:
        """Pictures of a split, listed once.

        Raises:
            InputError: for an unknown split, a missing folder, or folders that are not classes.
        """
        if split not in FOLDERS:
            raise unknown_split(self.name, split, tuple(FOLDERS))
        if split not in self._listed:
            folder = find_split(root_of(self._root, self.name), split)
            self._listed[split] = list_classes(folder, AFFECTNET_CODES)
        return self._listed[split]

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read "train" or "valid" folder by folder.

        Raises:
            InputError: as `listed`; when no picture can be read; or when the published number of
                pictures belongs to other emotions.
        """
        listed = self.listed(split)
        compare_counts(listed.folder, listed.class_counts, PUBLISHED[split])
        return read_listed(listed, self.name, split, self.strict, progress)

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """Labels by folder, pictures by name and size."""
        return listed_identity(self.listed(split), self.name, split, self.strict)

    def files(self, split: str) -> tuple[Path, ...]:
        """The picture files of a split."""
        return self.listed(split).paths
