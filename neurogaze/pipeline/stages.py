"""Stages: named steps that leave an artefact with a fingerprint, and are skipped when it holds.

A stage is done when its folder holds `stage.json`, written last. The record names the fingerprint
of what went in (settings, and the content hashes of earlier stages) and the content hash of each
file that came out. A later run skips the stage when both still hold. A folder without a record
belongs to a run that was stopped: it is taken up again if `begun.json` names the same fingerprint,
and emptied if not. A folder with files and neither of the two belongs to
somebody, and is refused.
"""

from __future__ import annotations

import json
import pickle
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

import neurogaze
from neurogaze.artefacts import (
    alone,
    arrays_hash,
    canonical,
    file_hash,
    remove,
    settings_hash,
    write_json,
)
from neurogaze.errors import InputError
from neurogaze.evaluation.calibration_file import checkpoint_hash

RECORD = "stage.json"
BEGUN = "begun.json"
LOCKS = ".locks"
"""Folder beside the stages with one empty file each, held while the stage is carried out."""

FOREIGN_REMEDY = "give --out a new folder"

DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    pickle.UnpicklingError,
)
"""What readers raise for a record or an artefact that is absent, cut short or altered."""


@dataclass(frozen=True)
class StageRecord:
    """What a finished stage says of itself.

    Args:
        name: folder of the stage.
        fingerprint: hash of settings and inputs.
        outputs: content hash of each file.
        skipped: whether this run found it done.
    """

    name: str
    fingerprint: str
    outputs: dict[str, str]
    skipped: bool = False

    @property
    def content(self) -> str:
        """One hash over all outputs; what later stages depend on."""
        return settings_hash(self.outputs)


def content_hash(path: Path) -> str:
    """Hash what a file says, not the bytes that hold it.

    For a checkpoint: its weights and what it says of itself. For `.npz`: its arrays. For anything
    else: its bytes.
    """
    if path.suffix == ".ckpt":
        return checkpoint_hash(path)
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as stored:
            return arrays_hash({name: stored[name] for name in stored.files})
    return file_hash(path)


def _identity(name: str, settings: Any, inputs: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    """What went into a stage, and its fingerprint."""
    what = {"settings": canonical(settings), "inputs": dict(inputs)}
    return what, settings_hash(what | {"version": neurogaze.__version__, "stage": name})


def _refuse_foreign(folder: Path) -> None:
    """Refuse to empty a folder that no stage began; a hidden file is what a killed writer left."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(folder, "is a file", FOREIGN_REMEDY)
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if names and not (folder / BEGUN).exists():
        found = f"holds {names[0]}, which no run made, and would be emptied"
        raise InputError(folder, found, FOREIGN_REMEDY)


class Stages:
    """Runs stages under one folder.

    Args:
        root: folder of the run; each stage has a folder in it.
        console: where progress is told.
    """

    def __init__(self, root: Path, console: Console | None = None) -> None:
        self.root = root
        self.console = console or Console(stderr=True)
        self.records: dict[str, StageRecord] = {}

    def live(self) -> list[str]:
        """Stages of this run, in order; other folders may be left from other settings."""
        return list(self.records)

    def run(
        self,
        name: str,
        settings: Any,
        inputs: Mapping[str, str],
        action: Callable[[Path], None],
        outputs: Sequence[str],
    ) -> StageRecord:
        """Carry out a stage, or skip it when its artefact holds.

        Args:
            name: folder of the stage.
            settings: everything that shapes the result, reducible to JSON.
            inputs: content hashes of what it reads, by name.
            action: does the work; receives the folder.
            outputs: files it leaves there.

        Raises:
            InputError: while another process carries out the same stage, and for a folder of that
                name with files that no stage left.
        """
        record = self.held(name, settings, inputs)
        if record is None:
            began, folder = time.monotonic(), self.root / name
            what, fingerprint = _identity(name, settings, inputs)
            self.console.print(f"[bold]{name}[/bold] ...")
            with alone(self.root / LOCKS / name, folder):
                self._begin(folder, fingerprint)
                action(folder)
                record = self._finish(folder, name, fingerprint, what, outputs)
            self.console.print(f"[green]{name}[/green] done in {time.monotonic() - began:.0f} s")
            self.records[name] = record
        return record

    def held(self, name: str, settings: Any, inputs: Mapping[str, str]) -> StageRecord | None:
        """Take over a stage that an earlier run finished; None where its artefact does not hold.

        Args:
            name: folder of the stage.
            settings: as for `run`.
            inputs: as for `run`.
        """
        record = self._done(self.root / name, name, _identity(name, settings, inputs)[1])
        if record is not None:
            self.console.print(f"[dim]{name} unchanged, skipped[/dim]")
            self.records[name] = record
        return record

    @staticmethod
    def _done(folder: Path, name: str, fingerprint: str) -> StageRecord | None:
        try:
            stored = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            if stored["fingerprint"] != fingerprint:
                return None
            if any(content_hash(folder / f) != h for f, h in stored["outputs"].items()):
                return None
        except DAMAGED:
            return None
        return StageRecord(name, fingerprint, stored["outputs"], skipped=True)

    @staticmethod
    def _begin(folder: Path, fingerprint: str) -> None:
        # a checkpoint knows its folder, so one that was moved halfway is not taken up again
        what = {"fingerprint": fingerprint, "folder": folder.resolve().as_posix()}
        try:
            begun = json.loads((folder / BEGUN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            begun = None
        if begun is None and not (folder / RECORD).exists():
            _refuse_foreign(folder)
        if folder.exists() and (begun != what or (folder / RECORD).exists()):
            remove(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / BEGUN, what)

    @staticmethod
    def _finish(
        folder: Path, name: str, fingerprint: str, what: dict[str, Any], outputs: Sequence[str]
    ) -> StageRecord:
        hashes = {f: content_hash(folder / f) for f in outputs}
        write_json(
            folder / RECORD, what | {"name": name, "fingerprint": fingerprint, "outputs": hashes}
        )
        return StageRecord(name, fingerprint, hashes)
