"""Fold teachers over recordings: each person is embedded only by a teacher that never saw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from neurogaze.eeg.cache import FeatureTable
from neurogaze.eeg.splits import Split, fold_rows
from neurogaze.errors import InputError
from neurogaze.prototypes.consolidate import Embedded
from neurogaze.tasks.loading import load_task
from neurogaze.tasks.teacher import TeacherTask

BATCH = 2048

Moments = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Mean and standard deviation of the features of a training fold, each `[channels, bands]`."""


class Embedder(Protocol):
    """What embeds recordings for a fold: a trained teacher, or what stands in its place."""

    @property
    def fold(self) -> int:
        """Number of the fold."""

    @property
    def test_units(self) -> frozenset[str]:
        """People (or rating events) it neither learned from nor stopped on."""

    @property
    def width(self) -> int:
        """Values of an embedding."""

    @property
    def moments(self) -> Moments:
        """Moments of the features it was fitted on."""

    @property
    def origin(self) -> dict[str, Any]:
        """Whom the weights it started from were warmed up on; empty without a warm-up."""

    def features(self, table: FeatureTable, matched: bool) -> NDArray[np.float32]:
        """Features of a table, with their moments matched to the training fold where asked."""

    def __call__(self, features: NDArray[np.float32]) -> tuple[NDArray, NDArray]:
        """Embeddings `[n, d]` and V/A `[n, 2]` of features `[n, channels, bands]`."""


@dataclass(frozen=True, eq=False)
class FoldTeacher:
    """A trained fold teacher and the people it held out.

    Args:
        task: the loaded task, in evaluation mode.
        fold: its number.
        test_units: people (or rating events) it neither learned from nor stopped on.
    """

    task: TeacherTask
    fold: int
    test_units: frozenset[str]

    @property
    def width(self) -> int:
        """Values of an embedding."""
        return int(self.task.teacher.head.in_features)

    @property
    def moments(self) -> Moments:
        """Moments of the features it was trained on."""
        return self.task.teacher.feature_mean.numpy(), self.task.teacher.feature_std.numpy()

    @property
    def origin(self) -> dict[str, Any]:
        """Whom the weights it started from were warmed up on; empty without a warm-up."""
        return self.task.provenance.get("init_from") or {}

    def features(self, table: FeatureTable, matched: bool) -> NDArray[np.float32]:
        """Features of a table, with their moments matched to the training fold where asked."""
        return match_moments(table.features, *self.moments) if matched else table.features

    def __call__(self, features: NDArray[np.float32]) -> tuple[NDArray, NDArray]:
        """Embed features `[n, channels, bands]`: embeddings `[n, d]` and V/A `[n, 2]`."""
        parts = []
        with torch.inference_mode():
            for start in range(0, len(features), BATCH):
                out = self.task.teacher(torch.from_numpy(features[start : start + BATCH]))
                parts.append((out.embedding.numpy(), out.va.numpy()))
        embedding, va = (np.concatenate(p) for p in zip(*parts, strict=True))
        return embedding.astype(np.float32), va.astype(np.float64)


def load_fold(path: Path, split: Split, settings_hash: str) -> FoldTeacher:
    """Load a fold teacher.

    Args:
        path: checkpoint of a `TeacherTask`.
        split: the split it must have been trained under.
        settings_hash: of the features it must have been trained on.

    Raises:
        InputError: when the file is no teacher, or was trained under another split or on other
            features.
    """
    task = load_teacher(path)
    record = task.provenance
    if record["settings_hash"] != settings_hash:
        raise InputError(
            path,
            f"was trained on features {record['settings_hash'][:12]}, not {settings_hash[:12]}",
            "give the data the features it was trained on",
        )
    if record["split_sha256"] != split.sha256:
        raise InputError(
            path,
            f"was trained under split {record['split_sha256'][:12]}, not {split.sha256[:12]}",
            "train it again, or consolidate with the split it was trained under",
        )
    return FoldTeacher(task, int(record["fold"]), frozenset(record["test_units"]))


def load_teacher(path: Path) -> TeacherTask:
    """Load a teacher checkpoint; its electrodes are checked."""
    return load_task(path, TeacherTask)


