"""Notebooks: each runs, is what its script says, uses public names only and tells no path."""

import ast
import configparser
import re
import runpy
import tempfile
from pathlib import Path

import jupytext
import nbformat
import pytest
from IPython.display import Markdown

from neurogaze import training

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
SCRIPTS = sorted(FOLDER.glob("[0-9]_*.py"))
LARGEST = 300_000
ABSOLUTE = re.compile(
    r"(?<![\w.:/])/(?:home|root|work|tmp|opt|usr|var|private|Users)/\w|\b[A-Z]:\\"
)

each = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)


def generated(script):
    return nbformat.read(script.with_suffix(".ipynb"), as_version=4)


def private(name):
    return name.startswith("_") and not name.startswith("__")


def test_every_notebook_has_its_script_and_the_other_way_round():
    assert len(SCRIPTS) == 5
    assert {p.stem for p in FOLDER.glob("*.ipynb")} == {p.stem for p in SCRIPTS}


@each
def test_cells_are_those_of_the_script(script):
    written, made = jupytext.read(script, fmt="py:percent"), generated(script)
    nbformat.validate(made)
    assert [(c.cell_type, c.source) for c in made.cells] == [
        (c.cell_type, c.source) for c in written.cells
    ]


@pytest.fixture
def briefly(monkeypatch):
    """Trainings of a script end after two epochs; `make notebooks` carries them out in full."""
    whole = training.fit
    monkeypatch.setattr(training, "fit", lambda args: whole([*args, "--trainer.max_epochs=2"]))


@pytest.mark.slow
@each
@pytest.mark.usefixtures("briefly")
def test_the_script_runs_from_any_folder_and_leaves_nothing(script, tmp_path, monkeypatch):
    here, aside = tmp_path / "here", tmp_path / "aside"
    here.mkdir()
    aside.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(tempfile, "tempdir", str(aside))
    made = Path(runpy.run_path(str(script))["scratch"].name)
    assert list(here.iterdir()) == []
    assert made.parent == aside  # where libraries keep folders of their own as well
    assert not made.exists()


@each
def test_only_public_names_of_the_package_are_used(script):
    tree = ast.parse(script.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [*str(node.module).split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [part for alias in node.names for part in alias.name.split(".")]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
        else:
            continue
        assert not [name for name in names if private(name)], ast.unparse(node)


@each
def test_outputs_are_pictures_and_text_without_a_path(script):
    made, kinds = generated(script), set()
    assert script.with_suffix(".ipynb").stat().st_size < LARGEST
    for cell in made.cells:
        for output in cell.get("outputs", []):
            assert output.output_type == "display_data"
            kinds |= set(output.data)
            found = ABSOLUTE.search(output.data.get("text/markdown", ""))
            assert not found, found and found.group()
        assert not ABSOLUTE.search(cell.source), cell.source
        assert set(cell.metadata) == set()
    assert "image/png" in kinds
    assert kinds <= {"image/png", "text/markdown"}


@each
def test_every_picture_of_the_script_is_in_the_notebook(script):
    for cell in generated(script).cells:
        last = cell.source.rstrip().splitlines()[-1]
        if cell.cell_type == "code" and last.startswith("Image("):
            assert any("image/png" in output.data for output in cell.outputs), cell.source


def run_cell(source, names):
    """Execute a cell; the texts that it displays, in order."""
    *body, last = ast.parse(source).body
    shown = []
    names["display"] = shown.append
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    if isinstance(last, ast.Expr):
        shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), names))
    else:
        exec(compile(ast.Module([last], []), "cell", "exec"), names)
    return [text.data for text in shown if isinstance(text, Markdown)]


@pytest.mark.usefixtures("unpainted")
def test_tables_of_committed_files_are_those_of_today():
    """Files that lie beside a notebook, and the way they are told, change after it was built."""
    code = [c for c in generated(FOLDER / "5_ablations.py").cells if c.cell_type == "code"]
    names: dict = {}
    run_cell(code[0].source, names)
    committed = next(i for i, cell in enumerate(code) if "read_rows(ARTEFACTS" in cell.source)
    checked = 0
    for cell in code[committed:-1]:
        told = [o.data["text/markdown"] for o in cell.outputs if "text/markdown" in o.data]
        assert told == run_cell(cell.source, names), "make notebooks"
        checked += len(told)
    names["scratch"].cleanup()
    assert checked > 4


def test_what_notebooks_need_is_installed_for_development():
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg")
    extras = config["options.extras_require"]

    def needed(extra):
        lines = [line.strip() for line in extras[extra].splitlines()]
        return {line for line in lines if line and not line.startswith("#")}

    assert needed("notebooks") <= needed("dev")
