"""The temperature of a student, fitted on a slice of training that it never saw.

It is written beside the checkpoint with everything it depends on, and refused for another
checkpoint or another view. The official validation split chooses nothing, so it cannot be named
here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neurogaze.artefacts import canonical, write_json
from neurogaze.errors import InputError
from neurogaze.evaluation.temperature import Objective, fit_temperature
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceTable
from neurogaze.faces.store import prepare
from neurogaze.pipeline.judging import guarded, load_student, recall_shares, training_pictures
from neurogaze.pipeline.stages import DAMAGED, content_hash
from neurogaze.pipeline.views import PLAIN, View, adjusted, opinion
from neurogaze.report.reading import read_record
from neurogaze.tasks.student import StudentTask

FILE = "temperature.json"
REMEDY = "fit it again: neurogaze calibrate"
DEV = "dev"
"""Name of the dev slice where a split is asked for, unless the corpus has a split of that name."""
DEV_SPLIT = "train, dev slice"
"""Split of its rows."""


@dataclass(frozen=True)
class Calibration:
    """A temperature and what it was fitted on.

    Args:
        temperature: logits are divided by it.
        objective: what was made smallest: "nll" of the labels, or "vote_jsd", the divergence from
            the votes.
        before: mean objective without it, nats.
        after: mean objective with it, nats.
        n: pictures of the dev slice.
        dataset: they are of.
        label_rule: of their labels.
        held_out: the fold, as the data module names it.
        dev_sha256: content hash of the slice.
        checkpoint: content hash of the student.
        view: how the student looked, without temperature.
    """

    temperature: float
    objective: str
    before: float
    after: float
    n: int
    dataset: str
    label_rule: str
    held_out: dict[str, Any]
    dev_sha256: str
    checkpoint: str
    view: dict[str, Any]


def calibrate_student(
    checkpoint: Path,
    data: FaceDataModule,
    objective: Objective = "nll",
    view: View = PLAIN,
    out: Path | None = None,
) -> Calibration:
    """Fit the temperature of a student on the fold that its training held out, and write it.

    Args:
        checkpoint: of the student.
        data: the data of its training, with the same `held_out`.
        objective: "nll" against labels, or "vote_jsd" against the votes.
        view: how the student will look; its temperature is not used.
        out: file to write; by default `temperature.json` beside the checkpoint.

    Raises:
        InputError: where the slice is not known to be unseen, by its training or by its warm-up, or
            nobody voted on it.
    """
    task = load_student(checkpoint)
    dev = unseen_slice(task, data)
    voted = bool((dev.votes.max(axis=1) < 1).any())
    if objective == "vote_jsd" and not voted:
        raise InputError(dev.dataset, "has no votes", "fit --objective nll")
    raw = replace(view, temperature=1.0)
    logits = adjusted(task, opinion(task, dev.images, raw).mean, raw)
    fit = fit_temperature(logits, dev.labels if objective == "nll" else dev.votes, objective)
    found = Calibration(
        **asdict(fit),
        dataset=dev.dataset,
        label_rule=dev.rule,
        held_out=canonical(data.held_out),
        dev_sha256=dev.sha256,
        checkpoint=content_hash(checkpoint),
        view=canonical(raw),
    )
    write_json(out or checkpoint.with_name(FILE), found)
    return found


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
    if known.get("held_out") != said:
        found = f"held out {known.get('held_out')} in training, not {said}"
        raise InputError("checkpoint", found, "train it with this dev slice, or name its own")
    data.setup("fit")
    if known["train"]["sha256"] != data.train.sha256:
        found = "was trained on other pictures than those beside this dev slice"
        raise InputError("checkpoint", found, "give the data file it was trained with")
    columns = ("ids", "groups", *data.dev.keys)
    for name in columns:
        seen, dev = getattr(data.train, name), getattr(data.dev, name)
        both = np.setdiff1d(np.intersect1d(seen, dev), [""])
        if len(both):
            found = f"shares {name} with training, such as {both[0]}"
            raise InputError("dev slice", found, "hold out whole units")
    guarded(task, data.dev, allowed=())
    recall_shares(task, data.train)
    return data.dev


def judged_pictures(
    task: StudentTask, data: FaceDataModule, split: str
) -> tuple[FaceTable, FaceTable | None]:
    """Pictures to judge a student by, and those it was trained on, where they are at hand.

    Args:
        task: the student.
        data: data module of the pictures.
        split: of the corpus, or "dev" for the slice that training held out.

    Raises:
        InputError: for a split that the corpus does not have, or as `unseen_slice`.
    """
    if split == DEV and DEV not in data.corpus.splits:
        return replace(unseen_slice(task, data), split=DEV_SPLIT), data.train
    return prepare(data.corpus, split, data.store), training_pictures(task, data)


def read_calibration(path: Path) -> Calibration:
    """Read a temperature file.

    Raises:
        InputError: for a file that cannot be read, or is no such file.
    """
    record = read_record(path)
    try:
        found = Calibration(**record)
        valid = isinstance(found.temperature, int | float) and found.temperature > 0
    except TypeError:
        valid = False
    if not valid:
        raise InputError(path, "holds no temperature", REMEDY)
    return found


def calibrated(view: View, checkpoint: Path, path: Path) -> View:
    """A view with the temperature of a file, which must be of this checkpoint seen this way.

    Args:
        view: how the student looks; its own temperature is replaced.
        checkpoint: of the student.
        path: written by `calibrate_student`.

    Raises:
        InputError: for a file of another checkpoint or another view.
    """
    found = read_calibration(path)
    raw = replace(view, temperature=1.0)
    if found.view != canonical(raw):
        was = ", ".join(f"{key}={value}" for key, value in sorted(found.view.items()))
        raise InputError(path, f"was fitted for another view ({was})", REMEDY)
    try:
        content = content_hash(checkpoint)
    except DAMAGED as error:
        reason = f"cannot be read ({type(error).__name__})"
        raise InputError(checkpoint, reason, "train it again") from error
    if found.checkpoint != content:
        raise InputError(path, f"was fitted for other weights than {checkpoint}", REMEDY)
    return replace(view, temperature=float(found.temperature))
