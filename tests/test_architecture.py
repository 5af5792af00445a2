"""The house stands as drawn: imports run downward, and the face wing lives without the EEG wing."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "neurogaze"

# Longest prefix wins. A module may import its own room and anything of a lower rank.
RANKS = {
    "neurogaze": 0,
    "neurogaze.errors": 1,
    "neurogaze.quiet": 1,
    "neurogaze.progress": 1,
    "neurogaze.roots": 1,
    "neurogaze.seeds": 2,
    "neurogaze.strict_json": 1,
    "neurogaze.strict_yaml": 2,
    "neurogaze.endings": 2,
    "neurogaze.artefacts": 2,
    "neurogaze.affect": 3,
    "neurogaze.latent_world": 4,
    "neurogaze.eeg": 5,
    "neurogaze.faces": 5,
    "neurogaze.evaluation.metrics": 6,  # pure NumPy: tasks log what evaluation reports
    "neurogaze.evaluation.calibration": 5,
    "neurogaze.models": 6,
    "neurogaze.losses": 6,
    "neurogaze.prototypes": 6,
    "neurogaze.tasks": 7,
    "neurogaze.evaluation": 8,
    "neurogaze.report": 9,
    "neurogaze.deploy": 9,
    "neurogaze.explain": 9,
    "neurogaze.callbacks": 9,
    "neurogaze.wandb_callbacks": 10,
    "neurogaze.training": 10,
    "neurogaze.pipeline": 11,
    "neurogaze.serve": 12,
    "neurogaze.commands": 12,
    "neurogaze.face_commands": 13,
    "neurogaze.deploy_commands": 13,
    "neurogaze.cli": 14,
    "neurogaze.__main__": 15,
}
MATHS = ("neurogaze.models", "neurogaze.losses", "neurogaze.prototypes", "neurogaze.evaluation")


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


NAMES = {name for name, _ in modules()}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in NAMES else node.module
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name


def room(name):
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        prefix = ".".join(parts[:end])
        if prefix in RANKS:
            return prefix
    raise AssertionError(f"{name} has no room in the drawing")


def test_every_room_of_the_drawing_exists():
    names = {name for name, _ in modules()}
    assert set(RANKS) <= names


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=lambda v: str(v)[-40:])
def test_imports_run_downward(name, path):
    own = room(name)
    for target in imports(path):
        if not target.startswith("neurogaze"):
            continue
        other = room(target)
        assert other == own or RANKS[other] < RANKS[own], f"{name} imports upward: {target}"


def test_the_wings_never_meet():
    for name, path in modules():
        for target in imports(path):
            if name.startswith("neurogaze.faces"):
                assert not target.startswith("neurogaze.eeg"), name
            if name.startswith("neurogaze.eeg"):
                assert not target.startswith("neurogaze.faces"), name


def test_maths_never_imports_lightning():
    for name, path in modules():
        if name.startswith(MATHS):
            assert not any("lightning" in target for target in imports(path)), name


def test_import_is_weightless():
    code = "import sys, neurogaze; print([m for m in ('torch','mne','pandas') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


HIDE = """
    import importlib.metadata as metadata
    import importlib.util
    import sys

    HIDDEN = ("mne", "wandb", "matplotlib", "onnxruntime", "optuna")

    class Hide:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in HIDDEN:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return None

    sys.meta_path.insert(0, Hide())
    find = metadata.Distribution.from_name.__func__

    @classmethod
    def from_name(cls, name):
        if name.lower() in HIDDEN:
            raise metadata.PackageNotFoundError(name)
        return find(cls, name)

    metadata.Distribution.from_name = from_name
    real = importlib.util.find_spec
    importlib.util.find_spec = lambda n, p=None: None if n.split(".")[0] in HIDDEN else real(n, p)
"""


def test_the_face_wing_lives_without_mne_wandb_and_matplotlib():
    code = textwrap.dedent(HIDE) + textwrap.dedent("""
        import pkgutil, importlib
        import neurogaze, neurogaze.faces, neurogaze.losses, neurogaze.tasks
        rooms = [neurogaze.faces, neurogaze.losses, neurogaze.tasks]
        names = [m.name for r in rooms for m in pkgutil.walk_packages(r.__path__, r.__name__ + ".")]
        names += ["neurogaze.models.student", "neurogaze.prototypes.grid", "neurogaze.training"]
        names += ["neurogaze.wandb_callbacks"]
        for name in names:
            importlib.import_module(name)
        import torch
        from neurogaze.models.student import Student
        from neurogaze.losses.objective import Objective
        from neurogaze.tasks.student import StudentTask
        task = StudentTask(Student(), Objective())
        assert task.student(torch.zeros(2, 1, 44, 44)).logits.shape == (2, 8)
        try:
            import matplotlib
        except ModuleNotFoundError:
            print(len(names), "modules")
    """)
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr[-2000:]
    assert out.stdout.strip().endswith("modules")
