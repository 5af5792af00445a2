"""The scratch-ensemble teacher: students that each never saw a part of the pictures.

Logit KD wants the opinion of a face classifier on every training picture. A classifier that was
trained on a picture has memorised its label, so members are cross-fitted: the training pictures are
dealt into folds that keep twins together, and the stored logits of a picture come only from members
that were trained without its fold. Pictures of other sets are judged by all members together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

import neurogaze
from neurogaze import training
from neurogaze.artefacts import arrays_hash, settings_hash, write_json, write_npz
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import write_predictions
from neurogaze.evaluation.results import write_rows
from neurogaze.evaluation.scoring import score_faces
from neurogaze.faces.images import FaceTable
from neurogaze.faces.store import prepare as prepare_faces
from neurogaze.pipeline.ensemble_logits import (
    class_means,
    gathered,
    gathered_means,
    log_odds,
    stored_logits,
    together,
)
from neurogaze.pipeline.judging import (
    face_frame,
    guarded,
    load_student,
    student_context,
)
from neurogaze.pipeline.refusals import refuse_no_folders, refuse_no_seed
from neurogaze.pipeline.settings import EvaluationSettings, FitSettings, read_settings
from neurogaze.pipeline.stages import StageRecord, Stages
from neurogaze.pipeline.steps import go_on, planned, refuse_unjudgeable, report_stage
from neurogaze.pipeline.trained_on import training_pictures
from neurogaze.pipeline.views import PLAIN, View, predict
from neurogaze.tasks.student import StudentTask

LOGITS = "logits.npz"
CLASS_MEANS = "class_means.npz"
MIN_FOLDS = 2
HELD_OUT = "held-out"
"""What the folder of a member's logits of its own fold ends in, where others name a data set."""


@dataclass(frozen=True)
class EnsembleSettings:
    """A cross-fitted ensemble of students.

    Args:
        name: folder of the ensemble, under `runs/`.
        title: heading of the report; names the data as really used.
        base: the student that every member is; its data must know `held_out`.
        evaluate: data sets by name, judged by every member and by all together.
        folds: parts that the training pictures are dealt into, twins together.
        members: students a fold, of different seeds.
        seed: of the folds, and of the first member; the next member of a fold has the next seed.
        expected_train: number of training pictures that must be there; null asks for none.

    Raises:
        InputError: for fewer than two folds, no member, a seed that no generator takes, or a data
            set whose name makes no folder of its own.
    """

    name: str
    title: str
    base: FitSettings
    evaluate: dict[str, EvaluationSettings] = field(default_factory=dict)
    folds: int = 3
    members: int = 1
    seed: int = 0
    expected_train: int | None = None

    def __post_init__(self) -> None:
        if self.folds < MIN_FOLDS or self.members < 1:
            found = f"{self.folds} folds of {self.members} members"
            raise InputError("ensemble", found, "ask for two folds or more, of a member or more")
        refuse_no_seed("seed", (self.seed, self.seed + self.members - 1))
        refuse_no_folders("evaluate", self.evaluate, last=True)
        if HELD_OUT in self.evaluate:
            found = f"has a data set {HELD_OUT!r}, as the fold that a member never saw is called"
            raise InputError("evaluate", found, "call the data set something else")


def load_ensemble(path: Path) -> EnsembleSettings:
    """Read an ensemble file; paths in it are relative to the file.

    Raises:
        InputError: when it cannot be read, or a key is missing, unknown or of the wrong type.
    """
    settings, folder = read_settings(path, EnsembleSettings), path.parent
    return replace(
        settings,
        base=settings.base.relative_to(folder),
        evaluate={name: part.relative_to(folder) for name, part in settings.evaluate.items()},
    )


@dataclass(frozen=True)
class Member:
    """One student of the ensemble.

    Args:
        fold: the part of the training pictures that it never saw.
        seed: of its weights, order and augmentation.
        args: the command line of its training.
    """

    fold: int
    seed: int
    args: tuple[str, ...]

    @property
    def name(self) -> str:
        """Folder of its training."""
        return f"member-fold{self.fold}-seed{self.seed}"


