"""Many grids from one corpus: for each seed other teachers and another draw of people.

A student trained on a single grid cannot tell what is due to EEG and what to that grid. A set holds
grids of the EEG under several seeds, and beside each the grids of teachers that learned something
else, or nothing. Grids of the EEG may come in several sizes, all from the same teachers. Every
stage is kept, so a set that was stopped goes on where it stood.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

import neurogaze
from neurogaze import training
from neurogaze.artefacts import settings_hash, write_json
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.evaluation.chance import few_note, simulated_chance
from neurogaze.evaluation.permutations import Scheme
from neurogaze.evaluation.results import ResultRow, noted, read_rows, write_rows
from neurogaze.evaluation.scoring import CONTEXT_DEFAULTS, score_va
from neurogaze.pipeline.consolidating import load_folds, provenance
from neurogaze.pipeline.embedding import Embedder, FoldTeacher
from neurogaze.pipeline.everybody import LabelledData, labelled_data, place_everybody
from neurogaze.pipeline.fold_fits import FoldJob, FoldPool, fold_pool
from neurogaze.pipeline.fold_teachers import NAMED, TeacherJob, store_teacher
from neurogaze.pipeline.grid_set_index import INDEX, SCORES, grid_file, null_band, tell
from neurogaze.pipeline.grid_set_settings import LEARNED, RATED, GridSetSettings, size_of
from neurogaze.pipeline.held_out import chance_rows, held_out_predictions, protocol_name
from neurogaze.pipeline.stages import Stages
from neurogaze.pipeline.stand_ins import PlacedBy, fit_pca
from neurogaze.prototypes.consolidate import grid_of
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.stability import drawn_again
from neurogaze.tasks.kinds import of_kind

SCHEMES: tuple[Scheme, ...] = ("within_subject", "joint_clip")
GRID, LEARNT, CHANCE = "grid.npz", "learnt.json", "chance.jsonl"

Asked = tuple[str, dict[str, Any], dict[str, str]]
"""Name, settings and inputs of a stage."""


class GridSet:
    """One file of a set of grids, carried out under one folder.

    Args:
        settings: what to make.
        root: folder of the set.
        store: folder of cached features.
        console: where progress is told.
    """

    def __init__(
        self, settings: GridSetSettings, root: Path, store: Path, console: Console | None = None
    ) -> None:
        self.settings, self.root, self.store = settings, root, store
        self.stages = Stages(root, console)
        self.fits: dict[int, dict[str, Any]] = {}
        self.made: dict[str, dict[int, PrototypeGrid]] = {}
        self.chance: list[ResultRow] = []
        self.scores: dict[tuple[str, int], list[ResultRow]] = {}
        self.labelled = self._labelled()

    def run(self) -> Path:
        """Make every grid that is not made; return the path of the index, told after each grid.

        What earlier runs made, and what still holds of it, is in the index from the start.
        """
        self._chance()
        left = [(kind, seed) for kind, seed in self.settings.grids if not self._held(kind, seed)]
        self._tell()
        with fold_pool(self.settings.workers) as pool:
            for kind, seed in left:
                if kind in LEARNED and self._folder(kind, seed) not in self.stages.records:
                    self._teachers(pool, kind, seed)
                self._grid(kind, seed)
                self._take(kind, seed)
                self._tell()
        return self.root / INDEX

    def _held(self, kind: str, seed: int) -> bool:
        """Take over a grid of an earlier run; whether its stage, and those before it, hold."""
        for source in self._sources(kind):
            known = self._folder(source, seed) in self.stages.records
            if not known and self.stages.held(*self._teacher_stage(source, seed)) is None:
                return False
        if self.stages.held(*self._grid_stage(kind, seed)) is None:
            return False
        self._take(kind, seed)
        return True

    def _labelled(self) -> LabelledData:
        """Features and split of the corpus.

        Raises:
            InputError: for a corpus of faces.
        """
        data = training.data_of(training.plan(self._args(0)))
        where = f"teacher.data {self.settings.teacher.data}"
        return labelled_data(of_kind(where, data, EEGDataModule))

    def _args(self, seed: int) -> list[str]:
        """The command line of the teachers of a seed, after `neurogaze fit`."""
        place = [f"--data.store={self.store}", f"--seed_everything={seed}"]
        return [*self.settings.teacher.arguments(), *place]

    def _inputs(self) -> dict[str, str]:
        """Hashes of the data."""
        return {"table": self.labelled.table.sha256, "split": self.labelled.split.sha256}

    def _context(self, seed: int, arm: str) -> dict[str, Any]:
        """What every row says of itself."""
        return CONTEXT_DEFAULTS | {
            "experiment": self.settings.name,
            "arm": arm,
            "dataset": self.labelled.table.corpus,
            "seed": seed,
            "split": "held-out",
            "protocol": protocol_name(self.labelled.split),
            "split_hash": self.labelled.split.sha256,
            "config_hash": self.labelled.table.settings_hash,
            "label_rule": "ratings to [-1, 1]",
            "code_version": neurogaze.__version__,
            "note": noted(self.labelled.table.quirks, self.settings.note),
        }

    def _chance(self) -> None:
        """Stage: what ridge reaches on exchanged ratings, under both schemes."""
        table, split, count = self.labelled.table, self.labelled.split, self.settings.permutations

        def action(folder: Path) -> None:
            rows: list[ResultRow] = []
            context = self._context(0, "")
            context["note"] = noted(few_note(count), context["note"])
            for scheme in SCHEMES:
                band = simulated_chance(table, split, count, scheme)
                arm = f"chance of ridge (99 % band, {scheme})"
                rows += chance_rows(band, context, self._trials(), arm=arm)
            write_rows(folder / CHANCE, rows)

        what = {"permutations": count, "context": self._context(0, "")}
        self.stages.run("chance", what, self._inputs(), action, [CHANCE])
        self.chance = read_rows(self.root / "chance" / CHANCE)

    def _teacher_stage(self, kind: str, seed: int) -> Asked:
        """What decides the teachers of all folds."""
        if seed not in self.fits:
            self.fits[seed] = training.parse_fit(self._args(seed))
        config = self.fits[seed]
        exchanged = self.settings.scheme if kind == "null" else None
        what = {"fit": config, "learned": LEARNED[kind], "exchanged": exchanged}
        return self._folder(kind, seed), what, self._inputs()

    def _teachers(self, pool: FoldPool, kind: str, seed: int) -> None:
        """Stage: the teachers of all folds."""
        asked = self._teacher_stage(kind, seed)
        config = asked[1]["fit"]

        def action(folder: Path) -> None:
            jobs = self._jobs(kind, seed, pool.threads, config)
            name = f"{kind} teachers, seed {seed}"
            shares = list(track(pool.map(store_teacher, jobs), name, total=len(jobs)))
            write_json(folder / LEARNT, {NAMED: shares})

        outputs = [path.name for path in self._checkpoints(kind, seed)]
        told = [LEARNT] if kind == "subject" else []
        self.stages.run(*asked, action, [*outputs, *told])

    def _jobs(self, kind: str, seed: int, threads: int, config: Any) -> list[TeacherJob]:
        """One training a fold; ratings are exchanged by the seed that the weights are drawn by."""
        args, exchanged = tuple(self._args(seed)), seed if kind == "null" else None
        return [
            TeacherJob(
                FoldJob(args, fold, exchanged, self.settings.scheme, threads),
                LEARNED[kind],
                path,
                settings_hash([config, fold]),
            )
            for fold, path in enumerate(self._checkpoints(kind, seed))
        ]

    @staticmethod
    def _folder(kind: str, seed: int) -> str:
        """Stage of the teachers behind a grid: the EEG's where it has none of its own."""
        return f"teachers-{kind if kind in LEARNED else 'eeg'}-seed{seed}"

    @staticmethod
    def _stage(kind: str, seed: int) -> str:
        """Stage of a grid."""
        return f"grid-{kind}-seed{seed}"

    def _checkpoints(self, kind: str, seed: int) -> list[Path]:
        """Teachers behind a grid, by fold."""
        folder = self.root / self._folder(kind, seed)
        return [folder / f"fold-{fold}.ckpt" for fold in range(self.labelled.split.n_folds)]

    def _load(self, kind: str, seed: int) -> list[FoldTeacher]:
        """Teachers behind a grid, by fold."""
        found = load_folds(self._checkpoints(kind, seed), self.labelled, "crossfit")
        return [teacher for _, teacher in found]

    def embedders(self, kind: str, seed: int) -> Sequence[Embedder]:
        """What embeds and places the recordings for a grid, by fold.

        Teachers that predict ratings place by their own predictions. The others take every window
        where the EEG teachers of the same seed place it, so that their grid differs from the EEG's
        by the embedding alone.

        Args:
            kind: of the grid.
            seed: of the grid.
        """
        if kind in RATED or size_of(kind):
            return self._load(kind, seed)
        placing = self._load("eeg", seed)
        own: Sequence[Embedder] = [
            fit_pca(self.labelled.table, self.labelled.split, teacher.fold, teacher.width)
            for teacher in placing
        ]
        if kind == "subject":
            own = self._load(kind, seed)
        return [PlacedBy(*pair) for pair in zip(own, placing, strict=True)]

    @staticmethod
    def _sources(kind: str) -> list[str]:
        """Kinds of teachers behind a grid: its own, and those that place for it."""
        own = [kind] if kind in LEARNED else []
        return own if kind in RATED else [*own, "eeg"]

    def _learnt(self, kind: str, seed: int) -> dict[str, Any]:
        """By fold, the share of training windows whose person a teacher names; for `subject`."""
        if kind != "subject":
            return {}
        path = self.root / self._folder(kind, seed) / LEARNT
        shares = json.loads(path.read_text(encoding="utf-8"))[NAMED]
        return {"learnt": {str(fold): share for fold, share in enumerate(shares)}}

    def _grid_stage(self, kind: str, seed: int) -> Asked:
        """What decides a grid; the stages of its teachers are known."""
        folders = [self._folder(source, seed) for source in self._sources(kind)]
        inputs = self._inputs() | {name: self.stages.records[name].content for name in folders}
        what = {"kind": kind, "seed": seed, "consolidate": self.settings.consolidation(kind)}
        what |= self._context(seed, kind) | self._learnt(kind, seed)
        return self._stage(kind, seed), what, inputs

    def _grid(self, kind: str, seed: int) -> None:
        """Stage: the grid of a draw of people, and the scores of its teachers where they rate."""

        def action(folder: Path) -> None:
            grid = self._consolidated(kind, seed)
            grid.save(folder / GRID)
            write_rows(folder / SCORES, self._scores(kind, seed, grid.sha256))

        self.stages.run(*self._grid_stage(kind, seed), action, [GRID, SCORES])

    def _consolidated(self, kind: str, seed: int) -> PrototypeGrid:
        """The grid of a draw of people."""
        chosen, folds = self.settings.consolidation(kind), self.embedders(kind, seed)
        placed, drawn = drawn_again(place_everybody(self.labelled, [], folds, chosen).placed, seed)
        known = provenance(self.labelled, [], self._checkpoints(kind, seed))
        return grid_of(
            placed,
            chosen,
            known
            | {
                "kind": kind,
                "seed": seed,
                "people_drawn": drawn,
                "placed_by": "own predictions" if kind in RATED else "eeg teachers of the seed",
                "exchanged": self.settings.scheme if kind == "null" else "nothing",
            }
            | self._learnt(kind, seed),
        )

    def _scores(self, kind: str, seed: int, sha256: str) -> list[ResultRow]:
        """Agreement of the teachers of a grid with the people they held out.

        Grids of other sizes have the teachers of the EEG grid, which carries their scores.
        """
        if kind not in RATED:
            return []
        teachers = self._load(kind, seed)
        frame = held_out_predictions(self.labelled.table, self.labelled.split, teachers)
        arm = "teacher" if kind == "eeg" else f"{kind} teacher"
        configs = settings_hash([teacher.task.config_hash for teacher in teachers])
        said = {"grid_hash": sha256, "config_hash": configs}
        return score_va(frame, self._context(seed, arm) | said)

    def _take(self, kind: str, seed: int) -> None:
        """Put the grid of a finished stage beside the index, and keep its scores."""
        folder = self.root / self._stage(kind, seed)
        grid = PrototypeGrid.load(folder / GRID)
        grid.save(self.root / grid_file(kind, seed))
        self.made.setdefault(kind, {})[seed] = grid
        self.scores[kind, seed] = read_rows(folder / SCORES)

    def _tell(self) -> None:
        """Say anew what the set holds so far, in the order of its file."""
        known = [(k, s) for k, s in self.settings.grids if s in self.made.get(k, {})]
        grids: dict[str, dict[int, PrototypeGrid]] = {}
        for kind, seed in known:
            grids.setdefault(kind, {})[seed] = self.made[kind][seed]
        if "eeg" not in grids:
            return
        rows = self.chance + [row for at in known for row in self.scores[at]]
        nulls, context = grids.get("null", {}), self._context(0, "")
        band = null_band(nulls, rows, self.settings.scheme, context, self._trials())
        tell(self.root, self.settings.name, grids, rows + band)

    def _trials(self) -> int:
        """Rated trials."""
        table = self.labelled.table
        return len(set(table.trial[table.rated].tolist()))
