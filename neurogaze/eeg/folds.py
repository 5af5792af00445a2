"""Folds as values: who trains, who stops the training, who is tested; hashed, kept in a file."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from neurogaze.artefacts import settings_hash, write_json
from neurogaze.errors import InputError

PARTS = ("train", "stop", "test")


@dataclass(frozen=True)
class Fold:
    """Unit names of one fold.

    Raises:
        InputError: for a unit on two sides, twice on one, or a side without any.
    """

    train: tuple[str, ...]
    stop: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse overlap and emptiness."""
        names = [*self.train, *self.stop, *self.test]
        twice = sorted(name for name, times in Counter(names).items() if times > 1)
        if twice:
            raise InputError("fold", f"{twice} on more than one side", "draw the split anew")
        if not (self.train and self.stop and self.test):
            sizes = (len(self.train), len(self.stop), len(self.test))
            raise InputError("fold", f"sizes {sizes}: one side is empty", "use more units")


@dataclass(frozen=True)
class Split:
    """All folds of a corpus; every unit is tested exactly once.

    Args:
        corpus: name.
        protocol: see `SplitSettings`.
        unit: "subject" or "event", what the names in the folds are.
        folds: the folds.
        n_folds: their number.
        seed: of the draw.

    Raises:
        InputError: for folds that do not test each of the same units once.
    """

    corpus: str
    protocol: str
    unit: Literal["subject", "event"]
    folds: tuple[Fold, ...]
    n_folds: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse folds that are no partition of the units."""
        tested = [name for fold in self.folds for name in fold.test]
        whole = all({*f.train, *f.stop, *f.test} == set(tested) for f in self.folds)
        if not whole or len(set(tested)) < len(tested) or self.n_folds != len(self.folds):
            where = f"split of {self.corpus}"
            raise InputError(where, "does not test every unit exactly once", "draw it anew")

    @property
    def units(self) -> frozenset[str]:
        """Names of all units."""
        return frozenset(chain.from_iterable(fold.test for fold in self.folds))

    @property
    def sha256(self) -> str:
        """Hash over the content."""
        return settings_hash(asdict(self))

    def save(self, path: Path) -> None:
        """Write the split and its hash as JSON."""
        write_json(path, {**asdict(self), "sha256": self.sha256})

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read a split.

        Raises:
            InputError: for a file that is absent, no split, or altered since it was written.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            written = content.pop("sha256")
            folds = tuple(
                Fold(**{p: tuple(f.pop(p)) for p in PARTS}, **f) for f in content["folds"]
            )
            split = cls(**{**content, "folds": folds})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(path, f"is no split ({error})", "draw the split anew") from error
        if split.sha256 != written:
            raise InputError(path, f"was altered: its hash is not {written}", "draw it anew")
        return split
