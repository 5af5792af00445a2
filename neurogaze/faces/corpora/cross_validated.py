"""Training and validation pictures of a corpus as one, dealt anew into folds.

An official validation split holds few pictures of the rare classes: FER+ has 13 of contempt.
Judging every picture once, by a network that was not trained on it, gives nine times as many.
Twins, people and recordings are dealt together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neurogaze.errors import InputError
from neurogaze.faces.folds import FaceFold, fold_numbers
from neurogaze.faces.images import KEYS, FaceCorpus, FaceTable, unknown_split

PARTS = ("train", "valid")
N_FOLDS = 5
READER_VERSION = 2
"""Raised when the same files would be read into another table; part of the identity."""

NAMED = re.compile(r"(.+)_cv\d+")
"""How a corpus in folds is called."""


class CrossValidated(FaceCorpus):
    """One fold of a corpus: "valid" is the fold, "train" all other pictures of both splits.

    Args:
        of: the corpus.
        n_folds: folds in all.
        fold: the one that judges, counted from 0.
        seed: of the deal.

    Raises:
        InputError: for fewer than two folds, or a fold that does not exist.
    """

    def __init__(
        self, of: FaceCorpus, n_folds: int = N_FOLDS, fold: int = 0, seed: int = 0
    ) -> None:
        self.of, self.part = of, FaceFold(n_folds, fold, seed)
        self.name = f"{of.name}_cv{n_folds}"
        self.note = of.note

    @property
    def strict(self) -> bool:  # type: ignore[override]
        """Whether the first picture that cannot be read is told; that of the corpus."""
        return self.of.strict

    @strict.setter
    def strict(self, strict: bool) -> None:
        self.of.strict = strict

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read both splits of the corpus and keep the pictures of one side of the fold.

        Raises:
            InputError: for an unknown split, data that cannot be used, or splits that were labelled
                by different rules.
        """
        if split not in PARTS:
            raise unknown_split(self.name, split, PARTS)
        table = joined([self.of.load(part, progress) for part in PARTS], self.name, split)
        held = fold_numbers(table, self.part.n_folds, self.part.seed) == self.part.fold
        return table.take(held if split == "valid" else ~held)

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """That of both splits, and the fold; `generated` where some pictures are."""
        if split not in PARTS:
            raise unknown_split(self.name, split, PARTS)
        said: dict[str, str | int | float | bool] = {
            f"{part}_{key}": value
            for part in PARTS
            for key, value in self.of.identity(part).items()
        }
        if any(said.get(f"{part}_generated") for part in PARTS):
            said["generated"] = True
        fold = {"n_folds": self.part.n_folds, "fold": self.part.fold, "seed": self.part.seed}
        return said | fold | {"corpus": self.name, "split": split, "reader": READER_VERSION}

    def files(self, split: str) -> Sequence[Path]:
        """The files of both splits."""
        return [path for part in PARTS for path in self.of.files(part)]


def joined(tables: Sequence[FaceTable], name: str, split: str) -> FaceTable:
    """Tables of one corpus as one; an id says which split it comes from.

    Pictures that are equal pixel by pixel stay a group, whichever split they come from. A person or
    recording is known only where every table knows some.

    Raises:
        InputError: where the tables were labelled by different rules: some pictures would be judged
            by another rule than the one recorded.
    """
    first = tables[0]
    rules = sorted({table.rule for table in tables})
    if len(rules) > 1:
        found = f"labels its splits by different rules: {', '.join(rules)}"
        remedy = "choose a rule that holds for all splits: majority for FerPlus"
        raise InputError(name, found, remedy)
    known = [k for k in KEYS if all(getattr(table, k) is not None for table in tables)]
    columns = ("images", "labels", "votes", "groups", *known)
    arrays = {c: np.concatenate([getattr(table, c) for table in tables]) for c in columns}
    ids = [np.char.add(f"{table.split}:", table.ids.astype(str)) for table in tables]
    return FaceTable(
        ids=np.concatenate(ids),
        dataset=name,
        split=split,
        rule=first.rule,
        skipped=tuple(one for table in tables for one in table.skipped),
        note=first.note,
        **arrays,
    )


def own_name(dataset: str) -> str:
    """The corpus that a table comes from, without the folds it was dealt into.

    >>> own_name("ferplus_cv5"), own_name("ferplus")
    ('ferplus', 'ferplus')
    """
    found = NAMED.fullmatch(dataset)
    return found[1] if found else dataset
