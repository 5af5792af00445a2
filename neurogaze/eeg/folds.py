"""Folds as values: who trains, who stops the training, who is tested; hashed, kept in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from itertools import chain, product
from pathlib import Path
from typing import Literal, get_args

from neurogaze.artefacts import settings_hash, write_json
from neurogaze.errors import InputError
from neurogaze.strict_json import parse

PARTS = ("train", "stop", "test")

Protocol = Literal["loso", "loso_clip", "trial", "window"]
Unit = Literal["subject", "subject x clip", "event", "window"]

UNITS: dict[str, Unit] = {
    "loso": "subject",
    "loso_clip": "subject x clip",
    "trial": "event",
    "window": "window",
}
"""What is held out under each protocol."""

LEAKY = ("window",)
"""Protocols that have the same trial on both sides."""


@dataclass(frozen=True)
class Fold:
    """Unit names of one fold; where clips are held out too, a side is its people x its clips.

    Args:
        train: people, rating events or windows that are learned from.
        stop: likewise, that decide when to stop.
        test: likewise, that are tested.
        train_clips: stimuli that are learned from; without clips on any side, clips play no part.
        stop_clips: likewise, that decide when to stop.
        test_clips: likewise, that are tested.

    Raises:
        InputError: for a unit or clip on two sides, twice on one, or a side without any.
    """

    train: tuple[str, ...]
    stop: tuple[str, ...]
    test: tuple[str, ...]
    train_clips: tuple[str, ...] = ()
    stop_clips: tuple[str, ...] = ()
    test_clips: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse overlap and emptiness."""
        _refuse_overlap("fold", (self.train, self.stop, self.test))
        if self.clips:
            _refuse_overlap("clips of a fold", (self.train_clips, self.stop_clips, self.test_clips))

    @property
    def units(self) -> frozenset[str]:
        """Units on any side."""
        return frozenset((*self.train, *self.stop, *self.test))

    @property
    def clips(self) -> frozenset[str]:
        """Clips on any side; empty where clips play no part."""
        return frozenset((*self.train_clips, *self.stop_clips, *self.test_clips))

    @property
    def tested(self) -> Iterable[tuple[str, ...]]:
        """What is tested: (unit,), or (person, clip) of every pair."""
        return product(self.test, self.test_clips) if self.clips else product(self.test)


def _refuse_overlap(where: str, sides: tuple[tuple[str, ...], ...]) -> None:
    """Refuse a name on two sides, a name twice on one, and a side without any."""
    counts = Counter(chain.from_iterable(sides))
    twice = sorted(name for name, times in counts.items() if times > 1)
    if twice:
        raise InputError(where, f"{twice} on more than one side", "draw the split anew")
    if not all(sides):
        sizes = tuple(map(len, sides))
        raise InputError(where, f"sizes {sizes}: one side is empty", "use more units")


@dataclass(frozen=True)
class Split:
    """All folds of a corpus; everything is tested exactly once.

    Args:
        corpus: name.
        protocol: see `SplitSettings`.
        unit: what the names in the folds are, fixed by the protocol: "subject", "event", "window",
            or "subject x clip", where each fold names people and clips.
        folds: the folds.
        n_folds: their number.
        seed: of the draw.

    Raises:
        InputError: for folds that do not test each of the same units (or pairs of person and clip)
            once, or a unit that is not that of the protocol.
    """

    corpus: str
    protocol: str
    unit: Unit
    folds: tuple[Fold, ...]
    n_folds: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse folds that are no partition of what their protocol holds out."""
        where = f"split of {self.corpus}"
        if self.protocol not in get_args(Protocol) or UNITS[self.protocol] != self.unit:
            found = f"protocol {self.protocol!r} with unit {self.unit!r}"
            raise InputError(where, found, f"use one of {UNITS}")
        by_clip = self.unit == "subject x clip"
        if any(bool(fold.clips) != by_clip for fold in self.folds):
            found = f"clips are {'missing' if by_clip else 'named'} under {self.protocol!r}"
            raise InputError(where, found, "name clips under loso_clip and nowhere else")
        if not self._tests_everything_once():
            raise InputError(where, "does not test every unit exactly once", "draw it anew")

    def _tests_everything_once(self) -> bool:
        """Whether the folds are made of the same units and clips and tile them by their tests."""
        tested = Counter(chain.from_iterable(fold.tested for fold in self.folds))
        units, clips = self.units, self.clips
        whole = all(fold.units == units and fold.clips == clips for fold in self.folds)
        size = len(units) * max(1, len(clips))
        return whole and len(tested) == tested.total() == size > 0 == self.n_folds - len(self.folds)

    @property
    def leaky(self) -> bool:
        """Whether training and test share trials, so that its scores mean nothing."""
        return self.protocol in LEAKY

    @property
    def units(self) -> frozenset[str]:
        """Names of all units."""
        return frozenset(chain.from_iterable(fold.test for fold in self.folds))

    @property
    def clips(self) -> frozenset[str]:
        """Names of all clips that are held out; empty but under "loso_clip"."""
        return frozenset(chain.from_iterable(fold.test_clips for fold in self.folds))

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
        names = [field.name for field in fields(Fold)]
        try:
            content = parse(path.read_text(encoding="utf-8"))
            written = content.pop("sha256")
            folds = tuple(
                Fold(**{n: tuple(f.pop(n)) for n in names}, **f) for f in content["folds"]
            )
            split = cls(**{**content, "folds": folds})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(path, f"is no split ({error})", "draw the split anew") from error
        if split.sha256 != written:
            raise InputError(path, f"was altered: its hash is not {written}", "draw it anew")
        return split
