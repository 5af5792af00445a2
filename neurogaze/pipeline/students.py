"""The students of a pipeline: one, or one an arm, and what the objective of each takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from neurogaze.errors import InputError
from neurogaze.pipeline.settings import FitSettings, PipelineSettings
from neurogaze.tasks.pins import GridPin, LogitsPin
from neurogaze.tasks.student import StudentTask

STUDENT = "student"
LAST, BEST = "last.ckpt", "best.ckpt"


@dataclass(frozen=True)
class StudentArm:
    """One student of a pipeline.

    Args:
        name: in result rows.
        stage: folder of its training.
        fit: configurations, data and flags.
        mark: what stands between `evaluate-` and the data set in the name of an evaluation.
    """

    name: str
    stage: str
    fit: FitSettings
    mark: str = ""

    def evaluation(self, dataset: str) -> str:
        """Folder of its judgement on a data set."""
        return f"evaluate-{self.mark}{dataset}"


def student_arms(settings: PipelineSettings) -> list[StudentArm]:
    """Every student that a pipeline trains, in order."""
    base = settings.student
    if not settings.arms:
        return [StudentArm(STUDENT, STUDENT, base)]
    return [
        StudentArm(
            name, f"{STUDENT}-{name}", replace(base, config=[*base.config, *files]), f"{name}-"
        )
        for name, files in settings.arms.items()
    ]


@dataclass(frozen=True)
class Needs:
    """Pinned inputs that the objective of a student takes.

    Args:
        grid: whether it has a Proto-KD term.
        logits: whether it has a logit-KD term, and its configuration pins no logits.
    """

    grid: bool
    logits: bool


def needs_of(task: StudentTask) -> Needs:
    """What a configured student takes; a term of weight 0 takes nothing."""
    proto, kd = task.loss.proto, task.loss.kd
    pinned = task.logits_pin is not None
    return Needs(
        grid=proto is not None and bool(proto.weight),
        logits=kd is not None and bool(kd.weight) and not pinned,
    )


def pins(grid: GridPin | None, logits: LogitsPin | None) -> list[str]:
    """Flags that pin inputs by path and hash; None pins nothing."""
    given = {"grid": grid, "teacher_logits": logits}
    return [
        f"--model.{name}={json.dumps({'path': pin.path, 'sha256': pin.sha256})}"
        for name, pin in given.items()
        if pin is not None
    ]


def checkpoints(config: Mapping[str, Any]) -> list[str]:
    """Files that a training leaves: the last epoch, and the best one where a score is monitored.

    Args:
        config: of the training, as `training.parse_fit` has it.
    """
    return [LAST, BEST] if keeps_best(config["checkpoint"]) else [LAST]


def keeps_best(checkpoint: Mapping[str, Any]) -> bool:
    """Whether these settings of checkpoints leave the best epoch and the last one.

    Args:
        checkpoint: as `training.parse_fit` has them, without what is null.
    """
    named = f"{checkpoint.get('filename')}.ckpt" == BEST
    return bool(named and checkpoint.get("monitor") and checkpoint.get("save_last"))


def refuse_unkept(keep: Literal["last", "best"], arm: str, config: Mapping[str, Any]) -> None:
    """Refuse to judge an epoch that a training does not leave, before it is trained.

    Raises:
        InputError: naming the settings that would leave it.
    """
    checkpoint = config["checkpoint"]
    if keep == "best" and not keeps_best(checkpoint):
        said = {name: checkpoint.get(name) for name in ("filename", "monitor", "save_last")}
        remedy = "use filename best, a monitored score and save_last, or keep: last"
        raise InputError(f"keep: best, {arm}", f"its checkpoint is {said}", remedy)


def kept_note(keep: Literal["last", "best"], provenance: Mapping[str, Any]) -> str:
    """What result rows say of a chosen epoch; nothing of the last one, which nobody chose.

    Args:
        keep: which epoch is judged.
        provenance: of the student.

    >>> kept_note("best", {"held_out": {"n_folds": 10}})
    'best epoch on the dev slice'
    """
    if keep == "last":
        return ""
    where = "the dev slice" if provenance.get("held_out") else "the official validation split"
    return f"best epoch on {where}"


def refuse_unsupplied(needs: Mapping[str, Needs], face_teacher: str | LogitsPin | None) -> None:
    """Refuse arms with a logit-KD term where nobody supplies logits.

    Raises:
        InputError: naming the arms.
    """
    wanting = [name for name, need in needs.items() if need.logits]
    if wanting and face_teacher is None:
        found = f"have a logit-KD term ({', '.join(wanting)}), and there is no face_teacher"
        raise InputError("arms", found, "name an ensemble file or stored logits, or drop the term")
