"""What a file of a positive control says: made-up worlds, arms, and what is expected of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from neurogaze.errors import InputError
from neurogaze.evaluation.crossed import COLUMNS
from neurogaze.latent_world import LatentWorld
from neurogaze.pipeline.arms import Arm
from neurogaze.pipeline.bench_settings import PAIR, refuse_vain_contrasts
from neurogaze.pipeline.refusals import (
    ONE_A_CORE,
    refuse_below_one,
    refuse_shared_folders,
    refuse_unfit_seeds,
)
from neurogaze.pipeline.settings import FitSettings, read_settings
from neurogaze.prototypes.consolidate import ConsolidateSettings
from neurogaze.prototypes.controls import CONTROLS
from neurogaze.report.control_tables import Expected

ORACLE = "oracle"
RECORDED = ("eeg", "null")
"""Kinds of grid that are made from the recordings of a world."""

KINDS = (*RECORDED, ORACLE, *CONTROLS)


@dataclass(frozen=True)
class WorldSettings:
    """One condition: how much faces share with the EEG, and how much the recordings carry.

    Args:
        share: see `neurogaze.latent_world.LatentWorld`.
        snr: see `neurogaze.eeg.corpora.latent.LatentEeg`.
        expect: what should be found; the first is the primary contrast.
        without: arms that are not trained in this world.
        plane: see `neurogaze.latent_world.LatentWorld`.
    """

    share: float
    snr: float
    expect: list[Expected]
    without: list[str] = field(default_factory=list)
    plane: float | None = None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Contrasts, the primary one first."""
        return [(e.first, e.second) for e in self.expect]


@dataclass(frozen=True)
class ControlSettings:
    """A positive control: worlds in which it is known whether EEG can help.

    Args:
        name: folder of the control, under `runs/`.
        title: heading of the summary.
        teacher: one fit a fold, on a `LatentEeg` corpus.
        student: what every arm starts from, on a `LatentFaces` corpus.
        worlds: by name.
        arms: how each differs from the student, with the kind of its grid; config files are
            relative to this file.
        sensitive: the arm that knows the truth and the one that knows nothing: where their interval
            does not lie above 0, the bench cannot tell what helps.
        consolidate: how embeddings become a grid.
        seeds: each is a world, people, teachers, faces and students of its own.
        permutations: for the simulated chance bands of the teachers.
        metric: score that is compared.
        workers: seeds at a time; null: one a core.
        note: stamped on every result row.

    Raises:
        InputError: for no world or one that there cannot be, names that make no folder of their
            own, arms that are compared and not trained, a contrast that is none or stands there
            twice, a grid or score of an unknown kind, no seed, one that is none or stands there
            twice, or a number of permutations or workers below 1.
    """

    name: str
    title: str
    teacher: FitSettings
    student: FitSettings
    worlds: dict[str, WorldSettings]
    arms: dict[str, Arm]
    sensitive: list[str] = field(default_factory=lambda: ["proto_oracle", "ce"])
    consolidate: ConsolidateSettings = ConsolidateSettings()
    seeds: list[int] = field(default_factory=lambda: list(range(10)))
    permutations: int = 200
    metric: str = "macro_f1_8way"
    workers: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what would only be found out hours later."""
        if len(self.sensitive) != PAIR:
            raise InputError("sensitive", f"{self.sensitive}", "name two arms")
        self._refuse_numbers()
        self._refuse_names()
        self._refuse_unknown_kinds()
        for name, world in self.worlds.items():
            _refuse_impossible(name, world)
            self._refuse_contrasts(name, world)

    def _refuse_numbers(self) -> None:
        """Refuse counts and seeds that there cannot be."""
        refuse_below_one("permutations", self.permutations)
        refuse_below_one("workers", self.workers, ONE_A_CORE)
        refuse_unfit_seeds(self.seeds)

    def _refuse_names(self) -> None:
        """Refuse worlds and arms that would share a folder, or have none."""
        if not self.worlds:
            raise InputError("worlds", "are none", "name one or more")
        refuse_shared_folders("worlds", self.worlds)
        refuse_shared_folders("arms", self.arms)

    def _refuse_unknown_kinds(self) -> None:
        """Refuse a score or a grid that nobody knows."""
        if self.metric not in COLUMNS:
            raise InputError("metric", f"{self.metric!r} is not known", f"use {', '.join(COLUMNS)}")
        kinds = {arm.grid for arm in self.arms.values()} - {"", *KINDS}
        if kinds:
            found = f"{sorted(map(str, kinds))} are no kinds of grid here"
            raise InputError("arms", found, f"use {', '.join(KINDS)}")

    def _refuse_contrasts(self, name: str, world: WorldSettings) -> None:
        """Refuse contrasts of what is not trained in a world, and the lack of that of the truth."""
        trained = {*self.arms} - {*world.without}
        compared = {arm for pair in world.pairs for arm in pair}
        unknown = ({*world.without} - {*self.arms}) | (compared - trained)
        if unknown:
            found = f"names {sorted(unknown)}, not trained there"
            raise InputError(f"world {name!r}", found, f"the arms are {sorted(trained)}")
        if self.oracle_pair not in world.pairs:
            found = f"does not compare {' with '.join(self.sensitive)}"
            raise InputError(f"world {name!r}", found, "add it to expect")

    @property
    def oracle_pair(self) -> tuple[str, str]:
        """The contrast that tells whether the bench is sensitive."""
        first, second = self.sensitive
        return first, second


def _refuse_impossible(name: str, world: WorldSettings) -> None:
    """Refuse a world that there cannot be, and contrasts that are none or stand there twice."""
    where = f"world {name!r}"
    try:
        LatentWorld(world.share, plane=world.plane)
    except InputError as error:
        raise InputError(where, error.found, error.remedy) from None
    if not 0.0 <= world.snr < math.inf:
        raise InputError(where, f"has snr {world.snr}", "give 0 or more")
    refuse_vain_contrasts(where, world.pairs)


def load_control(path: Path) -> ControlSettings:
    """Read a file of a positive control; paths in it are relative to the file.

    Raises:
        InputError: when it cannot be read, a key is missing, unknown or of the wrong type, or as
            `ControlSettings`.
    """
    settings, folder = read_settings(path, ControlSettings), path.parent
    arms = {
        name: replace(arm, config=[(folder / file).as_posix() for file in arm.config])
        for name, arm in settings.arms.items()
    }
    return replace(
        settings,
        teacher=settings.teacher.relative_to(folder),
        student=settings.student.relative_to(folder),
        arms=arms,
    )
