"""Recordings to report in one command: the stages of a pipeline file, in order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

import neurogaze
from neurogaze import training
from neurogaze.artefacts import write_json
from neurogaze.eeg.cache import prepare
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.splits import Split
from neurogaze.evaluation.results import noted
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceTable
from neurogaze.faces.store import prepare as prepare_faces
from neurogaze.pipeline.consolidating import consolidate_teachers
from neurogaze.pipeline.ensemble import LOGITS, Ensemble, load_ensemble
from neurogaze.pipeline.judging import evaluate_student, load_student
from neurogaze.pipeline.looking_ahead import TEACHER, look_ahead
from neurogaze.pipeline.settings import (
    TRAINED_ON,
    EvaluationSettings,
    FitSettings,
    PipelineSettings,
)
from neurogaze.pipeline.showing import MODEL, REMEDY, SHEET, TABLE, missing, show_student
from neurogaze.pipeline.stages import StageRecord, Stages
from neurogaze.pipeline.steps import expect, go_on, grid_sha256, planned, report_stage
from neurogaze.pipeline.students import (
    BEST,
    Needs,
    StudentArm,
    checkpoints,
    kept_note,
    pins,
    student_arms,
)
from neurogaze.pipeline.trained_on import training_pictures
from neurogaze.tasks.pins import GridPin, LogitsPin

SPLIT = "split.json"
"""File of the split among what `features` leaves: teachers depend on its content."""


class Pipeline:
    """One pipeline file, carried out under one folder.

    Args:
        settings: what to do.
        root: folder of the run.
        store: folder of cached features and decoded images.
        console: where progress is told.
    """

    def __init__(
        self,
        settings: PipelineSettings,
        root: Path,
        store: Path,
        console: Console | None = None,
    ) -> None:
        self.settings = settings
        self.arms = student_arms(settings)
        self.stages = Stages(root, console)
        self.store = store
        self.root = root

    def run(self) -> Path:
        """Carry out every stage that is not done; return the report's path.

        Raises:
            InputError: before the first stage, for a file or a data set that cannot be used.
        """
        ahead = look_ahead(self.settings, self.root, self.store)
        rated: EEGDataModule = ahead.data[TEACHER]
        grid = self.grid(self.teachers(rated), rated)
        logits = self.logits(ahead.needs)
        for arm in self.arms:
            data: FaceDataModule = ahead.data[arm.stage]
            self.student(arm, ahead.needs[arm.name], data, grid, logits)
        for name, part in self.settings.evaluate.items():
            self.evaluate(name, part)
        page = self.report()
        if self.settings.show:
            self.show()
        return page

    def data(self, path: str, args: list[str] | None = None) -> Any:
        """Build a data module that keeps its cache in our store."""
        return training.load_data(["--data", path, f"--data.store={self.store}", *(args or [])])

    def features(self, name: str, data: EEGDataModule, split: Split | None = None) -> StageRecord:
        """Stage: recordings to cached features, and the split of a corpus whose ratings count."""
        table = prepare(data.corpus, data.features, data.store, progress=split is None)
        what = {"corpus": table.corpus, "settings": table.settings_hash, "content": table.sha256}
        if split is not None:
            what["split"] = split.sha256

        def action(folder: Path) -> None:
            counts = {"rows": table.n_rows, "subjects": len(set(table.subject.tolist()))}
            write_json(folder / "features.json", what | counts | {"floors": table.floors})
            if split is not None:
                split.save(folder / SPLIT)

        outputs = ["features.json"] + ([] if split is None else [SPLIT])
        return self.stages.run(name, what, {}, action, outputs)

    def teachers(self, data: EEGDataModule) -> list[Path]:
        """Stages: one teacher a fold of the rated corpus."""
        part = self.settings.teacher
        data.setup()
        split = data.split_plan  # of a file, where the data name one
        features = self.features("features", data, split)
        chosen = self.settings.consolidate
        folds = range(split.n_folds) if chosen.mode == "crossfit" else [chosen.fold]
        return [self._teacher(part, fold, features) for fold in folds]

    def _teacher(self, part: FitSettings, fold: int, features: StageRecord) -> Path:
        name = f"teacher-{fold}"
        args = [*part.arguments(), f"--data.fold={fold}"]
        self._fit(name, args, {"features": features.content}, [BEST])
        return self.root / name / BEST

    def _fit(
        self, name: str, args: list[str], inputs: dict[str, str], weights: list[str] | None = None
    ) -> None:
        """Stage: one training; `weights` it leaves, by default what its settings say."""
        args = [*args, f"--seed_everything={self.settings.seed}", f"--data.store={self.store}"]
        fit = planned(args, self.root / name)
        config = training.settings_of(fit)
        outputs = [*(weights or checkpoints(config)), "metrics.csv"]
        self.stages.run(name, config, inputs, lambda folder: go_on(fit, folder), outputs)

    def grid(self, teachers: list[Path], data: EEGDataModule) -> StageRecord:
        """Stage: fold teachers to the frozen grid, with their held-out scores."""
        chosen = self.settings
        others = [self.data(path) for path in chosen.support]
        support = [self.features(f"support-{i}", other) for i, other in enumerate(others)]
        inputs = {r.name: r.content for r in support} | {
            path.parent.name: self.stages.records[path.parent.name].content for path in teachers
        }
        inputs["features"] = self.stages.records["features"].content
        context = self._context("teacher")

        def action(folder: Path) -> None:
            consolidate_teachers(
                teachers,
                data,
                others,
                chosen.consolidate,
                folder,
                context,
                chosen.permutations,
            )

        what = {
            "consolidate": chosen.consolidate,
            "permutations": chosen.permutations,
            "context": context,
        }
        outputs = ["grid.npz", "predictions.parquet", "results.jsonl", "topomaps.npz"]
        outputs += ["stability.json", "explained.npz"]
        return self.stages.run("grid", what, inputs, action, outputs)

    def _context(self, arm: str) -> dict[str, Any]:
        return {
            "experiment": self.settings.name,
            "arm": arm,
            "seed": self.settings.seed,
            "code_version": neurogaze.__version__,
            "note": self.settings.note,
        }

    def faces(self, name: str, data: FaceDataModule, split: str) -> tuple[StageRecord, FaceTable]:
        """Stage: images to a decoded store."""
        table = prepare_faces(data.corpus, split, data.store)
        what = {"dataset": table.dataset, "split": split, "content": table.sha256}

        def action(folder: Path) -> None:
            counts = {"images": len(table.ids), "skipped": list(table.skipped)}
            write_json(folder / "faces.json", what | counts)

        return self.stages.run(name, what, {}, action, ["faces.json"]), table

    def logits(self, needs: Mapping[str, Needs]) -> LogitsPin | None:
        """Stages: the cross-fitted ensemble and its logits, where an arm takes such."""
        source = self.settings.face_teacher
        if source is None or not any(need.logits for need in needs.values()):
            return None
        if isinstance(source, LogitsPin):
            return source
        ensemble = Ensemble(load_ensemble(Path(source)), self.root, self.store, stages=self.stages)
        record = ensemble.stored()
        return LogitsPin((self.root / record.name / LOGITS).as_posix(), record.outputs[LOGITS])

    def student(
        self,
        arm: StudentArm,
        need: Needs,
        data: FaceDataModule,
        grid: StageRecord,
        logits: LogitsPin | None,
    ) -> None:
        """Stage: a student, pinned to what its objective takes."""
        faces, table = self.faces(f"faces-{TRAINED_ON}", data, "train")
        judged = prepare_faces(data.corpus, "valid", data.store).sha256  # its curves depend on it
        expect(self.settings.expected_train, table)
        inputs = {"faces": faces.content, "valid": judged}
        path = self.root / "grid" / "grid.npz"
        grid_pin = GridPin(path.as_posix(), grid_sha256(path)) if need.grid else None
        logits_pin = logits if need.logits else None
        if grid_pin is not None:
            inputs["grid"] = grid.outputs["grid.npz"]
        if logits_pin is not None:
            inputs["logits"] = logits_pin.sha256
        self._fit(arm.stage, [*arm.fit.arguments(), *pins(grid_pin, logits_pin)], inputs)

    def evaluate(self, name: str, part: EvaluationSettings) -> None:
        """Stages: every student on one data set."""
        data = self.data(part.data, part.args)
        faces, table = self.faces(f"faces-{name}", data, part.split)
        expect(part.expected, table)
        for arm in self.arms:
            self._judge(arm, arm.evaluation(name), part, data, faces, table)

    def _judge(
        self,
        arm: StudentArm,
        stage: str,
        part: EvaluationSettings,
        data: FaceDataModule,
        faces: StageRecord,
        table: FaceTable,
    ) -> None:
        """Stage: one student on one data set."""
        keep, view = self.settings.keep, part.view()
        context = self._context(view.named(arm.name))

        def action(folder: Path) -> None:
            task = load_student(self.root / arm.stage / f"{keep}.ckpt")
            note = noted(kept_note(keep, task.provenance), context["note"])
            train = training_pictures(task, data, part.split)
            evaluate_student(task, table, folder, context | {"note": note}, view, train)

        outputs = ["predictions.parquet", "embeddings.npz", "results.jsonl"]
        weights = self.stages.records[arm.stage].outputs[f"{keep}.ckpt"]
        what = context | {"view": view} | ({} if keep == "last" else {"keep": keep})
        inputs = {"faces": faces.content, "student": weights}
        self.stages.run(stage, what, inputs, action, outputs)

    def report(self) -> Path:
        """Stage: tables, figures and one HTML page."""
        inputs = {name: record.content for name, record in self.stages.records.items()}
        return report_stage(self.stages, self.settings.title, inputs)

    def show(self) -> None:
        """Stage: the first student exported, and what the file says of faces of the first set."""
        if absent := missing():
            said = f"not exported, without {', '.join(absent)}: {REMEDY}"
            self.stages.console.print(said, markup=False)
            return
        arm, name = self.arms[0], next(iter(self.settings.evaluate))
        part, n = self.settings.evaluate[name], self.settings.show
        faces, table = self.faces(f"faces-{name}", self.data(part.data, part.args), part.split)
        weights = f"{self.settings.keep}.ckpt"
        student = self.stages.records[arm.stage].outputs[weights]

        def action(folder: Path) -> None:
            show_student(self.root / arm.stage / weights, table, n, folder)

        inputs = {"faces": faces.content, "student": student}
        self.stages.run("deployed", {"faces": n}, inputs, action, [MODEL, TABLE, SHEET])
        self.stages.console.print(f"faces: {(self.root / 'deployed' / SHEET).resolve()}")
