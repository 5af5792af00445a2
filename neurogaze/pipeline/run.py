"""Recordings to report in one command: the stages of a pipeline file, in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console

import neurogaze
from neurogaze import training
from neurogaze.artefacts import write_json
from neurogaze.eeg.cache import prepare
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.splits import make_split
from neurogaze.errors import InputError
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceTable
from neurogaze.faces.store import prepare as prepare_faces
from neurogaze.pipeline.consolidating import consolidate_teachers
from neurogaze.pipeline.judging import evaluate_student, load_student
from neurogaze.pipeline.settings import EvaluationSettings, FitSettings, PipelineSettings
from neurogaze.pipeline.stages import StageRecord, Stages
from neurogaze.report.build import build_report


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
        self.stages = Stages(root, console)
        self.store = store
        self.root = root

    def run(self) -> Path:
        """Carry out every stage that is not done; return the report's path."""
        teachers = self.teachers()
        grid = self.grid(teachers)
        self.student(grid)
        for name, part in self.settings.evaluate.items():
            self.evaluate(name, part)
        return self.report()

    def data(self, path: str, args: list[str] | None = None) -> Any:
        """Build a data module that keeps its cache in our store."""
        return training.load_data(
            ["--data", path, f"--data.store={self.store}", *_data_flags(args or [])]
        )

    def features(self, name: str, path: str, args: list[str] | None = None) -> StageRecord:
        """Stage: recordings to cached features."""
        data: EEGDataModule = self.data(path, args)
        table = prepare(data.corpus, data.features, data.store)
        what = {"corpus": table.corpus, "settings": table.settings_hash, "content": table.sha256}

        def action(folder: Path) -> None:
            counts = {"rows": table.n_rows, "subjects": len(set(table.subject.tolist()))}
            write_json(folder / "features.json", what | counts | {"floors": table.floors})

        return self.stages.run(name, what, {}, action, ["features.json"])

    def teachers(self) -> list[Path]:
        """Stages: one teacher a fold."""
        part = self.settings.teacher
        features = self.features("features", part.data, part.args)
        data: EEGDataModule = self.data(part.data, part.args)
        table = prepare(data.corpus, data.features, data.store, progress=False)
        n_folds = len(make_split(table, data.split).folds)
        chosen = self.settings.consolidate
        folds = range(n_folds) if chosen.mode == "crossfit" else [chosen.fold]
        return [self._teacher(part, fold, features) for fold in folds]

    def _teacher(self, part: FitSettings, fold: int, features: StageRecord) -> Path:
        name = f"teacher-{fold}"
        args = [*part.arguments(), f"--data.fold={fold}"]
        self._fit(name, args, {"features": features.content}, "best.ckpt")
        return self.root / name / "best.ckpt"

    def _fit(self, name: str, args: list[str], inputs: dict[str, str], output: str) -> None:
        args = [*args, f"--seed_everything={self.settings.seed}", f"--data.store={self.store}"]
        config = training.parse_fit(args)

        def action(folder: Path) -> None:
            last = folder / "last.ckpt"
            resume = [f"--ckpt_path={last}"] if last.exists() else []
            training.fit([*args, f"--out={folder}", *resume])

        self.stages.run(name, config, inputs, action, [output, "metrics.csv"])

    def grid(self, teachers: list[Path]) -> StageRecord:
        """Stage: fold teachers to the frozen grid, with their held-out scores."""
        chosen = self.settings
        support = [self.features(f"support-{i}", path) for i, path in enumerate(chosen.support)]
        inputs = {r.name: r.content for r in support} | {
            path.parent.name: self.stages.records[path.parent.name].content for path in teachers
        }
        inputs["features"] = self.stages.records["features"].content
        context = self._context("teacher")

        def action(folder: Path) -> None:
            consolidate_teachers(
                teachers,
                self.data(chosen.teacher.data, chosen.teacher.args),
                [self.data(path) for path in chosen.support],
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

    def student(self, grid: StageRecord) -> None:
        """Stage: the student, pinned to the grid."""
        part = self.settings.student
        data = self.data(part.data, part.args)
        faces, table = self.faces("faces-train", data, "train")
        _expect(self.settings.expected_train, table)
        path = self.root / "grid" / "grid.npz"
        pin = json.dumps({"path": path.as_posix(), "sha256": grid_sha256(path)})
        args = [*part.arguments(), f"--model.grid={pin}"]
        inputs = {"faces": faces.content, "grid": grid.outputs["grid.npz"]}
        self._fit("student", args, inputs, "last.ckpt")

    def evaluate(self, name: str, part: EvaluationSettings) -> None:
        """Stage: the student on one data set."""
        data = self.data(part.data, part.args)
        faces, table = self.faces(f"faces-{name}", data, part.split)
        _expect(part.expected, table)
        student = self.stages.records["student"]
        context = self._context("student")

        def action(folder: Path) -> None:
            task = load_student(self.root / "student" / "last.ckpt")
            evaluate_student(task, table, folder, context)

        outputs = ["predictions.parquet", "embeddings.npz", "results.jsonl"]
        inputs = {"faces": faces.content, "student": student.outputs["last.ckpt"]}
        self.stages.run(f"evaluate-{name}", context, inputs, action, outputs)

    def report(self) -> Path:
        """Stage: tables, figures and one HTML page."""
        inputs = {name: record.content for name, record in self.stages.records.items()}
        write_json(self.root / "title.json", {"title": self.settings.title})

        def action(folder: Path) -> None:
            build_report(self.root, folder)

        self.stages.run("report", {"title": self.settings.title}, inputs, action, ["report.html"])
        return self.root / "report" / "report.html"


def grid_sha256(path: Path) -> str:
    """The content hash a student's configuration pins."""
    from neurogaze.prototypes.grid import PrototypeGrid

    return PrototypeGrid.load(path).sha256


def _data_flags(args: list[str]) -> list[str]:
    return [arg for arg in args if arg.startswith("--data.")]


def _expect(expected: int | None, table: FaceTable) -> None:
    if expected is not None and len(table.ids) != expected:
        raise InputError(
            f"{table.dataset} {table.split}",
            f"has {len(table.ids)} images under rule {table.rule!r}, not {expected}",
            "check the download; the skipped images are listed in the store",
        )
