"""A student on a data set: predictions file, embeddings, scores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rich.progress import track

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import write_npz
from neurogaze.evaluation.predictions import write_predictions
from neurogaze.evaluation.results import ResultRow, write_rows
from neurogaze.evaluation.scoring import score_faces
from neurogaze.faces.images import FaceTable
from neurogaze.faces.preprocessing import FacePreprocessing, to_input
from neurogaze.tasks.loading import load_task
from neurogaze.tasks.student import StudentTask

BATCH = 512
SYNTHETIC_STAMP = "trained on drawn faces: meaningless on people"


def load_student(path: Path) -> StudentTask:
    """Load a student checkpoint; its class order and preprocessing are checked.

    Raises:
        InputError: when the file is no student, has another class order, or lacks its contract.
    """
    return load_task(path, StudentTask)


@dataclass(frozen=True)
class View:
    """How a student looks at an image; nothing in it is fitted.

    Args:
        flip: take the mean logits of the image and its mirror image.
        undo_weights: divide the probabilities by the class weights of the training loss. Weights
            multiply the posterior that a network learns (Elkan 2001, IJCAI, theorem 2); dividing
            gives back that of the training data.
    """

    flip: bool = False
    undo_weights: bool = False

    def __str__(self) -> str:
        """What a result row says of it."""
        undone = ", class weights undone" if self.undo_weights else ""
        return ("image and mirror" if self.flip else "one view") + undone

    def named(self, arm: str) -> str:
        """Name of an arm seen so; two ways to look at the same student are two rows."""
        return arm if self == PLAIN else f"{arm} ({self})"


PLAIN = View()


def predict(
    task: StudentTask, images: NDArray[np.uint8], view: View = PLAIN
) -> tuple[NDArray, NDArray]:
    """Probabilities `[n, 8]` and embeddings `[n, d]` of grey images `uint8 [n, h, w]`.

    The embedding is that of the image alone.
    """
    prepared = FacePreprocessing(**task.provenance["preprocessing"])
    logits, embeddings = [], []
    starts = range(0, len(images), BATCH)
    with torch.inference_mode():
        for start in track(starts, "predicting faces", disable=len(starts) < 4):
            batch = torch.from_numpy(np.array(images[start : start + BATCH]))
            ready = to_input(batch, prepared)
            out = task(ready)
            views = [out.logits, task(ready.flip(3)).logits] if view.flip else [out.logits]
            logits.append(torch.stack(views).float().mean(dim=0))
            embeddings.append(out.embedding.float())
    scores = torch.cat(logits).double()
    if view.undo_weights and task.loss.ce is not None:
        scores = scores - task.loss.ce.class_weight.double().log()
    probabilities = scores.softmax(dim=1).numpy()
    return probabilities, torch.cat(embeddings).numpy()


def face_frame(table: FaceTable, probabilities: NDArray[np.float64]) -> pd.DataFrame:
    """Lay predictions out as a face predictions file."""
    frame = pd.DataFrame(
        {
            "id": table.ids,
            "dataset": table.dataset,
            "split": table.split,
            "label": np.array(EMOTIONS)[table.labels],
            "group": table.groups,
        }
    )
    scores = {f"p_{name}": probabilities[:, i] for i, name in enumerate(EMOTIONS)}
    return frame.assign(**scores)


def student_context(task: StudentTask, table: FaceTable, view: View = PLAIN) -> dict[str, Any]:
    """What a result row says besides its value."""
    synthetic = str(task.provenance.get("dataset", "")).startswith("synthetic")
    done, planned = task.epochs
    epoch = "last epoch" if done == planned else f"epoch {done} of {planned}"
    weights = "averaged weights" if task.averaged is not None else "plain weights"
    return {
        "dataset": table.dataset,
        "split": table.split,
        "protocol": f"{epoch}, {weights}, {view}",
        "label_rule": table.rule,
        "config_hash": task.config_hash,
        "grid_hash": str(task.provenance.get("grid_sha256", "")),
        "split_hash": table.sha256,
        "note": SYNTHETIC_STAMP if synthetic else "",
    }


def evaluate_student(
    task: StudentTask, table: FaceTable, out: Path, context: dict[str, Any], view: View = PLAIN
) -> list[ResultRow]:
    """Judge a student; leave `predictions.parquet`, `embeddings.npz` and `results.jsonl`.

    Args:
        task: loaded student.
        table: images with labels.
        out: folder.
        context: `experiment`, `arm`, `seed` and whatever else overrides the row's own record.
        view: how the student looks at an image.
    """
    probabilities, embeddings = predict(task, table.images, view)
    frame = face_frame(table, probabilities)
    own = student_context(task, table, view)
    notes = [note for note in (own["note"], str(context.get("note", ""))) if note]
    rows = score_faces(frame, own | context | {"note": "; ".join(notes)})
    write_predictions(out / "predictions.parquet", frame)
    write_npz(
        out / "embeddings.npz",
        {"embedding": embeddings.astype(np.float16), "label": table.labels},
    )
    write_rows(out / "results.jsonl", rows)
    return rows
