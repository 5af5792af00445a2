"""Recordings to report in one command: the stages of a pipeline file, in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console

import neurogaze
from neurogaze import training
from neurogaze.artefacts import remove, write_json
from neurogaze.eeg.cache import prepare
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.splits import make_split
from neurogaze.errors import InputError
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceTable
from neurogaze.faces.store import prepare as prepare_faces
from neurogaze.pipeline.consolidating import consolidate_teachers
from neurogaze.pipeline.judging import evaluate_student, load_student, training_pictures
from neurogaze.pipeline.settings import EvaluationSettings, FitSettings, PipelineSettings
from neurogaze.pipeline.stages import DAMAGED, StageRecord, Stages, content_hash
from neurogaze.prototypes.grid import PrototypeGrid
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
        return training.load_data(["--data", path, f"--data.store={self.store}", *(args or [])])

    def data_of(self, part: FitSettings) -> Any:
        """The data module of a training, with all that its files and flags say of it."""
        args = [*part.arguments(), f"--seed_everything={self.settings.seed}"]
        return training.build_cli([*args, f"--data.store={self.store}"], run=False).datamodule

    def features(self, name: str, data: EEGDataModule) -> StageRecord:
        """Stage: recordings to cached features."""
        table = prepare(data.corpus, data.features, data.store)
        what = {"corpus": table.corpus, "settings": table.settings_hash, "content": table.sha256}

        def action(folder: Path) -> None:
            counts = {"rows": table.n_rows, "subjects": len(set(table.subject.tolist()))}
            write_json(folder / "features.json", what | counts | {"floors": table.floors})
            if table.labelled.any():
                make_split(table, data.split).save(folder / "split.json")

        return self.stages.run(name, what, {}, action, ["features.json"])

    def teachers(self) -> list[Path]:
        """Stages: one teacher a fold."""
        part = self.settings.teacher
        data: EEGDataModule = self.data_of(part)
        features = self.features("features", data)
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

        outputs = [output, "metrics.csv"]
        self.stages.run(name, config, inputs, lambda folder: resumable_fit(args, folder), outputs)

    def grid(self, teachers: list[Path]) -> StageRecord:
        """Stage: fold teachers to the frozen grid, with their held-out scores."""
        chosen = self.settings
        others = [self.data(path) for path in chosen.support]
        support = [self.features(f"support-{i}", data) for i, data in enumerate(others)]
        inputs = {r.name: r.content for r in support} | {
            path.parent.name: self.stages.records[path.parent.name].content for path in teachers
        }
        inputs["features"] = self.stages.records["features"].content
        context = self._context("teacher")

        def action(folder: Path) -> None:
            consolidate_teachers(
                teachers,
                self.data_of(chosen.teacher),
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

    def student(self, grid: StageRecord) -> None:
        """Stage: the student, pinned to the grid."""
        part = self.settings.student
        data: FaceDataModule = self.data_of(part)
        faces, table = self.faces("faces-train", data, "train")
        judged = prepare_faces(data.corpus, "valid", data.store).sha256  # its curves depend on it
        expect(self.settings.expected_train, table)
        path = self.root / "grid" / "grid.npz"
        pin = json.dumps({"path": path.as_posix(), "sha256": grid_sha256(path)})
        args = [*part.arguments(), f"--model.grid={pin}"]
        inputs = {
            "faces": faces.content,
            "valid": judged,
            "grid": grid.outputs["grid.npz"],
        }
        self._fit("student", args, inputs, "last.ckpt")

    def evaluate(self, name: str, part: EvaluationSettings) -> None:
        """Stage: the student on one data set."""
        data = self.data(part.data, part.args)
        faces, table = self.faces(f"faces-{name}", data, part.split)
        expect(part.expected, table)
        student = self.stages.records["student"]
        view = part.view()
        context = self._context(view.named("student"))

        def action(folder: Path) -> None:
            task = load_student(self.root / "student" / "last.ckpt")
            evaluate_student(task, table, folder, context, view, training_pictures(task, data))

        outputs = ["predictions.parquet", "embeddings.npz", "results.jsonl"]
        inputs = {"faces": faces.content, "student": student.outputs["last.ckpt"]}
        what = context | {"view": view}
        self.stages.run(f"evaluate-{name}", what, inputs, action, outputs)

    def report(self) -> Path:
        """Stage: tables, figures and one HTML page."""
        inputs = {name: record.content for name, record in self.stages.records.items()}
        return report_stage(self.stages, self.settings.title, inputs)


def report_stage(stages: Stages, title: str, inputs: dict[str, str]) -> Path:
    """Stage: the report of the live stages; `title.json` names them for later reports."""
    about = {"title": title, "stages": stages.live()}
    write_json(stages.root / "title.json", about)

    def action(folder: Path) -> None:
        build_report(stages.root, folder)

    stages.run("report", about, inputs, action, ["report.html", "results.md", "results.tex"])
    return stages.root / "report" / "report.html"


def resumable_fit(args: list[str], folder: Path) -> None:
    """Train under a folder, from its last whole epoch if it holds one."""
    last = folder / "last.ckpt"
    resume = []
    if last.exists():
        try:
            content_hash(last)
            resume = [f"--ckpt_path={last}", "--weights_only=true"]
        except DAMAGED:
            remove(last)
    training.fit([*args, f"--out={folder}", *resume])


def grid_sha256(path: Path) -> str:
    """The content hash a student's configuration pins."""
    return PrototypeGrid.load(path).sha256


def expect(expected: int | None, table: FaceTable) -> None:
    """Refuse a table of another size than was asked for; None asks for none.

    Raises:
        InputError: for another number of images.
    """
    if expected is not None and len(table.ids) != expected:
        raise InputError(
            f"{table.dataset} {table.split}",
            f"has {len(table.ids)} images under rule {table.rule!r}, not {expected}",
            "check the download; the skipped images are listed in the store",
        )
