"""What the documents tell people to run is run."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from neurogaze.cli import main

ROOT = Path(__file__).parent.parent
ARTEFACTS = ROOT / "experiments" / "artefacts"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "data" / "README.md",
                    ROOT / "experiments" / "README.md"])  # fmt: skip
BLOCK = re.compile(r"^```(bash run|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")


def blocks(kind):
    return [
        pytest.param(path, text, id=f"{path.relative_to(ROOT)}:{i}")
        for path in DOCUMENTS
        for i, (found, text) in enumerate(BLOCK.findall(path.read_text()))
        if found == kind
    ]


@pytest.fixture
def checkout(tmp_path):
    """A folder that looks like a checkout to a relative path."""
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(("path", "text"), blocks("bash run"))
def test_commands(path, text, checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    commands = text.replace("\\\n", " ").splitlines()
    lines = [shlex.split(c.split(" #")[0]) for c in commands if c.split(" #")[0].strip()]
    assert {words[0] for words in lines} == {"neurogaze"}
    for words in lines:
        assert main(words[1:]) == 0, words


@pytest.mark.parametrize(("path", "text"), blocks("python"))
def test_python(path, text, checkout):
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    out = subprocess.run(
        [sys.executable, "-c", text], cwd=checkout, env=env, capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr[-2000:]


def test_the_readme_holds_commands_that_run():
    assert any("README.md" in str(p.id) for p in blocks("bash run"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for target in LINK.findall(path.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_make_targets_exist(path):
    known = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"^make ((?:[a-z]+ ?)+)", path.read_text(), re.MULTILINE):
        assert set(target.split()) <= set(known), target


def test_every_metric_of_a_committed_row_is_defined():
    text = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8").partition("## Metrics")[2]
    table = "".join(line for line in text.splitlines(True) if line.startswith("| `"))
    named = set(re.findall(r"`([a-z<][\w<>*]+)`", table))
    kinds = [re.sub(r"<\w+>|\*", r"\\w+", name) for name in named]
    known = re.compile(rf"(?:{'|'.join(kinds)})(?:_window|_trial)?")
    rows = [line for path in ARTEFACTS.glob("*/*.jsonl") for line in path.open(encoding="utf-8")]
    found = {json.loads(line)["metric"] for line in rows}
    assert len(found) > 50
    assert {metric for metric in found if not known.fullmatch(metric)} == set()


def test_faces_in_the_documents_are_drawn_ones():
    import numpy as np
    from PIL import Image

    from neurogaze.faces.corpora.synthetic import SyntheticFaces

    drawn = SyntheticFaces(8, 16).load("valid").images
    files = sorted((ROOT / "docs" / "pictures" / "faces").iterdir())
    assert files
    for file in files:
        np.testing.assert_array_equal(np.asarray(Image.open(file)), drawn[int(file.stem)])
