"""Every command that puts a student to use shows an example in its help, and the example works."""

import inspect
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from neurogaze import cli, deploy_commands
from neurogaze.artefacts import canonical
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.folds import FaceFold
from neurogaze.pipeline.judging import load_student
from neurogaze.pipeline.views import predict
from tests.test_documents import ROOT

COMMANDS = {
    name: function
    for name, function in cli._commands().items()
    if inspect.getmodule(function) is deploy_commands or name == "calibrate"
}
WEIGHTY = """
import sys
from neurogaze.cli import main
for name in sys.argv[1:]:
    try:
        main([name, "--help"])
    except SystemExit as left:
        assert left.code == 0, name
    assert not {"torch", "pytorch_lightning", "mne"} & set(sys.modules), name
"""
EXAMPLE = re.compile(r"^ +neurogaze (\w+) (.+)$", re.MULTILINE)


def example(name):
    """Words of the example in the help of a command."""
    found = EXAMPLE.findall(inspect.getdoc(COMMANDS[name]).replace("\\\n", " "))
    assert len(found) == 1, f"{name} shows {len(found)} examples"
    assert found[0][0] == name
    return shlex.split(found[0][1])


@pytest.fixture(scope="module")
def desk(tiny_run, tmp_path_factory):
    """A folder with everything that the examples name."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(tiny_run.run, folder / "runs" / "demo")
    shutil.copy(folder / "runs/demo/student/last.ckpt", folder / "last.ckpt")
    shutil.copytree(folder / "runs/demo/evaluate-valid", folder / "runs/evaluation")
    data = yaml.safe_load((ROOT / "experiments/data/synthetic_faces.yaml").read_text())
    corpus = {"class_path": "SyntheticFaces", "init_args": {"n_train": 64, "n_valid": 16}}
    data["init_args"] |= {"corpus": corpus, "store": str(tiny_run.store)}
    (folder / "data.yaml").write_text(yaml.safe_dump(data))
    (folder / "photos").mkdir()
    face = SyntheticFaces(8, 8).load("valid").images[0]
    Image.fromarray(face).resize((96, 96)).save(folder / "photos" / "face.png")
    return folder


@pytest.fixture(scope="module")
def exported(desk):
    """The same after the example of `export`, whose file the others take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(desk)
        assert cli.main(["export", *example("export")]) == 0
    return desk


SLICE = {"n_folds": 2}
"""What `data.yaml` holds out where a student is calibrated."""


def solved(checkpoint, data):
    """A checkpoint that is right on all of a slice but two faces, and says that it never saw it.

    Training a student until a risk of 10 % can be guaranteed would take minutes; so its last layer
    is solved for. Without a mistake the best temperature would be 0.
    """
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    _, embedding = predict(load_student(checkpoint), data.dev.images)
    known = np.hstack([embedding, np.ones((len(embedding), 1))]).astype(np.float64)
    named = data.dev.labels.copy()
    named[:2] = (named[:2] + 1) % 8
    wanted = 8.0 * np.eye(8)[named]
    solution, *_ = np.linalg.lstsq(known, wanted, rcond=1e-9)
    layer = {"weight": solution[:-1].T, "bias": solution[-1]}
    for name, value in stored["state_dict"].items():
        network, _, part = name.rpartition(".classify.")
        if network in ("student", "averaged"):
            stored["state_dict"][name] = torch.from_numpy(layer[part]).to(value.dtype)
    stored["neurogaze"]["provenance"] |= {
        "held_out": canonical(data.held_out),
        "train": stored["neurogaze"]["provenance"]["train"] | {"sha256": data.train.sha256},
    }
    return stored


@pytest.fixture
def to_calibrate(desk, tiny_run, tmp_path):
    """A folder with a student that held out a slice, and the data that say which."""
    data = yaml.safe_load((desk / "data.yaml").read_text())
    data["init_args"]["corpus"]["init_args"]["n_train"] = 200
    data["init_args"] |= {"held_out": SLICE, "batch_size": 16}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(data))
    module = FaceDataModule(
        SyntheticFaces(200, 16), batch_size=16, store=tiny_run.store, held_out=FaceFold(**SLICE)
    )
    module.setup("fit")
    torch.save(solved(desk / "last.ckpt", module), tmp_path / "last.ckpt")
    return tmp_path


def test_commands_are_there():
    named = {"export", "infer", "serve", "browser", "explain", "card", "calibrate"}
    assert named <= set(COMMANDS)


def test_the_example_of_calibrate_works(to_calibrate, monkeypatch, capsys):
    monkeypatch.chdir(to_calibrate)
    assert cli.main(["calibrate", *example("calibrate")]) == 0
    assert "abstains below" in capsys.readouterr().out
    assert (to_calibrate / "temperature.json").exists()


def test_calibrate_says_what_a_student_without_a_slice_lacks(exported, to_calibrate, capsys):
    words = ["calibrate", "--student", str(exported / "last.ckpt"), "--data"]
    assert cli.main([*words, str(to_calibrate / "data.yaml")]) == 2
    assert "held out None in training" in capsys.readouterr().err
    assert cli.main([*words, str(exported / "data.yaml")]) == 2
    assert "--data.held_out" in capsys.readouterr().err


OTHERWISE = {"browser", "calibrate", "export", "serve"}
"""Commands whose examples have a test of their own."""


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - OTHERWISE))
def test_the_example_works(exported, monkeypatch, name):
    monkeypatch.chdir(exported)
    words = example(name)
    assert cli.main([name, *words]) == 0
    if "--out" in words:
        assert (exported / words[words.index("--out") + 1]).exists()


def test_the_page_of_the_example_opens(exported, monkeypatch, capsys):
    from neurogaze.serve import running

    monkeypatch.chdir(exported)
    monkeypatch.setattr(running, "answer_until_stopped", lambda app, listener: None)
    assert cli.main(["serve", *example("serve"), "--port", "0"]) == 0
    assert "http://127.0.0.1:" in capsys.readouterr().out


def test_the_folder_of_the_example_is_built(exported, monkeypatch, tmp_path):
    monkeypatch.chdir(exported)
    from neurogaze.serve import browser

    runtime = tmp_path / "runtime"
    runtime.mkdir()
    for name in browser.RUNTIME_FILES:
        (runtime / name).write_text("runtime")
    words = example("browser")
    assert cli.main(["browser", *words, "--runtime", str(runtime)]) == 0
    assert (exported / words[words.index("--out") + 1] / "index.html").exists()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_shows_it(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([name, "--help"])
    assert stopped.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert " ".join(example(name)) in said.replace("- ", "-")


def test_help_does_not_wait_for_pytorch():
    """Where a command takes no classes to choose from; the parser would import them all."""
    quick = ("demo", "run", "bench", "sweep", "report", "score", "card", "infer", "serve")
    subprocess.run([sys.executable, "-c", WEIGHTY, *quick], check=True, capture_output=True)
