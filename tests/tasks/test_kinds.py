"""Data of another kind are told in one line by every task, before it asks them for anything."""

from types import SimpleNamespace

import pytest

from neurogaze.eeg.corpora.synthetic import SyntheticEeg
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.errors import InputError
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.tasks.classifier import ClassifierTask
from neurogaze.tasks.face_pretraining import FacePretrainingTask
from neurogaze.tasks.kinds import of_kind
from neurogaze.tasks.pretraining import PretrainingTask
from neurogaze.tasks.student import StudentTask
from neurogaze.tasks.teacher import TeacherTask


def test_what_is_of_the_kind_is_handed_on():
    assert of_kind("--x", True, int) is True


@pytest.mark.parametrize("stage", ["fit", "validate", "test"])
@pytest.mark.parametrize(
    ("task", "own", "given"),
    [
        (TeacherTask, "an EEGDataModule", "faces"),
        (ClassifierTask, "an EEGDataModule", "faces"),
        (PretrainingTask, "a SupportDataModule", "faces"),
        (StudentTask, "a FaceDataModule", "recordings"),
        (FacePretrainingTask, "an UnlabelledFaces", "recordings"),
    ],
)
def test_a_task_names_what_it_was_given_and_what_it_takes(task, own, given, stage):
    data = {"faces": FaceDataModule(SyntheticFaces()), "recordings": EEGDataModule(SyntheticEeg())}
    trained = SimpleNamespace(trainer=SimpleNamespace(datamodule=data[given]))
    found = "a FaceDataModule" if given == "faces" else "an EEGDataModule"
    with pytest.raises(InputError) as told:
        task.setup(trained, stage)
    assert str(told.value) == f"--data: is {found}. Remedy: name {own}."


def test_a_student_predicts_without_a_data_module():
    StudentTask.setup(SimpleNamespace(trainer=SimpleNamespace(datamodule=None)), "predict")
