"""The scratch-ensemble teacher: students that each never saw a part of the pictures.

Logit KD wants the opinion of a face classifier on every training picture. A classifier that was
trained on a picture has memorised its label, so members are cross-fitted: the training pictures are
dealt into folds that keep twins together, and the stored logits of a picture come only from members
that were trained without its fold. Pictures of other sets are judged by all members together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

import neurogaze
from neurogaze import training
from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash, write_json, write_npz
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import write_predictions
from neurogaze.evaluation.results import write_rows
from neurogaze.evaluation.scoring import score_faces
from neurogaze.faces.images import FaceTable
from neurogaze.faces.store import prepare as prepare_faces
from neurogaze.pipeline.judging import face_frame, load_student, predict
from neurogaze.pipeline.run import expect, report_stage, resumable_fit
from neurogaze.pipeline.settings import EvaluationSettings, FitSettings, read_settings
from neurogaze.pipeline.stages import StageRecord, Stages

LOGITS = "logits.npz"
MIN_FOLDS = 2


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
        seed: of the folds, and of the first member.
        expected_train: number of training pictures that must be there; null asks for none.

    Raises:
        InputError: for fewer than two folds or no member.
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


def log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits with row mean 0 that have these probabilities, `[n, 8]`.

    >>> log_odds(np.array([[0.5, 0.5]])).tolist()
    [[0.0, 0.0]]
    """
    logs = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    return np.asarray(logs - logs.mean(axis=1, keepdims=True))


