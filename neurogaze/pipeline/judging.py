"""A student on a data set: predictions file, embeddings, scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import write_npz
from neurogaze.deploy.contract import tensors_hash
from neurogaze.evaluation.openset import open_set_scores
from neurogaze.evaluation.predictions import write_predictions
from neurogaze.evaluation.results import ResultRow, model_hash, noted, write_rows
from neurogaze.evaluation.scoring import Score, result_rows, score_faces
from neurogaze.faces.images import FaceTable
from neurogaze.faces.twins import twin_free
from neurogaze.pipeline.views import PLAIN, View, adjusted, opinion
from neurogaze.tasks.face_warm_start import refuse_seen
from neurogaze.tasks.loading import load_task
from neurogaze.tasks.student import StudentTask
from neurogaze.tasks.student_record import trained_on_drawings

SYNTHETIC_STAMP = "trained on drawn faces: meaningless on people"
UNMARKED = "twins not marked: training pictures not at hand"


def load_student(path: Path) -> StudentTask:
    """Load a student checkpoint; its class order and preprocessing are checked.

    Raises:
        InputError: when the file is no student, has another class order, or lacks its contract.
    """
    return load_task(path, StudentTask)


def guarded(task: StudentTask, table: FaceTable) -> int:
    """Refuse to judge a student by pictures that its warm-up without labels saw.

    Whoever predicts for a score asks this first.

    Args:
        task: the student.
        table: the pictures that judge.

    Returns:
        How many of the pictures it saw, where its own settings accept that; else 0.

    Raises:
        InputError: when it saw some and that is not accepted.
    """
    if not len(task.warmed_on):
        return 0
    allowed = () if task.init_from is None else task.init_from.allow_seen
    return sum(refuse_seen(task.warmed_on, {table.split: table}, allowed).values())


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
    """What a result row says besides its value.

    Raises:
        InputError: as `guarded`.
    """
    done, planned = task.epochs
    epoch = "last epoch" if done == planned else f"epoch {done} of {planned}"
    without, seen = left_out(task), guarded(task, table)
    weights = "averaged weights" if task.averaged is not None else "plain weights"
    return {
        "dataset": table.dataset,
        "split": table.split,
        "protocol": f"{epoch}, {weights}, {view}",
        "label_rule": table.rule,
        "config_hash": model_hash(task.config_hash, tensors_hash(task.deployed.state_dict())),
        "grid_hash": str(task.provenance.get("grid_sha256", "")),
        "split_hash": table.sha256,
        "note": noted(
            SYNTHETIC_STAMP if trained_on_drawings(task.provenance) else "",
            f"trained without {without}" if without else "",
            f"warm-up saw {seen} of {len(table)}" if seen else "",
            table.note,
        ),
    }


def twin_note(task: StudentTask, table: FaceTable, train: FaceTable | None) -> str:
    """What a row says where twins may be but nobody could look for them."""
    same = table.dataset == task.provenance.get("dataset")
    return UNMARKED if same and train is None else ""


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
    guarded(task, table)
    note = noted(twin_note(task, table, train), str(context.get("note", "")))
    context = context | {"note": note}
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
    said = own | context | {"note": noted(own["note"], str(context.get("note", "")))}
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
