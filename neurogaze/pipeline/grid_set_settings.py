"""What a file of a set of grids says: which teachers, which kinds of grid, under which seeds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from neurogaze.errors import InputError
from neurogaze.evaluation.chance import Scheme
from neurogaze.pipeline.fold_teachers import Learned
from neurogaze.pipeline.refusals import ONE_A_CORE, refuse_below_one, refuse_no_seed
from neurogaze.pipeline.settings import FitSettings, read_settings
from neurogaze.prototypes.consolidate import ConsolidateSettings

Kind = Literal["eeg", "null", "untrained", "subject", "rawde"]
"""Grids that are made from recordings.

`eeg`: teachers trained on ratings. `null`: on ratings exchanged between rating events. `untrained`:
random weights. `subject`: trained to tell people apart. `rawde`: principal components of the
features, without a teacher.
"""

LEARNED: dict[str, Learned] = {
    "eeg": "ratings",
    "null": "ratings",
    "untrained": "nothing",
    "subject": "people",
}
"""What the teachers of each kind are trained on."""

RATED: tuple[Kind, ...] = ("eeg", "null", "untrained")
"""Kinds whose teachers predict ratings, well or not, and place windows by what they predict."""

LEAST_CELLS = 2
"""Cells on one axis from which on a grid has different places."""


def sized(size: int) -> str:
    """Kind of the grids of the EEG with another number of cells on one axis.

    >>> sized(3)
    'eeg_3x3'
    """
    return f"eeg_{size}x{size}"


def size_of(kind: str) -> int | None:
    """Cells on one axis that a kind of grid names; None where it names none.

    >>> size_of("eeg_9x9"), size_of("eeg"), size_of("eeg_3x9")
    (9, None, None)
    """
    found = re.fullmatch(r"eeg_(\d+)x\1", kind)
    return int(found[1]) if found else None


@dataclass(frozen=True)
class GridSetSettings:
    """Grids of several kinds and seeds from one rated corpus.

    Args:
        name: folder of the set, under `runs/`.
        teacher: one fit a fold of the split, as in a pipeline file.
        seeds: of each kind; a seed is one of teachers and one draw of people. Kinds that predict
            no ratings (`subject`, `rawde`) need the `eeg` grid of the same seed.
        consolidate: how embeddings become a grid.
        sizes: cells on one axis of further grids of every `eeg` seed, listed as `eeg_3x3` and so
            on: the same teachers, embeddings, places and draw of people, cut into other cells. The
            levels of a rating bound what fine grids can hold: DREAMER's five levels map one to a
            bin at 5x5, and can never fill more than 25 of 49 cells at 7x7 or of 81 at 9x9.
            Predictions that take the distribution of such ratings add little: only those at the
            step between two levels lie elsewhere.
        scheme: how ratings are exchanged for `null`.
        permutations: for the simulated chance bands.
        workers: trainings at once; null: one a core.
        note: stamped on every row.

    Raises:
        InputError: for an unknown kind, no EEG grid, a grid that one of its own seed is missing
            for, a seed that no generator takes, teachers of which only one would be used, a size
            that makes no other grid, or a number of permutations or workers below 1.
    """

    name: str
    teacher: FitSettings
    seeds: dict[Kind, list[int]]
    consolidate: ConsolidateSettings = ConsolidateSettings()
    sizes: list[int] = field(default_factory=list)
    scheme: Scheme = "within_subject"
    permutations: int = 200
    workers: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what would only be found out hours later."""
        unknown = [kind for kind in self.seeds if kind not in get_args(Kind)]
        if unknown:
            remedy = f'use {", ".join(get_args(Kind))}, with quotes around "null"'
            raise InputError("seeds", f"{unknown} are no kinds of grid", remedy)
        if not self.seeds.get("eeg"):
            raise InputError("seeds", "name no eeg grid", "give eeg one seed or more")
        for kind, seeds in self.seeds.items():
            refuse_no_seed("seeds", seeds)
            missing = sorted({*seeds} - {*self.seeds["eeg"]})
            if kind not in RATED and missing:
                found = f"{kind} {missing} would be placed by eeg teachers that are not there"
                raise InputError("seeds", found, "give eeg the same seeds")
        if self.consolidate.mode != "crossfit":
            found = f"mode is {self.consolidate.mode!r}, which uses the teacher of one fold"
            raise InputError("consolidate", found, "use crossfit")
        usual = self.consolidate.size
        no_other = [n for n in self.sizes if n < LEAST_CELLS or n == usual]
        if no_other:
            remedy = f"name sizes of {LEAST_CELLS} or more; {usual} is made in any case"
            raise InputError("sizes", f"{no_other} make no other grid", remedy)
        refuse_below_one("permutations", self.permutations)
        refuse_below_one("workers", self.workers, ONE_A_CORE)

    @property
    def grids(self) -> list[tuple[str, int]]:
        """Kind and seed of every grid in the order they are made, those of the EEG first."""
        eeg, *others = get_args(Kind)
        kinds = [eeg, *(sized(n) for n in self.sizes), *others]
        return [(k, s) for k in dict.fromkeys(kinds) for s in dict.fromkeys(self._seeds(k))]

    def _seeds(self, kind: str) -> list[int]:
        """Seeds of the grids of a kind; those of another size have the seeds of the EEG."""
        own = "eeg" if size_of(kind) else kind
        return [seed for name, seeds in self.seeds.items() if name == own for seed in seeds]

    def consolidation(self, kind: str) -> ConsolidateSettings:
        """How embeddings become a grid of a kind: as asked, at the size that the kind names."""
        return replace(self.consolidate, size=size_of(kind) or self.consolidate.size)


def load_grid_set(path: Path) -> GridSetSettings:
    """Read a file of a set of grids; paths in it are relative to the file.

    Raises:
        InputError: when it cannot be read, or a key is missing, unknown or of the wrong type.
    """
    settings = read_settings(path, GridSetSettings)
    return replace(settings, teacher=settings.teacher.relative_to(path.parent))
