"""What a student's confidence is worth, fitted on a slice of training that it never saw.

Temperature, abstain threshold and the read-out of valence and arousal are written beside the
checkpoint with everything they depend on, and refused for another checkpoint or another view. The
official validation split chooses nothing, so it cannot be named here.

A student with logit KD never saw the slice either, but the classifier behind its stored logits may
have learned from labels of it. That cannot be told from the student, so it is said, not refused.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from neurogaze.artefacts import canonical, write_json, written_aside
from neurogaze.errors import InputError
from neurogaze.evaluation.abstaining import Rule, abstain_threshold
from neurogaze.evaluation.calibration_file import (
    FILE,
    REMEDY,
    StudentCalibration,
    checkpoint_hash,
    read_calibration,
)
from neurogaze.evaluation.results import noted
from neurogaze.evaluation.temperature import Objective, fit_temperature
from neurogaze.evaluation.va_readout import va_readout
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceTable
from neurogaze.faces.store import prepare
from neurogaze.pipeline.judging import load_student
from neurogaze.pipeline.trained_on import recall_shares, training_pictures
from neurogaze.pipeline.views import PLAIN, View, adjusted, opinion
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.vectors import unit_rows
from neurogaze.report.figures_faces import risk_coverage_figure
from neurogaze.tasks.face_warm_start import refuse_seen
from neurogaze.tasks.judged_by import refuse_other_slice
from neurogaze.tasks.student import StudentTask

CURVE = "risk_coverage.png"
"""Picture of the dev slice's risk-coverage curve, beside the file."""
DEV = "dev"
"""Name of the dev slice where a split is asked for, unless the corpus has a split of that name."""
DEV_SPLIT = "train, dev slice"
"""Split of its rows."""
TAUGHT = "its face teacher may have learned from labels of this slice"
"""Said of the dev slice of a student with logit KD."""


def calibrate_student(
    checkpoint: Path,
    data: FaceDataModule,
    objective: Objective = "nll",
    view: View = PLAIN,
    out: Path | None = None,
    risk: float | None = None,
    rule: Rule = "guaranteed",
) -> StudentCalibration:
    """Fit what a student's confidence is worth on the fold that its training held out; write it.

    The risk-coverage curve of the slice is drawn beside the file. Of a student with logit KD it
    warns that its face teacher may have learned from labels of the slice.

    Args:
        checkpoint: of the student.
        data: the data of its training, with the same `held_out`.
        objective: of the temperature: "nll" against labels, or "vote_jsd" against the votes.
        view: how the student will look; its temperature is not used.
        out: file to write; by default `temperature.json` beside the checkpoint.
        risk: wished share of errors among answered faces; None never abstains.
        rule: how the threshold reaches it, see `abstain_threshold`.

    Raises:
        InputError: where the slice is not known to be unseen, by its training or by its warm-up,
            nobody voted on it, or no threshold reaches the risk.
    """
    task = load_student(checkpoint)
    dev = unseen_slice(task, data)
    if note := taught_note(task):
        warnings.warn(f"{dev.dataset} ({DEV_SPLIT}): {note}", stacklevel=2)
    voted = bool((dev.votes.max(axis=1) < 1).any())
    if objective == "vote_jsd" and not voted:
        raise InputError(dev.dataset, "has no votes", "fit --objective nll")
    raw = replace(view, temperature=1.0)
    seen = opinion(task, dev.images, raw)
    logits = adjusted(task, seen.mean, raw)
    fit = fit_temperature(logits, dev.labels if objective == "nll" else dev.votes, objective)
    chances = np.asarray(softmax(logits / fit.temperature, axis=1), np.float64)
    abstain = _abstention(chances, dev.labels, risk, rule)
    found = StudentCalibration(
        **asdict(fit),
        dataset=dev.dataset,
        label_rule=dev.rule,
        held_out=canonical(data.held_out),
        dev_sha256=dev.sha256,
        checkpoint=checkpoint_hash(checkpoint),
        view=canonical(raw),
        abstain_below=float(abstain.get("threshold", 0.0)),
        abstain=abstain,
        va=_readout(task, seen.embedding, dev.labels),
    )
    _write(out or checkpoint.with_name(FILE), found, dev.labels, chances)
    return found


def _write(
    path: Path,
    found: StudentCalibration,
    labels: NDArray[np.int64],
    chances: NDArray[np.float64],
) -> None:
    """The file, and the curve beside it."""
    write_json(path, found)
    png = risk_coverage_figure(labels, chances, found.abstain_below)
    with written_aside(path.with_name(CURVE)) as aside:
        aside.write_bytes(png)


