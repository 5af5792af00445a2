"""Shared settings of the suite: one thread a worker, no display, no network, no accounts."""

import os
from pathlib import Path
from typing import NamedTuple

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("WANDB_MODE", "disabled")


def pytest_collection_modifyitems(items):
    """The longest tests first, so that no worker begins one when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


class TinyRun(NamedTuple):
    """A finished run of the tiny pipeline; tests read it and write elsewhere."""

    run: Path
    store: Path
    records: dict


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> TinyRun:
    """Recordings to report, once a worker."""
    from tests.pipeline.tiny import run_tiny

    folder = tmp_path_factory.mktemp("tiny")
    pipeline = run_tiny(folder)
    return TinyRun(folder / "run", folder / "store", pipeline.stages.records)
