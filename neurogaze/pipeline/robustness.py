"""A student on spoiled pictures: every corruption at every severity, beside the clean picture.

Each condition is a stage, so a run that was stopped goes on with the condition it stood at. All
students meet the same spoiled pictures. Intervals resample units: people, recordings or pixels,
whatever ties rows of the data together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

import neurogaze
from neurogaze.artefacts import arrays_hash, settings_hash
from neurogaze.evaluation.predictions import face_arrays, read_predictions, write_predictions
from neurogaze.evaluation.results import ResultRow, noted, read_rows, write_rows
from neurogaze.evaluation.scoring import result_rows, score_faces
from neurogaze.evaluation.stress import stress_scores
from neurogaze.faces.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceTable
from neurogaze.faces.store import prepare
from neurogaze.pipeline.judging import (
    evaluate_student,
    face_frame,
    guarded,
    load_student,
    student_context,
)
from neurogaze.pipeline.stages import Stages
from neurogaze.pipeline.steps import report_stage
from neurogaze.pipeline.trained_on import training_pictures
from neurogaze.pipeline.views import BATCH, PLAIN, View, predict
from neurogaze.tasks.student import StudentTask
from neurogaze.tasks.student_record import trained_seed

METRICS = ("accuracy", "macro_f1_8way", "ece")
"""What is kept of every condition."""

CLEAN, SUMMARY, BASELINE = "clean", "summary", "baseline"
"""Names of folders; those of a baseline student begin with the last one."""

PREDICTIONS, ROWS, TABLE = "corrupted.parquet", "corrupted.jsonl", "robustness.jsonl"
"""Files of a condition and of the summary. A report takes none of the first two for an evaluation
of its own."""

CONDITIONS = tuple((kind, severity) for kind in CORRUPTIONS for severity in SEVERITIES)
SLICE = 3 * BATCH
"""Pictures spoiled and judged between two steps of the bar; it bounds memory too."""


@dataclass(frozen=True)
class Stress:
    """Students on the same spoiled pictures, under one folder.

    Args:
        stages: where conditions are kept.
        table: the clean pictures.
        context: `experiment`, `arm` without the view, `seed` and whatever else overrides a row's
            own record.
        view: how a student looks at a picture.
        seed: of the chance in the corruptions.
        data: where training pictures are looked for, to mark twins among the clean ones.
    """

    stages: Stages
    table: FaceTable
    context: Mapping[str, Any]
    view: View = PLAIN
    seed: int = 0
    data: FaceDataModule | None = None

    def run(self, task: StudentTask, baseline: StudentTask | None = None) -> list[ResultRow]:
        """Judge a student, and a baseline where there is one; rows of all conditions and means.

        Raises:
            InputError: when the warm-up of either saw some of the pictures.
        """
        for one in (task,) if baseline is None else (task, baseline):
            guarded(one, self.table)
        rows = self._judge(task, dict(self.context))
        if baseline is not None:
            own = dict(self.context) | {"arm": BASELINE}
            if "seed" in own:
                own["seed"] = trained_seed(baseline.provenance, own["seed"])
            rows += self._judge(baseline, own, f"{BASELINE}-")
        said = self._said(task, self.context)

        def action(folder: Path) -> None:
            other = self._right(f"{BASELINE}-") if baseline is not None else None
            scores = stress_scores(
                self._right(""),
                tuple(CORRUPTIONS),
                self.table.units,
                int(said.get("seed", 0)),
                other,
            )
            means = (
                named(result_rows({metric: score}, self.table.dataset, said), name)
                for (name, metric), score in scores.items()
            )
            write_rows(folder / TABLE, [*rows, *(row for group in means for row in group)])

        inputs = {name: record.content for name, record in self.stages.records.items()}
        self.stages.run(SUMMARY, said | {"conditions": CONDITIONS}, inputs, action, [TABLE])
        return read_rows(self.stages.root / SUMMARY / TABLE)

    def _judge(
        self, task: StudentTask, context: dict[str, Any], prefix: str = ""
    ) -> list[ResultRow]:
        """Stages: clean pictures, then every condition."""
        said = self._said(task, context)
        inputs = {"student": _identity(task), "faces": self.table.sha256}

        def clean(folder: Path) -> None:
            train = None
            if self.data is not None:
                train = training_pictures(task, self.data, self.table.split)
            evaluate_student(task, self.table, folder, context, self.view, train)
            frame = read_predictions(folder / "predictions.parquet", "face")
            self._score(frame.drop(columns="twin", errors="ignore"), folder, said, CLEAN)

        outputs = ["predictions.parquet", "embeddings.npz", "results.jsonl", ROWS]
        self.stages.run(prefix + CLEAN, said | {"view": self.view}, inputs, clean, outputs)
        folders = [prefix + CLEAN]
        with Progress(console=self.stages.console, transient=True) as progress:
            bar = progress.add_task("", total=len(CONDITIONS) * len(self.table))
            for number, (kind, severity) in enumerate(CONDITIONS):
                progress.update(
                    bar, description=f"{kind} {severity}", completed=number * len(self.table)
                )
                folders.append(f"{prefix}{kind}-{severity}")
                told = partial(progress.advance, bar)
                self._spoil(folders[-1], task, said, inputs, (kind, severity), told)
        return [row for name in folders for row in read_rows(self.stages.root / name / ROWS)]

    def _spoil(
        self,
        name: str,
        task: StudentTask,
        said: dict[str, Any],
        inputs: dict[str, str],
        condition: tuple[str, int],
        told: Callable[[float], None],
    ) -> None:
        """Stage: one corruption at one severity; `told` hears how many pictures are done."""
        kind, severity = condition

        def action(folder: Path) -> None:
            parts = []
            for start in range(0, len(self.table), SLICE):
                parts.append(self._chances(task, start, kind, severity))
                told(len(parts[-1]))
            frame = face_frame(self.table, np.concatenate(parts))
            write_predictions(folder / PREDICTIONS, frame)
            self._score(frame, folder, said, f"{kind} {severity}")

        what = said | {
            "view": self.view,
            "corruption": kind,
            "level": CORRUPTIONS[kind].levels[severity - 1],
            "draws": self.seed,
        }
        self.stages.run(name, what, inputs, action, [PREDICTIONS, ROWS])

    def _chances(
        self, task: StudentTask, start: int, kind: str, severity: int
    ) -> NDArray[np.float64]:
        """Probabilities of one slice of spoiled pictures."""
        part = slice(start, start + SLICE)
        ids, images = self.table.ids[part], self.table.images[part]
        return predict(task, corrupt(images, ids, kind, severity, self.seed), self.view)[0]

    def _score(
        self, frame: pd.DataFrame, folder: Path, said: Mapping[str, Any], condition: str
    ) -> None:
        """Write the rows of a condition."""
        rows = [row for row in score_faces(frame, said) if row.metric in METRICS]
        write_rows(folder / ROWS, named(rows, condition))

    def _said(self, task: StudentTask, context: Mapping[str, Any]) -> dict[str, Any]:
        """What a row says besides its value, with the notes of both sides."""
        own = student_context(task, self.table, self.view)
        note = noted(own["note"], str(context.get("note", "")))
        arm = self.view.named(str(context["arm"]))
        return own | dict(context) | {"arm": arm, "note": note}

    def _right(self, prefix: str) -> NDArray[np.bool_]:
        """Whether each row was answered rightly, `[N, 1 + conditions]`, from the files."""
        root = self.stages.root
        files = [root / f"{prefix}{CLEAN}" / "predictions.parquet"]
        files += [root / f"{prefix}{k}-{s}" / PREDICTIONS for k, s in CONDITIONS]
        pairs = (face_arrays(read_predictions(path, "face")) for path in files)
        return np.stack([chances.argmax(axis=1) == truth for truth, chances in pairs], axis=1)


def named(rows: list[ResultRow], condition: str) -> list[ResultRow]:
    """Rows whose experiment says the condition, as "x: noise 3"."""
    return [replace(row, experiment=f"{row.experiment}: {condition}") for row in rows]


def _identity(task: StudentTask) -> str:
    """Hash of what the predictions of a student depend on."""
    weights = arrays_hash({k: v.cpu().numpy() for k, v in task.state_dict().items()})
    told = {name: task.provenance.get(name) for name in ("preprocessing", "train")}
    return settings_hash({"weights": weights, "told": told})


def stress_student(
    task: StudentTask,
    table: FaceTable,
    out: Path,
    context: Mapping[str, Any],
    view: View = PLAIN,
    seed: int = 0,
    baseline: StudentTask | None = None,
) -> list[ResultRow]:
    """Judge a student on every corruption at every severity; finished conditions are kept.

    Leaves under `out` a folder a condition with its predictions, and
    `summary/robustness.jsonl` with everything that is returned.

    Args:
        task: loaded student.
        table: clean pictures with labels.
        out: folder.
        context: `experiment`, `arm` without the view, `seed` and whatever else overrides a row's
            own record.
        view: how the student looks at a picture.
        seed: of the chance in the corruptions.
        baseline: student whose errors are the unit of `mean_corruption_error`.

    Returns:
        Accuracy, macro-F1 and ECE of every condition, then the means over severities. The
        condition stands behind the name of the experiment: "x: clean", "x: noise 3", and for means
        "x: noise" and "x: all".
    """
    return Stress(Stages(out), table, context, view, seed).run(task, baseline)


def robustness(
    student: Path,
    data: FaceDataModule,
    split: str,
    out: Path,
    baseline: Path | None = None,
    flip: bool = False,
    console: Console | None = None,
) -> Path:
    """Judge a student checkpoint on spoiled pictures and report it; return the report's path.

    Args:
        student: checkpoint of a student.
        data: data module whose corpus holds the pictures; its seed is that of the corruptions.
        split: which part of the corpus.
        out: folder for predictions, scores and the report.
        baseline: checkpoint of another student to compare errors with.
        flip: judge each picture by the mean of itself and its mirror image.
        console: where progress is told.
    """
    task, view = load_student(student), View(flip=flip)
    other = load_student(baseline) if baseline is not None else None
    table = prepare(data.corpus, split, data.store)
    context = {
        "experiment": out.name,
        "arm": "student",
        "seed": trained_seed(task.provenance, data.seed),
        "code_version": neurogaze.__version__,
    }
    stages = Stages(out, console)
    Stress(stages, table, context, view, data.seed, data).run(task, other)
    inputs = {name: record.content for name, record in stages.records.items()}
    return report_stage(stages, f"Robustness on {table.dataset} ({split})", inputs)
