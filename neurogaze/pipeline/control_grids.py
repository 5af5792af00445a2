"""Grids of a made-up world: those of its recordings, controls of them, and the truth."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console

from neurogaze.artefacts import file_hash, write_json
from neurogaze.evaluation.results import read_rows
from neurogaze.latent_world import LatentWorld
from neurogaze.pipeline.bench_grids import EEG, GridSource, left_at, open_grids
from neurogaze.pipeline.control_settings import ORACLE, RECORDED, ControlSettings
from neurogaze.pipeline.grid_set import GridSet
from neurogaze.pipeline.grid_set_index import SCORES, VERDICTS
from neurogaze.pipeline.grid_set_settings import GridSetSettings
from neurogaze.pipeline.settings import FitSettings
from neurogaze.pipeline.stages import Stages
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.oracle import gram_correlation, oracle
from neurogaze.tasks.pins import GridPin

CHECKS = "checks.json"


@dataclass(frozen=True, eq=False)
class WorldGrids:
    """Where the grids of a world under one seed come from.

    Args:
        world: name of the world.
        seed: of it.
        latent: its structure.
        source: grids of its recordings.
        folder: of grids that were asked for.
        set_folder: of the set of grids.
    """

    world: str
    seed: int
    latent: LatentWorld
    source: GridSource
    folder: Path
    set_folder: Path

    @staticmethod
    def stage_of(world: str, seed: int) -> str:
        """Folder of the check of the grids."""
        return f"grids-{world.replace(' ', '_')}-seed{seed}"

    def grid(self, kind: str) -> PrototypeGrid:
        """The grid of a kind.

        Raises:
            InputError: for an unknown kind.
        """
        if kind != ORACLE:
            return self.source.grid(kind, self.seed)
        return oracle(self.source.grid(EEG, self.seed), self.latent.cells(), self.seed)

    def pinned(self, kind: str) -> GridPin:
        """Leave the grid of a kind in a file, where it is not there yet, and pin it."""
        name = f"{self.stage_of(self.world, self.seed)}-{kind}.npz"
        return left_at(self.grid(kind), self.folder / name)


def world_grids(
    settings: ControlSettings,
    world: str,
    seed: int,
    root: Path,
    store: Path,
    made: dict[float, GridSource],
) -> WorldGrids:
    """Train teachers on the recordings of a world, or take them up where they are done.

    Recordings do not depend on what faces share with them, so worlds that differ in that alone have
    the same grids.

    Args:
        settings: of the control.
        world: its name.
        seed: of it.
        root: folder of the control.
        store: folder of cached features.
        made: grids by signal-to-noise ratio that this run has opened; added to.
    """
    chosen = settings.worlds[world]
    folder = root / f"recordings-snr{chosen.snr:g}-seed{seed}"
    if chosen.snr not in made:
        part = GridSetSettings(
            name=f"{settings.name}, snr {chosen.snr:g}",
            teacher=_teacher(settings, chosen.snr, seed),
            seeds={"eeg": [seed], "null": [seed]},
            consolidate=settings.consolidate,
            permutations=settings.permutations,
            workers=1,
            note=settings.note,
        )
        made[chosen.snr] = open_grids(GridSet(part, folder, store, Console(quiet=True)).run())
    latent = LatentWorld(chosen.share, seed, chosen.plane)
    return WorldGrids(world, seed, latent, made[chosen.snr], root / "grids", folder)


def _teacher(settings: ControlSettings, snr: float, seed: int) -> FitSettings:
    """The teacher on the recordings of one world."""
    flags = [f"--data.corpus.snr={snr:g}", f"--data.corpus.seed={seed}"]
    return replace(settings.teacher, args=[*settings.teacher.args, *flags])


def checks(stages: Stages, grids: WorldGrids) -> None:
    """Stage: how much of the structure that was put in the grids hold, and what they could tell."""
    by_kind = {kind: grids.grid(kind) for kind in (*RECORDED, ORACLE, "geometry")}

    def action(folder: Path) -> None:
        verdicts = json.loads((grids.set_folder / VERDICTS).read_text(encoding="utf-8"))
        rows = read_rows(grids.set_folder / SCORES)
        teachers = {r.metric: r.value for r in rows if r.arm == "teacher"}
        structure = {"shared": grids.latent.shared(), "faces": grids.latent.cells()}
        structure["plane"] = by_kind["geometry"].prototypes.astype(np.float64)
        write_json(
            folder / CHECKS,
            {
                "not_testable": verdicts[str(grids.seed)],
                "ccc": {a: teachers[f"{a}_ccc_trial"] for a in ("valence", "arousal")},
                "correlation": {
                    kind: {n: gram_correlation(grid.prototypes, s) for n, s in structure.items()}
                    for kind, grid in by_kind.items()
                },
                "mean_cosine": {kind: grid.mean_cosine for kind, grid in by_kind.items()},
            },
        )

    what = {"world": grids.world, "share": grids.latent.share, "seed": grids.seed}
    if grids.latent.plane is not None:
        what["plane"] = grids.latent.plane
    inputs = {kind: grid.sha256 for kind, grid in by_kind.items()}
    inputs |= {name: file_hash(grids.set_folder / name) for name in (VERDICTS, SCORES)}
    stages.run(grids.stage_of(grids.world, grids.seed), what, inputs, action, [CHECKS])
