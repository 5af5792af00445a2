"""Pictures that a student was trained on: which judged ones have twins there, which are refused."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurogaze.artefacts import canonical
from neurogaze.errors import InputError
from neurogaze.faces.corpora.cross_validated import CrossValidated
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.folds import fold_numbers
from neurogaze.faces.images import FaceCorpus, FaceTable
from neurogaze.faces.store import prepare
from neurogaze.tasks.judged_by import refuse_other_folds
from neurogaze.tasks.student import StudentTask


def training_table(
    provenance: Mapping[str, Any], data: FaceDataModule, split: str
) -> FaceTable | None:
    """Training pictures of the corpus at hand, if a student was trained on these very pictures.

    They tell which judged pictures have twins. A corpus is the same when its identity is that of
    the student's record, under the label rule and the strictness of the training.

    Args:
        provenance: of the student.
        data: data module of the images to be judged.
        split: of its corpus that judges.

    Returns:
        All of them, its dev slice included; None for another corpus, or where they are not at hand.

    Raises:
        InputError: as `refuse_other_folds`.
    """
    known = provenance.get("train", {}).get("identity")
    if data.corpus.name == provenance.get("dataset") and known is not None:
        corpus = read_as(data.corpus, known)
        try:
            if canonical(corpus.identity("train")) == canonical(known):
                return prepare(corpus, "train", data.store)
        except InputError:
            pass  # no such split, or no such folder: judging needs neither
    refuse_other_folds(provenance, data, split)
    return None


def read_as(corpus: FaceCorpus, known: Mapping[str, Any]) -> FaceCorpus:
    """A corpus that reads its pictures as a training did.

    Args:
        corpus: stays as it is.
        known: identity of the corpus in the record of the training.

    Returns:
        A copy that is as strict as that one, under its label rule. A corpus in folds keeps its own
        rule: another one deals the pictures otherwise.
    """
    same = copy.copy(corpus)
    if isinstance(same, CrossValidated):
        same.of = copy.copy(same.of)
        same.strict = bool(known.get("train_strict", same.strict))
        return same
    same.strict = bool(known.get("strict", same.strict))
    if isinstance(same, FerPlus):  # another rule trains on other pictures
        same.rule = known.get("rule", same.rule)
    return same


def training_pictures(task: StudentTask, data: FaceDataModule, split: str) -> FaceTable | None:
    """As `training_table`; a checkpoint without the class shares of its targets is told them.

    Args:
        task: the student.
        data: data module of the images to be judged.
        split: of its corpus that judges.

    Raises:
        InputError: as `refuse_other_folds`.
    """
    table = training_table(task.provenance, data, split)
    if table is not None and "target_shares" not in task.provenance["train"]:
        recall_shares(task, _trained(table, task.provenance.get("held_out")))
    return table


def _trained(table: FaceTable, held_out: dict[str, int] | None) -> FaceTable:
    """Training pictures without the fold that was held out, if any."""
    if held_out is None:
        return table
    folds = fold_numbers(table, held_out["n_folds"], held_out["seed"])
    return table.take(folds != held_out["fold"])


def recall_shares(task: StudentTask, table: FaceTable) -> None:
    """Tell a checkpoint of an earlier version the class shares of its targets.

    Args:
        task: the student; left as it is where its record has them, or is of other pictures.
        table: the pictures that it was trained on.
    """
    record, target = task.provenance["train"], task.provenance.get("settings", {}).get("target")
    known = "target_shares" in record or target is None
    if known or record.get("sha256") != table.sha256:
        return
    counts = table.class_counts / len(table)
    shares = counts if target == "majority" else table.votes.mean(axis=0, dtype=np.float64)
    task.provenance = task.provenance | {"train": record | {"target_shares": shares.tolist()}}
