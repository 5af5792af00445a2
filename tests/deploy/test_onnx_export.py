"""The ONNX file: any batch, the student's own answers, one file, nothing where they differ."""

import copy

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from neurogaze.deploy import onnx_export
from neurogaze.deploy.contract import contract_of
from neurogaze.deploy.onnx_export import OPSET, export_onnx
from neurogaze.deploy.onnx_file import bare, read_onnx
from neurogaze.errors import InputError


def test_it_agrees_on_a_thousand_pictures(onnx_export):
    path, parity = onnx_export
    assert parity.images == 1000
    assert parity.holds
    assert parity.logits <= 1e-4
    assert parity.same == 1
    assert [p.name for p in path.parent.iterdir()] == ["student.onnx"]


@pytest.mark.parametrize("batch", [1, 3, 32])
def test_any_batch(student, onnx_student, batch):
    session = onnxruntime.InferenceSession(str(onnx_student), providers=["CPUExecutionProvider"])
    images = torch.randn(batch, 1, 44, 44, generator=torch.Generator().manual_seed(batch))
    logits, embedding, cosines = session.run(
        ["logits", "embedding", "cosines"], {"images": images.numpy()}
    )
    with torch.no_grad():
        expected = student(images)
    unit = expected.embedding / expected.embedding.norm(dim=1, keepdim=True)
    between = unit @ student.prototypes.T
    torch.testing.assert_close(torch.tensor(logits), expected.logits, rtol=0, atol=1e-4)
    torch.testing.assert_close(torch.tensor(embedding), expected.embedding, rtol=0, atol=1e-4)
    torch.testing.assert_close(torch.tensor(cosines), between, rtol=0, atol=1e-4)


def test_the_graph_is_valid_recent_and_tells_nothing_of_the_machine(onnx_student):
    model = onnx.load(str(onnx_student))
    onnx.checker.check_model(model, full_check=True)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    content = onnx_student.read_bytes()
    assert b".py" not in content
    assert b"stack_trace" not in content


def test_the_graph_holds_what_every_runtime_knows(student, onnx_student):
    """A pool to one pixel is a mean; the student keeps its own pool."""
    steps = {node.op_type for node in onnx.load(str(onnx_student)).graph.node}
    assert {"Conv", "ReduceMean", "Gemm"} < steps
    assert not steps & {"Gather", "Range", "Shape", "Squeeze", "Unsqueeze"}
    pools = [m for m in student.modules() if isinstance(m, torch.nn.AdaptiveAvgPool2d)]
    assert pools


def test_the_same_student_gives_the_same_file(student, contract, onnx_student, tmp_path):
    export_onnx(student, contract, tmp_path / "again.onnx", n=6, progress=False)
    assert (tmp_path / "again.onnx").read_bytes() == onnx_student.read_bytes()


def test_without_a_grid_there_are_two_outputs(student, tmp_path):
    plain = copy.deepcopy(student)
    width = student.prototypes.shape[1]
    plain.prototypes, plain.centers = torch.zeros(0, width), torch.zeros(0, 2)
    path = tmp_path / "plain.onnx"
    parity = export_onnx(plain, contract_of(plain), path, n=6, progress=False)
    assert parity.holds
    assert [entry.name for entry in onnx.load(str(path)).graph.output] == ["logits", "embedding"]
    found = read_onnx(path).contract
    assert (found.centers, found.grid_sha256, found.prototypes_sha256) == ((), "", "")


@pytest.mark.parametrize("before", [None, b"an older export"])
def test_a_graph_that_disagrees_is_refused(
    student, contract, onnx_student, tmp_path, monkeypatch, before
):
    """Nothing is left behind; a file that was there stays."""
    path = tmp_path / "student.onnx"
    if before is not None:
        path.write_bytes(before)
    model = bare(onnx.load(str(onnx_student)))
    bias = next(t for t in model.graph.initializer if t.name == "student.classify.bias")
    values = onnx.numpy_helper.to_array(bias) + 0.01 * (np.arange(8) == 3)
    bias.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float32), bias.name))
    monkeypatch.setattr(onnx_export, "onnx_graph", lambda *_: model)
    with pytest.raises(InputError, match=r"student\.onnx: does not say .* within 1\.0e-02"):
        export_onnx(student, contract, path, n=6, progress=False)
    left = [p.read_bytes() for p in tmp_path.iterdir()]
    assert left == ([] if before is None else [before])
