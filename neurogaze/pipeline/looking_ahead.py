"""What a pipeline needs, looked at before its first stage: hours later is too late for a typo."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurogaze import training
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.errors import InputError
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceTable
from neurogaze.faces.store import prepare as prepare_faces
from neurogaze.pipeline.ensemble import Ensemble, load_ensemble
from neurogaze.pipeline.settings import PipelineSettings
from neurogaze.pipeline.steps import expect, refuse_unjudgeable
from neurogaze.pipeline.students import (
    Needs,
    needs_of,
    refuse_unkept,
    refuse_unsupplied,
    student_arms,
)
from neurogaze.tasks.judged_by import refuse_other_folds, to_be_trained_on
from neurogaze.tasks.kinds import of_kind
from neurogaze.tasks.pins import LogitsPin, load_logits
from neurogaze.tasks.student import StudentTask
from neurogaze.tasks.teacher import TeacherTask

TEACHER = "teacher"
MAX_REASON = 400
"""Characters of what a parser says that are repeated."""


@dataclass(frozen=True, eq=False)
class Ahead:
    """What was found before the first stage.

    Args:
        needs: what each arm takes, by its name.
        data: data modules of the teacher ("teacher") and of every arm, by the name of its stage.
    """

    needs: Mapping[str, Needs]
    data: Mapping[str, Any]


def look_ahead(settings: PipelineSettings, root: Path, store: Path) -> Ahead:
    """Read every file and find every data set that a pipeline names; decode its images.

    Args:
        settings: of the pipeline.
        root: folder of the run; nothing is written there.
        store: folder of decoded images, which are left there.

    Raises:
        InputError: for a file or data set that is missing, of another kind or cannot be used,
            another number of images than expected, or arms that cannot be trained or judged as the
            settings say.
    """
    refuse_missing(settings)
    flags = [f"--data.store={store}", f"--seed_everything={settings.seed}"]
    teacher = parsed(TEACHER, [*settings.teacher.arguments(), *flags])
    of_kind(TEACHER, teacher.model, TeacherTask)
    of_kind(f"{TEACHER}.data {settings.teacher.data}", teacher.datamodule, EEGDataModule)
    for path in settings.support:
        of_kind(f"support {path}", data_of("support", path, [], store), EEGDataModule)
    needs: dict[str, Needs] = {}
    data: dict[str, Any] = {TEACHER: teacher.datamodule}
    for arm in student_arms(settings):
        cli = parsed(arm.stage, [*arm.fit.arguments(), *flags])
        of_kind(arm.stage, cli.model, StudentTask)
        of_kind(f"student.data {arm.fit.data}", cli.datamodule, FaceDataModule)
        refuse_unkept(settings.keep, arm.stage, cli.config.as_dict())
        needs[arm.name], data[arm.stage] = needs_of(cli.model), cli.datamodule
    refuse_unsupplied(needs, settings.face_teacher)
    trained: Any = cli.datamodule  # all arms have one data file
    train, known = prepare_faces(trained.corpus, "train", store), to_be_trained_on(trained)
    expect(settings.expected_train, train)
    sizes = {module.preprocessing.size for at, module in data.items() if at != TEACHER}
    for name, part in settings.evaluate.items():
        judged = faces_of(f"evaluate.{name}", part.data, part.args, store)
        table = prepare_faces(judged.corpus, part.split, judged.store)
        refuse_unjudgeable(part, table, sizes)
        refuse_other_folds(known, judged, part.split)
    if any(need.logits for need in needs.values()):
        _look_at_logits(settings.face_teacher, train, root, store)
    return Ahead(needs, data)


def refuse_missing(settings: PipelineSettings) -> None:
    """Refuse a pipeline that names files which are not there.

    Raises:
        InputError: naming the first, and where it is named.
    """
    source = settings.face_teacher
    source = source.path if isinstance(source, LogitsPin) else source
    named = {
        "teacher": [*settings.teacher.config, settings.teacher.data],
        "support": settings.support,
        "student": [*settings.student.config, settings.student.data],
        **{f"arms.{name}": files for name, files in settings.arms.items()},
        "face_teacher": [] if source is None else [source],
        **{f"evaluate.{name}": [part.data] for name, part in settings.evaluate.items()},
    }
    for key, files in named.items():
        for file in files:
            if not Path(file).is_file():
                found = f"is no file, but {key} names it"
                raise InputError(file, found, "correct the path in the pipeline file")


def data_of(key: str, path: str, args: Sequence[str], store: Path) -> Any:
    """A data module of a pipeline.

    Raises:
        InputError: for settings that do not fit, or a data set that is not there.
    """
    with _told(key):
        return training.load_data(["--data", path, f"--data.store={store}", *args])


def faces_of(key: str, path: str, args: Sequence[str], store: Path) -> FaceDataModule:
    """A data module of faces.

    Raises:
        InputError: as `data_of`, and for recordings.
    """
    return of_kind(f"{key} {path}", data_of(key, path, args, store), FaceDataModule)


def parsed(key: str, args: Sequence[str]) -> Any:
    """The parts of a training, built but not run.

    Raises:
        InputError: for settings that do not fit.
    """
    with _told(key):
        return training.build_cli(args, run=False, keep=False)


@contextmanager
def _told(key: str) -> Iterator[None]:
    """Turn what a parser prints before it leaves into an `InputError` of one line."""
    try:
        with redirect_stderr(io.StringIO()) as printed:
            yield
    except SystemExit as stop:
        usage, _, error = printed.getvalue().rpartition("error: ")
        reason = str(stop.__context__ or error or usage)
        reason = " ".join(reason.split())[:MAX_REASON]
        remedy = "correct the settings that it names"
        raise InputError(key, f"cannot be used ({reason})", remedy) from None


def _look_at_logits(
    source: str | LogitsPin | None, train: FaceTable, root: Path, store: Path
) -> None:
    """Refuse a source of logits that does not know every training image.

    Raises:
        InputError: when it lacks some, or is of another corpus, or cannot be read.
    """
    if isinstance(source, LogitsPin):
        load_logits(source, train.ids, train.dataset, train.groups)
    elif source is not None:
        known = Ensemble(load_ensemble(Path(source)), root, store).train
        missing = np.setdiff1d(train.ids, known.ids)
        if len(missing) or known.dataset != train.dataset:
            found = f"is of {known.dataset} and lacks {len(missing)} images of {train.dataset}"
            raise InputError(source, found, "train it on the corpus of the student")
