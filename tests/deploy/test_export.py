"""The exported program says what the student says, and tells what a user must know."""

import copy
import subprocess
import sys
import zipfile

import pytest
import torch

from neurogaze.affect import EMOTIONS
from neurogaze.deploy import export
from neurogaze.deploy.contract import from_json
from neurogaze.deploy.export import CONTRACT, export_program
from neurogaze.errors import InputError


@pytest.fixture
def exported(program_export):
    """The file, and the differences that the export reports."""
    return program_export


@pytest.mark.parametrize("batch", [1, 5])
def test_program_and_student_agree(student, exported, batch):
    path, parity = exported
    assert parity.images == 30
    assert parity.holds
    images = torch.randn(batch, 1, 44, 44, generator=torch.Generator().manual_seed(batch))
    program = torch.export.load(path).module()
    with torch.no_grad():
        logits, embedding, cosines = program(images)
        expected = student(images)
    unit = expected.embedding / expected.embedding.norm(dim=1, keepdim=True)
    assert logits.shape == (batch, len(EMOTIONS))
    torch.testing.assert_close(logits, expected.logits, rtol=0, atol=1e-4)
    torch.testing.assert_close(embedding, expected.embedding, rtol=0, atol=1e-4)
    torch.testing.assert_close(cosines, unit @ student.prototypes.T, rtol=0, atol=1e-4)


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


def test_the_contract_travels_in_the_file(exported, contract):
    carried = {CONTRACT: ""}
    torch.export.load(exported[0], extra_files=carried)
    assert from_json(carried[CONTRACT], exported[0]) == contract


def test_it_tells_nothing_of_the_machine_that_made_it(exported):
    with zipfile.ZipFile(exported[0]) as archive:
        names = archive.namelist()
        texts = [archive.read(name) for name in names if not name.endswith(".pt")]
    assert not any("aside" in name for name in names)
    assert not any(b".py" in text for text in texts)


@pytest.mark.parametrize("before", [None, b"an older export"])
def test_a_program_that_disagrees_is_refused(student, contract, tmp_path, monkeypatch, before):
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
    with pytest.raises(InputError, match=r"student\.pt2: does not say .* within 1\.0e-02"):
        export_program(student, contract, path, n=6, progress=False)
    left = [p.read_bytes() for p in tmp_path.iterdir()]
    assert left == ([] if before is None else [before])
