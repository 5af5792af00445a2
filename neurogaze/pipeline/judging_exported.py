"""An exported student on a data set: the same scores as its checkpoint's, from the file alone.

What is judged is the file that people use: its precision, its temperature and its labels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from neurogaze.artefacts import write_npz
from neurogaze.deploy.contract import Contract
from neurogaze.deploy.recogniser import Recogniser
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import write_predictions
from neurogaze.evaluation.results import ResultRow, noted, write_rows
from neurogaze.evaluation.scoring import Score, result_rows, score_faces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceTable
from neurogaze.faces.store import prepare
from neurogaze.pipeline.judging import (
    SYNTHETIC_STAMP,
    UNMARKED,
    face_frame,
)
from neurogaze.pipeline.trained_on import training_table
from neurogaze.pipeline.views import PLAIN, View

UNSEEN_UNKNOWN = "what its warm-up saw is not in the file"


def warm_up_note(contract: Contract) -> str:
    """What is said of judging an exported student by any picture; "" where it had no warm-up.

    A checkpoint knows which pictures its warm-up without labels saw, and is refused those; a file
    exported from it does not.
    """
    return UNSEEN_UNKNOWN if contract.provenance.get("init_from") else ""


def check_plain(path: Path, view: View, temperature: Path | None) -> None:
    """Refuse ways of looking that an exported file does not have.

    Args:
        path: the file.
        view: that was asked for.
        temperature: that was asked for.

    Raises:
        InputError: for any but one look at the picture, or a temperature beside the file.
    """
    if view != PLAIN:
        remedy = "leave --flip, --crops, --prior and --undo_weights, or judge the checkpoint"
        raise InputError(path, f"looks at a picture once, not by {view}", remedy)
    if temperature is not None:
        remedy = "leave --temperature; give it to `neurogaze export --calibration`"
        raise InputError(path, "carries its own temperature", remedy)


def pictures_for(
    contract: Contract, data: FaceDataModule, split: str
) -> tuple[FaceTable, FaceTable | None]:
    """Pictures to judge an exported student by, and those it was trained on, where at hand.

    Args:
        contract: of the file.
        data: data module of the pictures.
        split: of the corpus.

    Raises:
        InputError: for a split that the corpus does not have.
    """
    table = prepare(data.corpus, split, data.store)
    return table, training_table(contract.provenance, data, split)


def evaluate_exported(
    recogniser: Recogniser,
    table: FaceTable,
    out: Path,
    context: dict[str, Any],
    train: FaceTable | None = None,
) -> list[ResultRow]:
    """Judge an exported student; leave `predictions.parquet`, `embeddings.npz`, `results.jsonl`.

    Args:
        recogniser: the opened file.
        table: images with labels.
        out: folder.
        context: `experiment`, `arm`, `seed`, `code_version`.
        train: what it was trained on, to score the part without twins.
    """
    answers, contract = recogniser.answers(table.images), recogniser.contract
    frame = face_frame(table, answers.probabilities, train)
    said = exported_context(contract, table, train) | context
    rows = score_faces(frame, said)
    if contract.temperature != 1:
        fitted = {"temperature": Score(contract.temperature, None, None, len(table))}
        rows += result_rows(fitted, table.dataset, said)
    write_predictions(out / "predictions.parquet", frame)
    embedding = answers.embedding.astype(np.float16)
    write_npz(out / "embeddings.npz", {"embedding": embedding, "label": table.labels})
    write_rows(out / "results.jsonl", rows)
    return rows


def exported_context(
    contract: Contract, table: FaceTable, train: FaceTable | None
) -> dict[str, Any]:
    """What a result row of an exported student says besides its value.

    Args:
        contract: of the file.
        table: images that judge.
        train: what it was trained on, None where not at hand.
    """
    known = contract.provenance
    same = table.dataset == known.get("dataset")
    view = View(temperature=contract.temperature)
    return {
        "dataset": table.dataset,
        "split": table.split,
        "protocol": f"exported, {contract.precision}, {view}",
        "label_rule": table.rule,
        "config_hash": contract.weights_sha256,
        "grid_hash": contract.grid_sha256,
        "split_hash": table.sha256,
        "note": noted(
            SYNTHETIC_STAMP if contract.generated else "",
            warm_up_note(contract),
            UNMARKED if same and train is None else "",
            table.note,
        ),
    }
