"""A student on a data set: predictions file, embeddings, scores."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import write_npz
from neurogaze.evaluation.human_line import human_rows
from neurogaze.evaluation.openset import open_set_scores
from neurogaze.evaluation.predictions import write_predictions
from neurogaze.evaluation.results import ResultRow, write_rows
from neurogaze.evaluation.scoring import Score, result_rows, score_faces
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.votes import USAGES, read_votes
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceCorpus, FaceTable
from neurogaze.faces.labels import DROPPED, majority_label
from neurogaze.faces.store import prepare as prepare_faces
from neurogaze.faces.twins import twin_free
from neurogaze.pipeline.views import BATCH, PLAIN, View, adjusted, opinion, predict
from neurogaze.tasks.face_warm_start import refuse_seen
from neurogaze.tasks.loading import load_task
from neurogaze.tasks.student import StudentTask

__all__ = ["BATCH", "PLAIN", "View", "evaluate_student", "face_frame", "load_student", "predict"]

SYNTHETIC_STAMP = "trained on drawn faces: meaningless on people"


def load_student(path: Path) -> StudentTask:
    """Load a student checkpoint; its class order and preprocessing are checked.

    Raises:
        InputError: when the file is no student, has another class order, or lacks its contract.
    """
    return load_task(path, StudentTask)


def training_pictures(task: StudentTask, data: FaceDataModule) -> FaceTable | None:
    """Training pictures of the corpus at hand, if the student was trained on that corpus.

    They tell which judged pictures have twins. A checkpoint that does not say how often each class
    occurred is told, where these are the very pictures it was trained on.

    Args:
        task: the student.
        data: data module of the images to be judged.
    """
    corpus, record = copy.copy(data.corpus), task.provenance.get("train", {})
    if corpus.name != task.provenance.get("dataset"):
        return None
    if isinstance(corpus, FerPlus):  # another rule trains on other pictures
        corpus.rule = record.get("identity", {}).get("rule", corpus.rule)
    table = prepare_faces(corpus, "train", data.store)
    if record.get("sha256") == table.sha256:
        counts = {"class_counts": table.class_counts.tolist()}
        task.provenance = task.provenance | {"train": record | counts}
    return table


def face_frame(
    table: FaceTable, probabilities: NDArray[np.float64], train: FaceTable | None = None
) -> pd.DataFrame:
    """Lay predictions out as a face predictions file.

    Args:
        table: the pictures.
        probabilities: `[n, 8]`.
        train: what the student was trained on, to mark twins; None where that is another corpus.
    """
    frame = pd.DataFrame(
        {
            "id": table.ids,
            "dataset": table.dataset,
            "split": table.split,
            "label": np.array(EMOTIONS)[table.labels],
            "group": table.groups,
        }
    )
    known = {"subject": table.subjects, "sequence": table.sequences}
    more: dict[str, NDArray] = {k: column for k, column in known.items() if column is not None}
    if train is not None:
        more["twin"] = ~twin_free(table, train)
    scores = {f"p_{name}": probabilities[:, i] for i, name in enumerate(EMOTIONS)}
    if (table.votes.max(axis=1) < 1).any():  # else nobody voted: each row repeats its label
        votes = table.votes.astype(np.float64)
        more |= {f"v_{name}": votes[:, i] for i, name in enumerate(EMOTIONS)}
    return frame.assign(**scores, **more)


def student_context(task: StudentTask, table: FaceTable, view: View = PLAIN) -> dict[str, Any]:
    """What a result row says besides its value."""
    synthetic = str(task.provenance.get("dataset", "")).startswith("synthetic")
    done, planned = task.epochs
    epoch = "last epoch" if done == planned else f"epoch {done} of {planned}"
    notes = [SYNTHETIC_STAMP] if synthetic else []
    notes += [f"trained without {without}"] if (without := left_out(task)) else []
    weights = "averaged weights" if task.averaged is not None else "plain weights"
    return {
        "dataset": table.dataset,
        "split": table.split,
        "protocol": f"{epoch}, {weights}, {view}",
        "label_rule": table.rule,
        "config_hash": task.config_hash,
        "grid_hash": str(task.provenance.get("grid_sha256", "")),
        "split_hash": table.sha256,
        "note": "; ".join(notes),
    }


def evaluate_student(
    task: StudentTask,
    table: FaceTable,
    out: Path,
    context: dict[str, Any],
    view: View = PLAIN,
    train: FaceTable | None = None,
) -> list[ResultRow]:
    """Judge a student; leave `predictions.parquet`, `embeddings.npz` and `results.jsonl`.

    The file of predictions is that of the view. The single view is scored as well, as an arm of
    its own.

    Args:
        task: loaded student.
        table: images with labels.
        out: folder.
        context: `experiment`, `arm`, `seed` and whatever else overrides the row's own record. The
            arm may have been named by the view or not.
        view: how the student looks at an image.
        train: what it was trained on, to score the part without twins; see `training_pictures`.

    Raises:
        InputError: when its warm-up without labels saw some of the pictures.
    """
    if task.init_from is not None:
        refuse_seen(task.warmed_on, {table.split: table}, task.init_from.allow_seen)
    seen = opinion(task, table.images, view)
    logits = adjusted(task, seen.mean, view)
    frame = face_frame(table, softmax(logits, axis=1), train)
    arm = view.named(context["arm"])
    rows = judged_rows(task, table, frame, logits, context | {"arm": arm}, view)
    if view != PLAIN:
        single = face_frame(table, softmax(seen.single, axis=1), train)
        alone = context | {"arm": view.bare(arm)}
        rows += judged_rows(task, table, single, seen.single, alone, PLAIN)
    write_predictions(out / "predictions.parquet", frame)
    write_npz(
        out / "embeddings.npz",
        {"embedding": seen.embedding.astype(np.float16), "label": table.labels},
    )
    write_rows(out / "results.jsonl", rows)
    return rows


def judged_rows(
    task: StudentTask,
    table: FaceTable,
    frame: pd.DataFrame,
    logits: NDArray[np.float64],
    context: dict[str, Any],
    view: View,
) -> list[ResultRow]:
    """Result rows of one student seen one way, with its temperature and open-set scores if any."""
    own = student_context(task, table, view)
    notes = [note for note in (own["note"], str(context.get("note", ""))) if note]
    said = own | context | {"note": "; ".join(notes)}
    rows = score_faces(frame, said)
    more: dict[str, Score] = {}
    if view.temperature != 1:
        more["temperature"] = Score(view.temperature, None, None, len(table))
    without = left_out(task)
    unknown = table.labels == (EMOTIONS.index(without) if without else -1)
    if unknown.any() and not unknown.all():
        more |= open_set_scores(unknown, logits, table.units, int(said.get("seed", 0)))
    return rows + result_rows(more, table.dataset, said)


def left_out(task: StudentTask) -> str | None:
    """The emotion that was left out of training on purpose, if any."""
    return task.provenance.get("settings", {}).get("without")


def rater_rows(corpus: FaceCorpus, table: FaceTable, context: dict[str, Any]) -> list[ResultRow]:
    """How well one rater agrees with the others on the same pictures, where raters are known.

    Args:
        corpus: only FER+ publishes counts of votes; any other has no such rows.
        table: the pictures; a part of a split has no such rows, nor has another rule.
        context: `experiment`, `seed` and `code_version` of the rows beside it.
    """
    if not isinstance(corpus, FerPlus) or table.rule != "majority":
        return []
    sheet = read_votes(corpus.votes_path)
    rows = (sheet.usage == USAGES[table.split]) & (sheet.names != "")
    kept = int((majority_label(sheet.votes[rows]) != DROPPED).sum())
    if kept != len(table) + len(table.skipped):
        return []
    said = context | {"split": table.split, "split_hash": table.sha256}
    return human_rows(sheet.votes[rows], table.dataset, said)