def _abstention(
    chances: NDArray[np.float64], labels: NDArray[np.int64], risk: float | None, rule: Rule
) -> dict[str, Any]:
    """How the threshold was found; {} where nobody asked for one."""
    if risk is None:
        return {}
    correct = chances.argmax(axis=1) == labels
    found: dict[str, Any] = canonical(abstain_threshold(chances.max(axis=1), correct, risk, rule))
    return found


def _readout(
    task: StudentTask, embedding: NDArray[np.float32], labels: NDArray[np.int64]
) -> dict[str, Any]:
    """The read-out of valence and arousal; {} for a student without a grid."""
    if not len(task.prototypes):
        return {}
    prototypes = unit_rows(task.prototypes.cpu().numpy(), "prototypes")
    cosines = unit_rows(embedding, "embeddings") @ prototypes.T
    centers = task.centers.double().cpu().numpy()
    fit = va_readout(cosines, centers, labels, observed_cells(task))
    found: dict[str, Any] = canonical(fit)
    return found


def observed_cells(task: StudentTask) -> NDArray[np.bool_] | None:
    """Cells of the student's grid that recordings were in, `bool [K]`.

    Returns:
        None where the grid file that the student was trained with is not at hand.
    """
    if task.grid_pin is None:
        return None
    try:
        grid = PrototypeGrid.load(Path(task.grid_pin.path), sha256=task.grid_pin.sha256)
    except InputError:
        return None  # moved, or another file by now: the read-out says so
    return np.asarray((grid.counts > 0) & ~grid.filled)


def unseen_slice(task: StudentTask, data: FaceDataModule) -> FaceTable:
    """The dev slice of a data module, if a student is known not to have seen it.

    Args:
        task: the student; class shares that its record lacks are told it.
        data: with `held_out`.

    Raises:
        InputError: where no fold is held out, the student held out another or none, it was trained
            on other pictures, its warm-up saw some of the slice (whatever its settings accept), or
            a picture (or a person, or a recording) is on both sides.
    """
    known, said = task.provenance, canonical(data.held_out)
    if said is None:
        remedy = "name the fold that its training held out: --data.held_out.fold"
        raise InputError("--data.held_out", "is null, so there is no dev slice", remedy)
    data.setup("fit")
    refuse_other_slice(known, data)
    columns = ("ids", "groups", *data.dev.keys)
    for name in columns:
        seen, dev = getattr(data.train, name), getattr(data.dev, name)
        both = np.setdiff1d(np.intersect1d(seen, dev), [""])
        if len(both):
            found = f"shares {name} with training, such as {both[0]}"
            raise InputError("dev slice", found, "hold out whole units")
    refuse_seen(task.warmed_on, {DEV: data.dev}, allowed=None)
    recall_shares(task, data.train)
    return data.dev


def taught_note(task: StudentTask) -> str:
    """What is said of a dev slice that a student's face teacher may have learned from.

    Members of an ensemble are trained without the pictures that they speak of; the slice is not
    among those, so they may have been trained on it.
    """
    return TAUGHT if task.provenance.get("teacher_logits") else ""


def judged_pictures(
    task: StudentTask, data: FaceDataModule, split: str
) -> tuple[FaceTable, FaceTable | None]:
    """Pictures to judge a student by, and those it was trained on, where they are at hand.

    The note of its dev slice says where its face teacher may have learned from labels of it.

    Args:
        task: the student.
        data: data module of the pictures.
        split: of the corpus, or "dev" for the slice that training held out.

    Raises:
        InputError: for a split that the corpus does not have, or as `unseen_slice`.
    """
    if split == DEV and DEV not in data.corpus.splits:
        dev = unseen_slice(task, data)
        note = noted(dev.note, taught_note(task))
        return replace(dev, split=DEV_SPLIT, note=note), data.train
    return prepare(data.corpus, split, data.store), training_pictures(task, data, split)


def calibrated(view: View, checkpoint: Path, path: Path) -> View:
    """A view with the temperature of a file, which must be of this checkpoint seen this way.

    Args:
        view: how the student looks; its own temperature is replaced.
        checkpoint: of the student.
        path: written by `calibrate_student`.

    Raises:
        InputError: for a file of another checkpoint or another view.
    """
    found = read_calibration(path, checkpoint_hash(checkpoint))
    raw = replace(view, temperature=1.0)
    if found.view != canonical(raw):
        was = ", ".join(f"{key}={value}" for key, value in sorted(found.view.items()))
        raise InputError(path, f"was fitted for another view ({was})", REMEDY)
    return replace(view, temperature=float(found.temperature))
