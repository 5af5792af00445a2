"""One tiny student for the whole room: read it, never write beside it."""

from pathlib import Path

import pytest

from neurogaze.deploy.contract import contract_of
from neurogaze.deploy.export import export_program
from neurogaze.deploy.onnx_export import export_onnx
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.tasks.loading import load_task
from neurogaze.tasks.student import StudentTask


@pytest.fixture(scope="session")
def checkpoint(tiny_run) -> Path:
    return tiny_run.run / "student" / "last.ckpt"


@pytest.fixture(scope="session")
def student(checkpoint) -> StudentTask:
    """With averaged weights and a grid."""
    return load_task(checkpoint, StudentTask)


@pytest.fixture(scope="session")
def contract(student):
    return contract_of(student)


@pytest.fixture(scope="session")
def onnx_export(student, contract, tmp_path_factory):
    """The file, and how far it is from the student on all the pictures."""
    path = tmp_path_factory.mktemp("onnx") / "student.onnx"
    return path, export_onnx(student, contract, path, progress=False)


@pytest.fixture(scope="session")
def onnx_student(onnx_export) -> Path:
    return onnx_export[0]


@pytest.fixture(scope="session")
def program_export(student, contract, tmp_path_factory):
    """The same as a program of torch; fewer pictures, for the time of the suite."""
    path = tmp_path_factory.mktemp("program") / "student.pt2"
    return path, export_program(student, contract, path, n=30, progress=False)


@pytest.fixture(scope="session")
def drawn():
    """Drawn faces, a table."""
    return SyntheticFaces(n_train=64, n_valid=40).load("train")