def units(table: FeatureTable, split: Split) -> NDArray[np.str_]:
    """The unit of the split (person or rating event) each row belongs to.

    Raises:
        InputError: for a split that holds out neither.
    """
    if split.unit not in ("subject", "event"):
        found = f"{split.protocol!r} holds out neither people nor rating events as a whole"
        raise InputError("--data.split.protocol", found, "embed under loso or trial")
    return table.subject if split.unit == "subject" else table.event


def held_out_fold(
    table: FeatureTable,
    split: Split,
    folds: Sequence[Embedder],
    same_people: bool,
    people: str = "",
) -> NDArray[np.int64]:
    """Which teacher (index into `folds`) may embed each row; -1 where none may.

    People of the labelled corpus are embedded by the fold that held them out. People it never
    met (another corpus) are dealt to the folds in turn. Nobody is embedded by weights that were
    warmed up on them.
    """
    chosen = np.full(table.n_rows, -1, dtype=np.int64)
    if same_people:
        names = units(table, split)
        for index, fold in enumerate(folds):
            chosen[np.isin(names, sorted(fold.test_units))] = index
    else:
        _, person = np.unique(table.subject, return_inverse=True)
        chosen = np.asarray(person % len(folds), dtype=np.int64)
    for index, fold in enumerate(folds):
        chosen[(chosen == index) & np.isin(table.subject, warmed_on(fold, people))] = -1
    return chosen


def warmed_on(fold: Embedder, people: str) -> list[str]:
    """Of the people of this name, those whom the warm-up of a teacher learned from or stopped on.

    Args:
        fold: a teacher.
        people: name of a set of people.
    """
    origin = fold.origin
    if origin.get("people") != people:
        return []
    return sorted({*origin.get("train_units", ()), *origin.get("stop_units", ())})


def match_moments(
    features: NDArray[np.float32], mean: NDArray[np.float32], std: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Shift and scale a support corpus, per channel and band, to the training moments.

    Amplifiers and clean-up differ between corpora; labels are not used.
    """
    own_mean, own_std = features.mean(axis=0), features.std(axis=0) + 1e-6
    return ((features - own_mean) / own_std * std + mean).astype(np.float32)


def embed_held_out(
    table: FeatureTable,
    split: Split,
    folds: Sequence[Embedder],
    people: str,
    same_people: bool = True,
    matched: bool = False,
) -> tuple[Embedded, NDArray[np.int64]]:
    """Embed every row by a teacher that held its person out.

    Args:
        table: features of one corpus.
        split: split of the labelled corpus.
        folds: the trained teachers.
        people: name of the people recorded; it qualifies theirs, so that nobody counts twice.
        same_people: whether `table` records people of the labelled corpus.
        matched: whether to match the moments of the corpus to the training fold.

    Returns:
        The embedded rows and their row numbers in `table`; rows nobody may embed are left out.
    """
    chosen = held_out_fold(table, split, folds, same_people, people)
    rows = np.flatnonzero(chosen >= 0)
    if not len(rows):
        raise InputError(
            table.corpus,
            f"holds nobody whom a teacher held out under protocol {split.protocol!r}",
            "hold whole people out (protocol: loso), or leave this corpus away",
        )
    embedding, va = (
        np.zeros((table.n_rows, folds[0].width), np.float32),
        np.zeros((table.n_rows, 2)),
    )
    for index, fold in enumerate(folds):
        mine = chosen == index
        if not mine.any():
            continue
        embedding[mine], va[mine] = fold(fold.features(table, matched)[mine])
    number = np.array([fold.fold for fold in folds], dtype=np.int64)
    embedded = Embedded(
        embedding=embedding[rows],
        va=va[rows],
        rated=np.stack([table.valence, table.arousal], axis=1)[rows],
        subject=np.array([f"{people}/{name}" for name in table.subject[rows].tolist()]),
        corpus=np.full(len(rows), table.corpus),
        fold=number[chosen[rows]],
    )
    return embedded, rows


def training_means(
    table: FeatureTable, split: Split, folds: Sequence[Embedder]
) -> NDArray[np.float32]:
    """Mean embedding of each fold's own training rows, `[folds of the split, d]`; else 0."""
    means = np.zeros((len(split.folds), folds[0].width), np.float32)
    for fold in folds:
        rows = fold_rows(table, split, fold.fold)["train"]
        means[fold.fold] = fold(table.features[rows])[0].mean(axis=0)
    return means
