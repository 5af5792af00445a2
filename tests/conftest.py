"""Shared settings of the suite: one thread a worker, no display, no network, no accounts."""

import fcntl
import gc
import io
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("WANDB_MODE", "disabled")


def pytest_collection():
    """Nothing that is imported is garbage: it is not looked through while more is imported."""
    gc.disable()


def pytest_collection_finish():
    """Nor afterwards, which is a twentieth of the time of a test."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_unconfigure():
    """At the end all of it is; a binding that finds some left over would print a page about it."""
    gc.unfreeze()


def pytest_collection_modifyitems(items):
    """The longest tests first, so that no worker begins one when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """What is drawn without a seed is the same in whatever order and process tests are run."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _no_power_cuts():
    """Nothing waits for the disk: a killed process loses no page, and no test pulls the plug."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda stream: None)
        yield


@pytest.fixture(autouse=True)
def _nothing_is_left_in_the_tree():
    """Tests write into folders of their own; tools that run beside them leave hidden ones."""
    before = set(ROOT.iterdir())
    yield
    left = {path.name for path in set(ROOT.iterdir()) - before}
    assert not {name for name in left if not name.startswith(".")}


def blank_png() -> bytes:
    """A small black picture."""
    blank = io.BytesIO()
    Image.new("RGB", (8, 8)).save(blank, "PNG")
    return blank.getvalue()


@pytest.fixture
def unpainted(monkeypatch):
    """Pictures of reports are drawn but not painted; those of `tiny_run` and `tests/report` are."""
    from neurogaze.report import drawing

    blank = blank_png()
    monkeypatch.setattr(drawing, "png", lambda figure: blank)


@contextmanager
def blank_pictures() -> Iterator[None]:
    """Every picture of a report is a blank one: for runs of which nobody looks at the pictures."""
    from neurogaze.report import gallery

    plans, blank = gallery.plans, blank_png()

    def blanks(inputs):
        return (replace(plan, draw=lambda: blank) for plan in plans(inputs))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gallery, "plans", blanks)
        yield


@pytest.fixture
def undrawn():
    """See `blank_pictures`."""
    with blank_pictures():
        yield


class TinyRun(NamedTuple):
    """A finished run of the tiny pipeline; tests read it and write elsewhere."""

    run: Path
    store: Path
    records: dict


@contextmanager
def one_at_a_time(factory, name: str) -> Iterator[Path]:
    """Folder that all workers share, held by one of them."""
    root = factory.getbasetemp()
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> TinyRun:
    """Recordings to report; whoever is not the first finds every stage done."""
    from tests.pipeline.tiny import run_tiny

    with one_at_a_time(tmp_path_factory, "tiny") as folder:
        pipeline = run_tiny(folder)
    return TinyRun(folder / "run", folder / "store", pipeline.stages.records)
