"""The exported program says what the student says, and tells what a user must know."""

import copy
import subprocess
import sys

import pytest
import torch

from neurogaze.affect import EMOTIONS
from neurogaze.deploy import export
from neurogaze.deploy.export import export_student, read_contract
from neurogaze.errors import InputError
from neurogaze.pipeline.judging import load_student


@pytest.fixture(scope="module")
def student(tiny_run):
    return load_student(tiny_run.run / "student" / "last.ckpt")


@pytest.fixture(scope="module")
def exported(student, tmp_path_factory):
    """The file, and the difference that the export reports."""
    path = tmp_path_factory.mktemp("export") / "student.pt2"
    return path, export_student(student, path)


@pytest.mark.parametrize("batch", [1, 5])
def test_program_and_student_agree(student, exported, batch):
    path, difference = exported
    assert difference <= 1e-4
    images = torch.randn(batch, 1, 44, 44, generator=torch.Generator().manual_seed(batch))
    program = torch.export.load(path).module()
    with torch.no_grad():
        logits, embedding = program(images)
        expected = student(images)
    assert logits.shape == (batch, len(EMOTIONS))
    torch.testing.assert_close(logits, expected.logits, rtol=0, atol=1e-4)
    torch.testing.assert_close(embedding, expected.embedding, rtol=0, atol=1e-4)


def test_torch_alone_runs_it(exported):
    """Neither this package nor timm is needed."""
    code = (
        "import sys, torch\n"
        "sys.modules |= {'neurogaze': None, 'timm': None, 'pytorch_lightning': None}\n"
        f"program = torch.export.load({str(exported[0])!r}).module()\n"
        "print(tuple(program(torch.zeros(2, 1, 44, 44))[0].shape))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split("\n")[0] == "(2, 8)", done.stderr


def test_it_is_the_averaged_network(student, exported):
    program = torch.export.load(exported[0])
    weight = program.state_dict["student.classify.weight"]
    assert torch.equal(weight, student.averaged.classify.weight)
    assert not torch.equal(weight, student.student.classify.weight)


def test_the_contract_travels_in_the_file(student, exported):
    found = read_contract(exported[0])
    assert found["labels"] == list(EMOTIONS)
    assert found["preprocessing"] == {"size": 44, "channels": 1, "mean": 0.5, "std": 0.25}
    assert found["provenance"]["grid_sha256"] == student.provenance["grid_sha256"]
    assert found["provenance"]["dataset"] == "synthetic_faces"


@pytest.mark.parametrize("before", [None, b"an older export"])
def test_a_program_that_disagrees_is_refused(student, tmp_path, monkeypatch, before):
    """Nothing is left behind; a file that was there stays."""
    path = tmp_path / "student.pt2"
    if before is not None:
        path.write_bytes(before)
    genuine = torch.export.export

    def tampered(network, *args, **kwargs):
        other = copy.deepcopy(network)
        with torch.no_grad():
            other.student.classify.bias[3] += 0.01
        return genuine(other, *args, **kwargs)

    monkeypatch.setattr(export.torch.export, "export", tampered)
    with pytest.raises(InputError, match=r"student\.pt2: logits differ by 1\.00e-02"):
        export_student(student, path)
    left = [p.read_bytes() for p in tmp_path.iterdir()]
    assert left == ([] if before is None else [before])