def members_of(settings: EnsembleSettings, store: Path) -> list[Member]:
    """Every member, fold by fold."""
    found = []
    for fold in range(settings.folds):
        part = {"n_folds": settings.folds, "fold": fold, "seed": settings.seed}
        held_out = [f"--data.held_out.{key}={value}" for key, value in part.items()]
        for seed in range(settings.seed, settings.seed + settings.members):
            flags = [f"--seed_everything={seed}", f"--data.store={store}"]
            args = (*settings.base.arguments(), *held_out, *flags)
            found.append(Member(fold, seed, args))
    return found


class Ensemble:
    """One ensemble file, carried out under one folder.

    Args:
        settings: what to do.
        root: folder of the run.
        store: folder of decoded pictures.
        console: where progress is told.
        stages: of a run under the same folder that it is a part of; by default its own.
    """

    def __init__(
        self,
        settings: EnsembleSettings,
        root: Path,
        store: Path,
        console: Console | None = None,
        stages: Stages | None = None,
    ) -> None:
        self.settings, self.root, self.store = settings, root, store
        self.stages = stages or Stages(root, console)
        self.members = members_of(settings, store)
        self._data: dict[str, Any] = {}

    def run(self) -> Path:
        """Train, judge and store whatever is not done; return the report's path.

        Raises:
            InputError: before the first member is trained, for pictures of another number, or an
                evaluation that cannot be carried out.
        """
        for part in self.settings.evaluate.values():
            self.pictures(part)
        self.stored()
        for name, part in self.settings.evaluate.items():
            self.judge(name, part)
        inputs = {name: record.content for name, record in self.stages.records.items()}
        return report_stage(self.stages, self.settings.title, inputs)

    def stored(self) -> StageRecord:
        """Stages: the members, and one file with the held-out logits of every training picture."""
        for member in self.members:
            self.fit(member)
            self.held_out(member)
        return self.logits()

    def data(self, member: Member) -> Any:
        """The data module of a member, its training and held-out pictures read once."""
        if member.name not in self._data:
            data: Any = training.data_of(training.plan(member.args))
            data.setup("fit")
            expected, found = self.settings.expected_train, len(data.train) + len(data.dev)
            if expected is not None and found != expected:
                where = f"{data.train.dataset} train, rule {data.train.rule!r}"
                remedy = "check the download; the skipped pictures are listed in the store"
                raise InputError(where, f"has {found} pictures, not {expected}", remedy)
            self._data[member.name] = data
        return self._data[member.name]

    def task(self, member: Member) -> StudentTask:
        """A trained member."""
        return load_student(self.root / member.name / "last.ckpt")

    @cached_property
    def train(self) -> FaceTable:
        """All training pictures."""
        data = self.data(self.members[0])
        table: FaceTable = prepare_faces(data.corpus, "train", data.store, progress=False)
        return table

    def pictures(self, part: EvaluationSettings) -> FaceTable:
        """Pictures that judge.

        Raises:
            InputError: where they cannot, as `part` says.
        """
        args = ["--data", part.data, f"--data.store={self.store}", *part.args]
        data: Any = training.load_data(args)
        table = prepare_faces(data.corpus, part.split, data.store)
        refuse_unjudgeable(part, table, [self.data(self.members[0]).preprocessing.size])
        return table

    def fit(self, member: Member) -> StageRecord:
        """Stage: train one member."""
        fit = planned(member.args, self.root / member.name)
        data = self.data(member)
        inputs = {"faces": data.train.sha256, "dev": data.dev.sha256}
        outputs = ["last.ckpt", "metrics.csv"]
        config = training.settings_of(fit)
        return self.stages.run(
            member.name, config, inputs, lambda folder: go_on(fit, folder), outputs
        )

    def _weights(self, member: Member) -> str:
        return self.stages.records[member.name].outputs["last.ckpt"]

    def held_out(self, member: Member) -> StageRecord:
        """Stage: logits of one member on the fold that it never saw."""
        table: FaceTable = self.data(member).dev

        def action(folder: Path) -> None:
            task = self.task(member)
            guarded(task, table)
            chances, embedding = predict(task, table.images)
            means = class_means(embedding, table.labels)
            stored = {"ids": table.ids, "logits": log_odds(chances), "class_means": means}
            write_npz(folder / LOGITS, stored)

        inputs = {"student": self._weights(member), "faces": table.sha256}
        return self.stages.run(f"{member.name}-{HELD_OUT}", {}, inputs, action, [LOGITS])

    def logits(self) -> StageRecord:
        """Stage: one file with the held-out logits of every training picture."""
        names = [f"{member.name}-{HELD_OUT}" for member in self.members]
        inputs = {name: self.stages.records[name].content for name in names}
        arm = "ensemble, out of fold"

        def action(folder: Path) -> None:
            arrays = gathered([self.root / name / LOGITS for name in names])
            row = {name: i for i, name in enumerate(self.train.ids.tolist())}
            table = self.train.take(np.array([row[name] for name in arrays["ids"].tolist()]))
            arrays |= {"dataset": np.array(table.dataset), "groups": table.groups}
            write_npz(folder / LOGITS, arrays)
            write_json(folder / "logits.json", self._about(arrays))
            write_npz(folder / CLASS_MEANS, gathered_means([self.root / n / LOGITS for n in names]))
            chances = together([arrays["logits"]])
            self._score(folder, table, chances, context, PLAIN, self.members)

        context = self._context(arm, self.settings.seed)
        what = {"context": context}
        outputs = [LOGITS, CLASS_MEANS, "logits.json", "results.jsonl"]
        return self.stages.run("logits", what, inputs, action, outputs)

    def _about(self, arrays: dict[str, NDArray]) -> dict[str, Any]:
        """What the stored logits say of their making."""
        provenance = self.task(self.members[0]).provenance
        return {
            "sha256": arrays_hash(arrays),
            "images": len(arrays["ids"]),
            "folds": self.settings.folds,
            "members_a_fold": self.settings.members,
            "seed": self.settings.seed,
            "dataset": provenance["dataset"],
            "train_sha256": self.train.sha256,
            "rule": provenance["rule"],
            "labels": provenance["labels"],
            "preprocessing": provenance["preprocessing"],
            "members": {member.name: self._weights(member) for member in self.members},
            "code_version": neurogaze.__version__,
        }

    def _context(self, arm: str, seed: int) -> dict[str, Any]:
        return {
            "experiment": self.settings.name,
            "arm": arm,
            "seed": seed,
            "code_version": neurogaze.__version__,
        }

    def _score(
        self,
        folder: Path,
        table: FaceTable,
        chances: NDArray[np.float64],
        context: dict[str, Any],
        view: View,
        members: Sequence[Member],
    ) -> None:
        """Leave predictions and result rows of some members, with the stamps of students' rows."""
        tasks = [self.task(member) for member in members]
        said = [student_context(task, table, view) for task in tasks]
        about = said[0] | context | {"arm": view.named(context["arm"])}
        if len(members) > 1:
            about["protocol"] = f"{self.settings.folds}-fold cross-fit, {said[0]['protocol']}"
            about["config_hash"] = settings_hash([own["config_hash"] for own in said])
        known = None
        if table.split != "train" and table.dataset == self.train.dataset:
            known = training_pictures(tasks[0], self.data(members[0]), table.split)
        frame = face_frame(table, chances, known)
        write_predictions(folder / "predictions.parquet", frame)
        write_rows(folder / "results.jsonl", score_faces(frame, about))

    def judge(self, name: str, part: EvaluationSettings) -> None:
        """Stages: every member, and all together, on one data set."""
        table, view = self.pictures(part), part.view()
        records = [self._judge_member(name, member, table, view) for member in self.members]
        inputs = {record.name: record.content for record in records}

        def action(folder: Path) -> None:
            parts = [stored_logits(self.root / record.name / LOGITS) for record in records]
            self._score(folder, table, together(parts), context, view, self.members)

        context = self._context("ensemble", self.settings.seed)
        what = {"context": context, "view": view}
        outputs = ["predictions.parquet", "results.jsonl"]
        self.stages.run(f"ensemble-{name}", what, inputs, action, outputs)

    def _judge_member(self, name: str, member: Member, table: FaceTable, view: View) -> StageRecord:
        context = self._context(f"member {self.members.index(member)}", member.seed)

        def action(folder: Path) -> None:
            task = self.task(member)
            guarded(task, table)
            probabilities, _ = predict(task, table.images, view)
            write_npz(folder / LOGITS, {"logits": log_odds(probabilities)})
            self._score(folder, table, probabilities, context, view, [member])

        inputs = {"student": self._weights(member), "faces": table.sha256}
        outputs = [LOGITS, "predictions.parquet", "results.jsonl"]
        what = {"context": context, "view": view}
        return self.stages.run(f"{member.name}-{name}", what, inputs, action, outputs)
