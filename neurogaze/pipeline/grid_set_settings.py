"""What a file of a set of grids says: which teachers, which kinds of grid, under which seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from neurogaze.errors import InputError
from neurogaze.evaluation.chance import Scheme
from neurogaze.pipeline.fold_teachers import Learned
from neurogaze.pipeline.settings import FitSettings, read_settings
from neurogaze.prototypes.consolidate import ConsolidateSettings

Kind = Literal["eeg", "null", "untrained", "subject", "rawde"]
"""Grids that are made from recordings.

`eeg`: teachers trained on ratings. `null`: on ratings exchanged between rating events. `untrained`:
random weights. `subject`: trained to tell people apart. `rawde`: principal components of the
features, without a teacher.
"""

LEARNED: dict[Kind, Learned] = {
    "eeg": "ratings",
    "null": "ratings",
    "untrained": "nothing",
    "subject": "people",
}
"""What the teachers of each kind are trained on."""

RATED: tuple[Kind, ...] = ("eeg", "null", "untrained")
"""Kinds whose teachers predict ratings, well or not, and place windows by what they predict."""


@dataclass(frozen=True)
class GridSetSettings:
    """Grids of several kinds and seeds from one rated corpus.

    Args:
        name: folder of the set, under `runs/`.
        teacher: one fit a fold of the split, as in a pipeline file.
        seeds: of each kind; a seed is one of teachers and one draw of people. Kinds that predict
            no ratings (`subject`, `rawde`) need the `eeg` grid of the same seed.
        consolidate: how embeddings become a grid.
        scheme: how ratings are exchanged for `null`.
        permutations: for the simulated chance bands.
        workers: trainings at once; null: one a core.
        note: stamped on every row.

    Raises:
        InputError: for an unknown kind, no EEG grid, a grid that one of its own seed is missing
            for, or teachers of which only one would be used.
    """

    name: str
    teacher: FitSettings
    seeds: dict[Kind, list[int]]
    consolidate: ConsolidateSettings = ConsolidateSettings()
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
            missing = sorted({*seeds} - {*self.seeds["eeg"]})
            if kind not in RATED and missing:
                found = f"{kind} {missing} would be placed by eeg teachers that are not there"
                raise InputError("seeds", found, "give eeg the same seeds")
        if self.consolidate.mode != "crossfit":
            found = f"mode is {self.consolidate.mode!r}, which uses the teacher of one fold"
            raise InputError("consolidate", found, "use crossfit")

    @property
    def grids(self) -> list[tuple[Kind, int]]:
        """Kind and seed of every grid in the order they are made, those of the EEG first."""
        return [(k, s) for k in get_args(Kind) for s in dict.fromkeys(self.seeds.get(k, []))]


def load_grid_set(path: Path) -> GridSetSettings:
    """Read a file of a set of grids; paths in it are relative to the file.

    Raises:
        InputError: when it cannot be read, or a key is missing, unknown or of the wrong type.
    """
    settings = read_settings(path, GridSetSettings)
    return replace(settings, teacher=settings.teacher.relative_to(path.parent))