def together(logits: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Probabilities of the mean logits of several members, `[n, 8]`.

    >>> together([np.log([[0.8, 0.2]]), np.log([[0.2, 0.8]])]).round(12).tolist()
    [[0.5, 0.5]]
    """
    mean = np.mean([np.asarray(part, np.float64) for part in logits], axis=0)
    chances = np.exp(mean - mean.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


class Ensemble:
    """One ensemble file, carried out under one folder.

    Args:
        settings: what to do.
        root: folder of the run.
        store: folder of decoded pictures.
        console: where progress is told.
    """

    def __init__(
        self, settings: EnsembleSettings, root: Path, store: Path, console: Console | None = None
    ) -> None:
        self.settings, self.root, self.store = settings, root, store
        self.stages = Stages(root, console)
        self.members = members_of(settings, store)

    def run(self) -> Path:
        """Train, judge and store whatever is not done; return the report's path."""
        for member in self.members:
            self.fit(member)
            self.held_out(member)
        self.logits()
        for name, part in self.settings.evaluate.items():
            self.judge(name, part)
        inputs = {name: record.content for name, record in self.stages.records.items()}
        return report_stage(self.stages, self.settings.title, inputs)

    def data(self, member: Member) -> Any:
        """The data module of a member, its training and held-out pictures read."""
        data: Any = training.build_cli(list(member.args), run=False).datamodule
        data.setup("fit")
        expected, found = self.settings.expected_train, len(data.train) + len(data.dev)
        if expected is not None and found != expected:
            where = f"{data.train.dataset} train, rule {data.train.rule!r}"
            remedy = "check the download; the skipped pictures are listed in the store"
            raise InputError(where, f"has {found} pictures, not {expected}", remedy)
        return data

    def fit(self, member: Member) -> StageRecord:
        """Stage: train one member."""
        args = list(member.args)
        data = self.data(member)
        inputs = {"faces": data.train.sha256, "dev": data.dev.sha256}
        outputs = ["last.ckpt", "metrics.csv"]
        config = training.parse_fit(args)
        return self.stages.run(
            member.name, config, inputs, lambda folder: resumable_fit(args, folder), outputs
        )

    def _weights(self, member: Member) -> str:
        return self.stages.records[member.name].outputs["last.ckpt"]

    def held_out(self, member: Member) -> StageRecord:
        """Stage: logits of one member on the fold that it never saw."""
        table: FaceTable = self.data(member).dev

        def action(folder: Path) -> None:
            task = load_student(self.root / member.name / "last.ckpt")
            probabilities, _ = predict(task, table.images)
            logits = log_odds(probabilities)
            write_npz(folder / LOGITS, {"ids": table.ids, "logits": logits})

        inputs = {"student": self._weights(member), "faces": table.sha256}
        return self.stages.run(f"{member.name}-held-out", {}, inputs, action, [LOGITS])

    def logits(self) -> StageRecord:
        """Stage: one file with the held-out logits of every training picture."""
        names = [f"{member.name}-held-out" for member in self.members]
        inputs = {name: self.stages.records[name].content for name in names}

        def action(folder: Path) -> None:
            arrays = gathered([self.root / name / LOGITS for name in names])
            write_npz(folder / LOGITS, arrays)
            write_json(folder / "logits.json", self._about(arrays))
            table = self._train_table(arrays["ids"])
            chances = together([arrays["logits"]])
            self._score(folder, table, chances, "out of fold", "train, out of fold")

        what = {"context": self._context("out of fold")}
        outputs = [LOGITS, "logits.json", "results.jsonl"]
        return self.stages.run("logits", what, inputs, action, outputs)

    def _train_table(self, ids: NDArray[np.str_]) -> FaceTable:
        """All training pictures, in the order of the stored logits."""
        data = self.data(self.members[0])
        table: FaceTable = prepare_faces(data.corpus, "train", data.store, progress=False)
        row = {name: i for i, name in enumerate(table.ids.tolist())}
        return table.take(np.array([row[name] for name in ids.tolist()]))

    def _about(self, arrays: dict[str, NDArray]) -> dict[str, Any]:
        """What the stored logits say of their making."""
        provenance = load_student(self.root / self.members[0].name / "last.ckpt").provenance
        return {
            "sha256": arrays_hash(arrays),
            "images": len(arrays["ids"]),
            "folds": self.settings.folds,
            "members_a_fold": self.settings.members,
            "seed": self.settings.seed,
            "dataset": provenance["dataset"],
            "rule": provenance["rule"],
            "labels": provenance["labels"],
            "preprocessing": provenance["preprocessing"],
            "members": {member.name: self._weights(member) for member in self.members},
            "code_version": neurogaze.__version__,
        }

    def _context(self, arm: str) -> dict[str, Any]:
        return {
            "experiment": self.settings.name,
            "arm": arm,
            "seed": self.settings.seed,
            "code_version": neurogaze.__version__,
        }

    def _score(
        self, folder: Path, table: FaceTable, chances: NDArray[np.float64], arm: str, split: str
    ) -> None:
        """Leave predictions and result rows of one arm; pictures with twins in training marked."""
        data = self.data(self.members[0])
        trained = data.corpus.name == table.dataset and table.split != "train"
        train = prepare_faces(data.corpus, "train", data.store, progress=False) if trained else None
        frame = face_frame(table, chances, train).assign(split=split)
        protocol = f"{self.settings.folds}-fold cross-fit, last epoch, one view"
        about = {"protocol": protocol, "label_rule": table.rule, "split_hash": table.sha256}
        write_predictions(folder / "predictions.parquet", frame)
        write_rows(folder / "results.jsonl", score_faces(frame, self._context(arm) | about))

    def judge(self, name: str, part: EvaluationSettings) -> None:
        """Stages: every member, and all together, on one data set."""
        data: Any = training.load_data(["--data", part.data, f"--data.store={self.store}"])
        table = prepare_faces(data.corpus, part.split, data.store)
        expect(part.expected, table)
        records = [self._judge_member(name, member, table) for member in self.members]
        inputs = {record.name: record.content for record in records}

        def action(folder: Path) -> None:
            parts = [_stored(self.root / record.name / LOGITS) for record in records]
            self._score(folder, table, together(parts), "ensemble", table.split)

        what = {"context": self._context("ensemble")}
        outputs = ["predictions.parquet", "results.jsonl"]
        self.stages.run(f"ensemble-{name}", what, inputs, action, outputs)

    def _judge_member(self, name: str, member: Member, table: FaceTable) -> StageRecord:
        arm = f"member {self.members.index(member)}"

        def action(folder: Path) -> None:
            task = load_student(self.root / member.name / "last.ckpt")
            probabilities, _ = predict(task, table.images)
            write_npz(folder / LOGITS, {"logits": log_odds(probabilities)})
            self._score(folder, table, probabilities, arm, table.split)

        inputs = {"student": self._weights(member), "faces": table.sha256}
        outputs = [LOGITS, "predictions.parquet", "results.jsonl"]
        what = {"context": self._context(arm)}
        return self.stages.run(f"{member.name}-{name}", what, inputs, action, outputs)


def _stored(path: Path) -> NDArray[np.float64]:
    with np.load(path, allow_pickle=False) as arrays:
        return np.asarray(arrays["logits"], np.float64)


def gathered(paths: Sequence[Path]) -> dict[str, NDArray]:
    """Mean held-out logits of each picture over the members that never saw it.

    Args:
        paths: files of `ids [n]` and `logits [n, 8]`; every picture is in as many as there are
            members a fold.

    Returns:
        `ids` sorted, `logits` float16 `[N, 8]`, and `labels [8]`, what the columns mean.

    Raises:
        InputError: when a picture has fewer opinions than another.
    """
    ids, logits = [], []
    for path in paths:
        with np.load(path, allow_pickle=False) as arrays:
            ids.append(arrays["ids"])
            logits.append(arrays["logits"])
    names, which, counts = np.unique(np.concatenate(ids), return_inverse=True, return_counts=True)
    if np.ptp(counts):
        found = f"hold {counts.min()} opinions of one picture and {counts.max()} of another"
        raise InputError("held-out logits", found, "delete the run and make it again")
    sums = np.zeros((len(names), np.concatenate(logits).shape[1]))
    np.add.at(sums, which, np.concatenate(logits))
    mean = (sums / counts[:, None]).astype(np.float16)
    return {"ids": names, "logits": mean, "labels": np.array(EMOTIONS)}
