"""Every command that puts a student to use shows an example in its help, and the example works."""

import inspect
import re
import shlex
import shutil

import pytest
import yaml
from PIL import Image

from neurogaze import cli, deploy_commands
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from tests.test_documents import ROOT

COMMANDS = {
    name: function
    for name, function in cli._commands().items()
    if inspect.getmodule(function) is deploy_commands
}
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


def test_commands_are_there():
    assert {"export", "infer", "serve", "browser", "explain", "card"} <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"browser", "export", "serve"}))
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
