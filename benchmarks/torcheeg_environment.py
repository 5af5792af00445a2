"""The environment of torcheeg 1.1.3, which asks for a SciPy of its own, and the process in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import numpy as np

TORCHEEG = "torcheeg==1.1.3"
PINS = (
    "numpy==1.26.4", "scipy==1.10.1", "mne==1.7.1", "scikit-learn==1.4.2", "PyWavelets==1.5.0",
    "spectrum", "setuptools<81",
)  # fmt: skip
"""What `torcheeg.transforms` imports, in releases that go with SciPy 1.10; torch is borrowed."""

NEWEST_PYTHON = (3, 11)
"""Last one for which SciPy 1.10 has wheels."""

READY = "ready.json"


class Unavailable(RuntimeError):
    """The environment cannot be had here."""


def environment(folder: Path) -> Path:
    """The Python of the environment, made at the first call.

    Args:
        folder: where it lives.

    Raises:
        Unavailable: if this Python is too new or the packages cannot be installed.
    """
    python = folder / "bin" / "python"
    mark = {"python": sys.executable, "packages": [TORCHEEG, *PINS]}
    if (folder / READY).is_file() and json.loads((folder / READY).read_text()) == mark:
        return python
    if sys.version_info[:2] > NEWEST_PYTHON:
        raise Unavailable(f"{TORCHEEG} needs Python 3.11, this is {sys.version.split()[0]}")
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    for packages in (PINS, ("--no-deps", TORCHEEG)):
        command = [str(python), "-m", "pip", "install", "--quiet", *packages]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["no message"]
            raise Unavailable(f"pip cannot install {TORCHEEG}: {last[0]}")
    _borrow_torch(folder)
    (folder / READY).write_text(json.dumps(mark))
    return python


def _borrow_torch(folder: Path) -> None:
    """Let the environment find torch, and whatever else it lacks, behind its own packages."""
    import importlib.util

    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        raise Unavailable("torch is not installed")
    (site,) = folder.glob("lib/python3.*/site-packages")
    (site / "borrowed.pth").write_text(f"{Path(found.origin).parents[1]}\n")


class Torcheeg:
    """A process that computes entropies when asked."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.folder = folder
        child = Path(__file__).with_name("torcheeg_child.py")
        self.process = subprocess.Popen(
            [str(python), str(child)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise Unavailable("torcheeg does not start in its environment")
        return dict(json.loads(line))

    def entropies(self, windows: np.ndarray) -> tuple[np.ndarray, float]:
        """Bits `[windows, channels, bands]` of windows in volts, and the seconds it took."""
        asked = {"windows": str(self.folder / "in.npy"), "out": str(self.folder / "out.npy")}
        np.save(asked["windows"], windows)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        seconds = float(self._answer()["seconds"])
        return np.load(asked["out"]), seconds

    def close(self) -> None:
        """End the process."""
        self.process.communicate()
