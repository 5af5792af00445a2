"""FER+: folders of pictures as its authors' script writes them, or `fer2013.csv`, and the votes.

Pictures and votes meet by the name in the votes file, never by the number in the name: that number
counts named rows and lags behind the row index. A name that occurs in two rows counts twice. Both
sources give one and the same table.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import file_hash
from neurogaze.errors import InputError
from neurogaze.faces.corpora.ferplus_csv import OFFICIAL_ROWS, PIXELS_NAME, find_sheet, sheet_reader
from neurogaze.faces.corpora.places import MissingError, lines_hash, root_of, root_remedy
from neurogaze.faces.corpora.repacks import refuse_class_folders, refuse_surplus
from neurogaze.faces.corpora.votes import USAGES, VOTES_NAME, VOTES_REMEDY, VoteSheet, read_votes
from neurogaze.faces.decoding import read_grey
from neurogaze.faces.images import FaceCorpus, FaceTable, pixel_groups, unknown_split
from neurogaze.faces.labels import (
    DROPPED,
    majority_label,
    plurality8_label,
    vote_distribution,
)
from neurogaze.faces.reading import FACE_SIZE, read_pictures

FOLDERS = {"train": "FER2013Train", "valid": "FER2013Valid", "test": "FER2013Test"}
RULES = ("majority", "plurality8", "votes")
IMAGE_SIZE = (FACE_SIZE, FACE_SIZE)
READER_VERSION = 1
"""Raised when the same files would be read into another table; part of the identity."""

OFFICIAL_COUNTS = {
    ("majority", "train"): 25_060,
    ("majority", "valid"): 3_199,
    ("majority", "test"): 3_153,
    ("plurality8", "train"): 28_559,
    ("plurality8", "valid"): 3_579,
    ("plurality8", "test"): 3_573,
    ("votes", "train"): 28_559,
    ("votes", "valid"): 3_199,
    ("votes", "test"): 3_153,
}
"""Rows that a rule keeps of the published votes file."""


def rule_of(rule: str, split: str) -> str:
    """The rule in force on a split: "votes" judges by majority.

    >>> rule_of("votes", "train"), rule_of("votes", "valid")
    ('votes', 'majority')
    """
    return "majority" if rule == "votes" and split != "train" else rule


def label_by(rule: str, votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Labels of a votes table `[N, 10]` under a rule, -1 where the row is left out."""
    return majority_label(votes) if rule == "majority" else plurality8_label(votes)


def rows_of(sheet: VoteSheet, rule: str, split: str) -> NDArray[np.int64]:
    """Rows of the votes file that a split holds under a rule, in file order.

    They are named, belong to the split and have a label; no picture is looked at.
    """
    labels = label_by(rule_of(rule, split), sheet.votes)
    belongs = (sheet.usage == USAGES[split]) & (labels != DROPPED) & (sheet.names != "")
    return np.flatnonzero(belongs).astype(np.int64)


def find_source(root: Path, split: str) -> Path:
    """The folder of pictures of a split, under `root` or `root/data`, else `fer2013.csv`.

    Raises:
        MissingError: when there is neither.
        InputError: for a re-pack in their place.
    """
    for folder in (root / FOLDERS[split], root / "data" / FOLDERS[split]):
        if folder.is_dir():
            return folder
    sheet = find_sheet(root)
    if sheet is None:
        refuse_class_folders(root)
        found = f"holds no folder {FOLDERS[split]} (nor data/...), and no {PIXELS_NAME}"
        raise MissingError(root, found, root_remedy("ferplus"))
    return sheet


def reader_of(source: Path, sheet: VoteSheet, split: str) -> Callable[[int], NDArray[np.uint8]]:
    """What gives the picture of a row of the votes file, `uint8 [48, 48]`.

    Raises:
        InputError: for a folder that is a re-pack, or a CSV whose rows are others.
    """
    if source.is_file():
        return sheet_reader(source, sheet)
    refuse_surplus(source, set(sheet.names[sheet.usage == USAGES[split]].tolist()) - {""})
    return lambda row: read_grey(source / str(sheet.names[row]), IMAGE_SIZE)


