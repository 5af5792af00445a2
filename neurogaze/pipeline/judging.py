"""A student on a data set: predictions file, embeddings, scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rich.progress import track

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import write_npz
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import write_predictions
from neurogaze.evaluation.results import ResultRow, write_rows
from neurogaze.evaluation.scoring import score_faces
from neurogaze.faces.images import FaceTable
from neurogaze.faces.preprocessing import FacePreprocessing, to_input
from neurogaze.tasks.student import StudentTask

BATCH = 512
SYNTHETIC_STAMP = "trained on drawn faces: meaningless on people"


def load_student(path: Path) -> StudentTask:
    """Load a student checkpoint; its class order and preprocessing are checked.

    Raises:
        InputError: when the file is no student, has another class order, or lacks its contract.
    """
    try:
        task = StudentTask.load_from_checkpoint(path, map_location="cpu", weights_only=True)
    except InputError as error:
        raise InputError(path, error.found, error.remedy) from error
    except Exception as error:
        raise InputError(
            path, f"is no readable student checkpoint ({type(error).__name__})", "train it again"
        ) from error
    return task.eval()


def predict(
    task: StudentTask, images: NDArray[np.uint8], flip: bool = False
) -> tuple[NDArray, NDArray]:
    """Probabilities `[n, 8]` and embeddings `[n, d]` of grey images `uint8 [n, h, w]`.

    With `flip` the logits are the mean over an image and its mirror image; the embedding is that of
    the image.
    """
    prepared = FacePreprocessing(**task.provenance["preprocessing"])
    logits, embeddings = [], []
    starts = range(0, len(images), BATCH)
    with torch.inference_mode():
        for start in track(starts, "predicting faces", disable=len(starts) < 4):
            batch = torch.from_numpy(np.array(images[start : start + BATCH]))
            ready = to_input(batch, prepared)
            out = task(ready)
            views = [out.logits, task(ready.flip(3)).logits] if flip else [out.logits]
            logits.append(torch.stack(views).float().mean(dim=0))
            embeddings.append(out.embedding.float())
    probabilities = torch.cat(logits).double().softmax(dim=1).numpy()
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


def student_context(task: StudentTask, table: FaceTable, flip: bool = False) -> dict[str, Any]:
    """What a result row says besides its value."""
    synthetic = str(task.provenance.get("dataset", "")).startswith("synthetic")
    done, planned = task.epochs
    epoch = "last epoch" if done == planned else f"epoch {done} of {planned}"
    weights = "averaged weights" if task.averaged is not None else "plain weights"
    return {
        "dataset": table.dataset,
        "split": table.split,
        "protocol": f"{epoch}, {weights}, {'image and mirror' if flip else 'one view'}",
        "label_rule": table.rule,
        "config_hash": task.config_hash,
        "grid_hash": str(task.provenance.get("grid_sha256", "")),
        "split_hash": table.sha256,
        "note": SYNTHETIC_STAMP if synthetic else "",
    }


def evaluate_student(
    task: StudentTask, table: FaceTable, out: Path, context: dict[str, Any], flip: bool = False
) -> list[ResultRow]:
    """Judge a student; leave `predictions.parquet`, `embeddings.npz` and `results.jsonl`.

    Args:
        task: loaded student.
        table: images with labels.
        out: folder.
        context: `experiment`, `arm`, `seed` and whatever else overrides the row's own record.
        flip: judge each image by itself and its mirror image.
    """
    probabilities, embeddings = predict(task, table.images, flip)
    frame = face_frame(table, probabilities)
    own = student_context(task, table, flip)
    notes = [note for note in (own["note"], str(context.get("note", ""))) if note]
    rows = score_faces(frame, own | context | {"note": "; ".join(notes)})
    write_predictions(out / "predictions.parquet", frame)
    write_npz(
        out / "embeddings.npz",
        {"embedding": embeddings.astype(np.float16), "label": table.labels},
    )
    write_rows(out / "results.jsonl", rows)
    return rows
