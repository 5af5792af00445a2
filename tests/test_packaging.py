"""What is installed is what `setup.cfg` says; what is committed names no host and no machine."""

import configparser
import importlib.metadata as metadata
import re
import subprocess
from pathlib import Path

import pytest

import neurogaze

ROOT = Path(__file__).parent.parent
FORBIDDEN = (
    r"pypi\.org|python" + r"hosted\.org|registry\.npm" + r"js\.org|deb\.debian\.org",
    r"(?<![\w.])/(?:home|root|work|Users)/\w",
)


@pytest.fixture(scope="module")
def config():
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "setup.cfg")
    return parser


def normal(requirement):
    return re.sub(r"\s", "", requirement.split(";")[0]).lower().replace("_", "-")


def test_installed_metadata_equal_setup_cfg(config):
    """A field set there but missing from `dynamic` in pyproject.toml would vanish in silence."""
    installed = metadata.distribution("neurogaze")
    assert installed.version == neurogaze.__version__
    assert installed.metadata["Summary"] == config["metadata"]["description"]
    lines = config["options"]["install_requires"].splitlines()
    wanted = {normal(x) for x in lines if x.strip() and not x.strip().startswith("#")}
    core = {normal(r) for r in installed.requires or [] if "extra ==" not in r}

    def names(requirements):
        return {
            (
                re.split(r"[<>=!~]", r)[0],
                *sorted(re.split(r",", r[len(re.split(r"[<>=!~]", r)[0]) :])),
            )
            for r in requirements
        }

    assert names(core) == names(wanted)
    assert any(e.name == "neurogaze" for e in installed.entry_points)


def test_every_requirement_is_pinned_for_reproduction(config):
    pinned = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    )
    pinned = {normal(name): version for name, version in pinned.items()}
    extras = config["options.extras_require"]["dev"].splitlines()
    for line in [*config["options"]["install_requires"].splitlines(), *extras]:
        if line.strip() and not line.strip().startswith("#"):
            name = normal(re.split(r"[<>=!\[]", line)[0])
            assert name in pinned, name


def test_every_experiment_file_is_installed_under_its_own_folder(config):
    """A folder that nobody lists would be missing from the installed package alone."""
    lines = config["options.data_files"].items()
    installed = {
        (folder, found.relative_to(ROOT).as_posix())
        for folder, patterns in lines
        for pattern in patterns.split()
        for found in ROOT.glob(pattern)
    }
    folder = ROOT / "experiments"
    files = [
        *folder.rglob("*.yaml"),
        *(p for p in (folder / "artefacts").rglob("*") if p.is_file()),
    ]
    names = [path.relative_to(ROOT) for path in files]
    wanted = {(f"share/neurogaze/{n.parent.as_posix()}", n.as_posix()) for n in names}
    assert ("share/neurogaze/experiments", "experiments/wandb.yaml") in wanted
    assert wanted - installed == set()


def committed():
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if out.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in out.stdout.split("\n") if name]


def test_nothing_committed_names_a_host_or_a_machine():
    for path in committed():
        text = path.read_text(encoding="utf-8", errors="ignore") if path.is_file() else ""
        for pattern in FORBIDDEN:
            found = re.search(pattern, text)
            assert not found, f"{path.name}: {found and found.group()}"


def test_no_data_no_images_no_weights_are_committed():
    drawn = {ROOT / "experiments" / "artefacts" / "ferplus_strong" / "learning.png"}
    drawn |= set((ROOT / "docs" / "pictures").rglob("*.png"))  # generated faces: test_documents
    suffixes = {p.suffix for p in committed() if p not in drawn}
    assert not suffixes & {".png", ".jpg", ".mat", ".edf", ".bdf", ".ckpt", ".onnx", ".pt", ".npy"}


def test_files_and_functions_stay_small():
    import ast

    for path in sorted((ROOT / "neurogaze").rglob("*.py")):
        text = path.read_text()
        tree = ast.parse(text)
        assert text.count("\n") < 400, path
        assert ast.get_docstring(tree), path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                assert length <= 50, f"{path}:{node.name} has {length} lines"
