"""Fold teachers for sets of grids: trained, trained on something else, or not trained at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from neurogaze import training
from neurogaze.artefacts import remove
from neurogaze.callbacks import EpochSeed
from neurogaze.models.teacher import Teacher
from neurogaze.pipeline.embedding import load_teacher
from neurogaze.pipeline.fold_fits import FoldJob, trained_fold
from neurogaze.pipeline.stages import DAMAGED, content_hash
from neurogaze.tasks.identity import IdentityTask

Learned = Literal["ratings", "people", "nothing"]
"""What a teacher is trained to tell."""

NAMED = "training_windows_named"
"""Where a checkpoint says how well its teacher tells people apart."""


@dataclass(frozen=True)
class TeacherJob:
    """One teacher to leave as a checkpoint.

    Args:
        fit: command line, fold and exchange of ratings.
        learned: what it is trained on.
        path: of the checkpoint.
        config_hash: of its configuration.
    """

    fit: FoldJob
    learned: Learned
    path: Path
    config_hash: str


def store_teacher(job: TeacherJob) -> float | None:
    """Train the teacher of a job in this process, unless its checkpoint is there already.

    Returns:
        For a teacher that tells people apart, the share of training windows whose person it names,
        which its checkpoint holds; None for the others.
    """
    if _whole(job.path):
        share = load_teacher(job.path).provenance.get(NAMED)
        return None if share is None else float(share)
    if job.learned == "ratings":
        task, _, trainer = trained_fold(job.fit)
        _save(job, task, trainer)
        return None
    if job.learned == "nothing":
        _store_untrained(job, None)
        return None
    told = _told_apart(job.fit)
    _store_untrained(job, told)
    return told[1]


def _whole(path: Path) -> bool:
    """Whether a checkpoint is there and can be read; what cannot is removed."""
    try:
        content_hash(path)
    except DAMAGED:
        remove(path)
        return False
    return True


def _save(job: TeacherJob, task: Any, trainer: Any) -> None:
    """Write the weights of a task that the trainer has set up."""
    task.config_hash = job.config_hash
    trainer.save_checkpoint(job.path, weights_only=True)


def _store_untrained(job: TeacherJob, told: tuple[Teacher, float] | None) -> None:
    """Leave a task that was set up on its fold but trained on no rating.

    Args:
        job: what to leave.
        told: weights to take, and the share of windows they name; None: those the seed draws.
    """
    cli = _built(replace(job.fit, args=(*job.fit.args, "--trainer.max_epochs=0")))
    if told is not None:
        cli.model.teacher.load_state_dict(told[0].state_dict())
    with training.interrupts_told():
        cli.trainer.fit(cli.model, datamodule=cli.datamodule)
    if told is not None:
        cli.model.provenance[NAMED] = told[1]
    _save(job, cli.model, cli.trainer)


def _built(job: FoldJob) -> Any:
    """Task, data and trainer of a job, without what watches agreement with ratings."""
    torch.set_num_threads(job.threads)
    cli: Any = training.build_cli([*job.args, f"--data.fold={job.fold}"], run=False)
    cli.trainer.callbacks = [c for c in cli.trainer.callbacks if isinstance(c, EpochSeed)]
    return cli


def _told_apart(job: FoldJob) -> tuple[Teacher, float]:
    """A teacher's network that tells the training people of a fold apart, after its last epoch.

    Nobody is left to stop it: people who were never trained on have no name to be told by.

    Returns:
        The network, and the share of training windows whose person it names.
    """
    cli = _built(job)
    cli.datamodule.setup("fit")
    data, teacher = cli.datamodule, cli.model.teacher
    teacher.set_statistics(*(torch.as_tensor(part) for part in data.statistics))
    rows = data.rows["train"]
    people = np.full(data.table.n_rows, -1)
    people[rows] = np.unique(data.table.subject[rows], return_inverse=True)[1]
    named = torch.from_numpy(people)
    task = IdentityTask(teacher, named, cli.model.optimisation, cli.model.noise)
    with training.interrupts_told():
        cli.trainer.fit(task, train_dataloaders=data.train_dataloader())
    with torch.inference_mode():
        guess = task.eval()(torch.from_numpy(data.table.features[rows])).argmax(dim=1)
    return teacher, float((guess == named[rows]).float().mean())