class FerPlus(FaceCorpus):
    """FER2013 pictures with the votes of FER+ (Barsoum et al., ICMI 2016).

    Args:
        root: folder that holds `FER2013Train` and so on, itself or in `data`, or else
            `fer2013.csv`, itself or in `fer2013`; by default the environment variable
            `NEUROGAZE_FERPLUS`.
        votes: the votes file; by default `NEUROGAZE_FERPLUS_VOTES`, else `fer2013new.csv` in root.
        rule: "majority" as FER+ publishes it; "plurality8", most votes among the emotions; or
            "votes", which trains on every picture with a vote for an emotion (take
            `target: votes`) and judges by majority, as FER+ does in its soft modes.
        strict: raise at the first picture that is missing or unreadable, rather than skip it.

    Raises:
        InputError: for an unknown rule. Files are looked for when a split is loaded.
    """

    def __init__(
        self,
        root: Path | None = None,
        votes: Path | None = None,
        rule: Literal["majority", "plurality8", "votes"] = "majority",
        strict: bool = False,
    ) -> None:
        if rule not in RULES:
            raise InputError("--data.corpus.rule", f"is {rule!r}", f"use one of {RULES}")
        self.name = "ferplus"
        self.rule = rule
        self.strict = strict
        self._root, self._votes = root, votes

    @property
    def root(self) -> Path:
        """Folder of the corpus.

        Raises:
            InputError: when none is given, or it does not exist.
        """
        return root_of(self._root, self.name)

    @property
    def votes_path(self) -> Path:
        """The votes file.

        Raises:
            MissingError: when there is none.
        """
        given = self._votes or os.environ.get("NEUROGAZE_FERPLUS_VOTES")
        path = Path(given) if given else self.root / VOTES_NAME
        if not path.is_file():
            raise MissingError(path, "there is no such file", VOTES_REMEDY)
        return path

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read one split; rows come in the order of the votes file.

        Unreadable pictures are skipped with a warning, or raise when `strict`.

        Raises:
            InputError: for an unknown split, missing files, or an official votes file under which
                the number of rows is not the published one.
        """
        if split not in USAGES:
            raise unknown_split(self.name, split, tuple(USAGES))
        source, sheet = find_source(self.root, split), read_votes(self.votes_path)
        rows = rows_of(sheet, self.rule, split)
        self._check_official(len(sheet.names), len(rows), split)
        picture = reader_of(source, sheet, split)
        ids = np.array([_sample_id(row, sheet.names[row]) for row in rows], dtype=np.str_)
        read = read_pictures(
            ids.tolist(), lambda i: picture(rows[i]), source, self.strict, progress
        )
        kept, rule = rows[read.kept], rule_of(self.rule, split)
        return FaceTable(
            images=read.images,
            ids=ids[read.kept],
            labels=label_by(rule, sheet.votes)[kept],
            votes=vote_distribution(sheet.votes[kept]),
            groups=pixel_groups(read.images),
            dataset=self.name,
            split=split,
            rule=rule,
            skipped=read.skipped,
        )

    def _check_official(self, n_rows: int, n_kept: int, split: str) -> None:
        expected = OFFICIAL_COUNTS[self.rule, split]
        if n_rows == OFFICIAL_ROWS and n_kept != expected:
            found = f"{n_kept} {split} rows pass the rule {self.rule!r}, published: {expected}"
            raise InputError(self.votes_path, found, "restore the published votes file")

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """Votes by content, pictures by name and size, and the settings that change the table.

        Pixels are not read: a picture replaced by another of equal name and file size has another
        time, which the store looks at. `fer2013.csv` is known by content.
        """
        if split not in USAGES:
            raise unknown_split(self.name, split, tuple(USAGES))
        return {
            "corpus": self.name,
            "split": split,
            "rule": self.rule,
            "strict": self.strict,
            "reader": READER_VERSION,
            "votes_sha256": file_hash(self.votes_path),
            **_source_identity(find_source(self.root, split)),
        }

    def files(self, split: str) -> Sequence[Path]:
        """The pictures of a folder; none of `fer2013.csv`, which is known by content."""
        if split not in USAGES:
            raise unknown_split(self.name, split, tuple(USAGES))
        source = find_source(self.root, split)
        if source.is_file():
            return []
        with os.scandir(source) as entries:
            return [source / name for name in sorted(e.name for e in entries if e.is_file())]


def _source_identity(source: Path) -> dict[str, str]:
    if source.is_file():
        return {"pixels_sha256": file_hash(source)}
    return {"listing_sha256": _listing_hash(source)}


def _listing_hash(folder: Path) -> str:
    with os.scandir(folder) as entries:
        lines = sorted(f"{e.name} {e.stat().st_size}" for e in entries if e.is_file())
    return lines_hash(lines)


def _sample_id(row: int, name: str) -> str:
    return f"row{row:05d}/{name}"
