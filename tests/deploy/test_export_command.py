"""`neurogaze export`: what a person types, and what stands on the screen."""

import hashlib
import shlex

import pytest
import torch

from neurogaze.cli import main
from neurogaze.deploy.contract import from_json
from neurogaze.deploy.export import CONTRACT
from neurogaze.deploy.recogniser import open_recogniser
from neurogaze.deploy_commands import export


def example() -> list[str]:
    """The example of the help."""
    lines = [line.strip() for line in (export.__doc__ or "").splitlines()]
    return shlex.split(next(line for line in lines if line.startswith("neurogaze export")))[1:]


def test_the_example_of_the_help(tiny_run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "demo").symlink_to(tiny_run.run)
    assert main(example()) == 0
    out = capsys.readouterr().out
    content = (tmp_path / "student.onnx").read_bytes()
    assert "1,000 images: logits within" in out
    assert "100.00% same label" in out
    assert "meaningless on people" in out
    assert f"sha256 {hashlib.sha256(content).hexdigest()}" in out
    assert open_recogniser(tmp_path / "student.onnx").kind == "onnx"


def test_a_program(checkpoint, contract, tmp_path, capsys):
    out = tmp_path / "student.pt2"
    assert main(["export", str(checkpoint), "--to=program", f"--out={out}"]) == 0
    assert str(out) in capsys.readouterr().out
    carried = {CONTRACT: ""}
    torch.export.load(out, extra_files=carried)
    assert from_json(carried[CONTRACT], out) == contract


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--int8"], "needs --calibrate_with"),
        (["--int8", "--to=program"], "use --to onnx"),
        (["--out=a.pt"], "ends in .onnx"),
        (["--calibration=missing.json"], "missing.json"),
    ],
)
def test_options_that_do_not_fit(checkpoint, tmp_path, monkeypatch, capsys, words, told):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(checkpoint), *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not [*tmp_path.iterdir()]
