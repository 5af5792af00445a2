"""Decoded pictures kept on disk, so that they are read once.

A stored table lies in a folder named by a hash of what it was read from: another votes file,
another set of pictures or another rule makes another folder, and nothing stale is ever read.
Picture files count with their place and the time of their writing, so that a copy of a data set is
decoded anew.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurogaze.artefacts import folder_written_aside, settings_hash, write_json
from neurogaze.errors import InputError
from neurogaze.faces.corpora.places import real_folder
from neurogaze.faces.images import FaceCorpus, FaceTable
from neurogaze.faces.reading import ARRAY_ERRORS, summary_of
from neurogaze.strict_json import parse

FORMAT_VERSION = 1
HASH_DIGITS = 12


def prepare(corpus: FaceCorpus, split: str, store: Path, progress: bool = True) -> FaceTable:
    """Read a split from the store; decode it there first if it is absent or unreadable.

    What was said when it was decoded is said again: pictures that could not be read, and the note
    of the table.

    Args:
        corpus: where the pictures come from.
        split: name of the split.
        store: folder of all stored tables; made if absent.
        progress: show a bar while decoding.

    Returns:
        The table; its pictures are memory-mapped and read-only.

    Raises:
        InputError: when the corpus cannot be read.
    """
    folder = stored_at(corpus, split, store)
    table = _stored(folder)
    if table is not None:
        _remind(table)
        return table
    decoded = corpus.load(split, progress)
    if (table := _stored(folder)) is None:  # else another process was quicker
        _write(folder, decoded)
        table = _read(folder)
    return table


def _stored(folder: Path) -> FaceTable | None:
    """A stored table; None where there is none, or a damaged one."""
    if not folder.is_dir():
        return None
    try:
        return _read(folder)
    except (*ARRAY_ERRORS, InputError):
        return None


def _remind(table: FaceTable) -> None:
    """Warn of what is missing, and of what must be said of the rest."""
    for told in (summary_of(table.skipped), table.note):
        if told:
            warnings.warn(f"{table.dataset} ({table.split}): {told}", stacklevel=3)


def stored_at(corpus: FaceCorpus, split: str, store: Path) -> Path:
    """The folder that holds, or would hold, this split: `<store>/<name>-<split>-<hash>`."""
    recipe: dict[str, Any] = {"format": FORMAT_VERSION, "identity": corpus.identity(split)}
    files = corpus.files(split)
    if files:
        recipe["files"] = _stamps(files)
    return store / f"{corpus.name}-{split}-{settings_hash(recipe)[:HASH_DIGITS]}"


def _stamps(files: Sequence[Path]) -> list[str]:
    """True place of each file and when it was written, nanoseconds; 0 for none."""
    places = {folder: real_folder(folder) for folder in {p.parent for p in files}}
    return [f"{places[path.parent] / path.name} {_written(path)}" for path in files]


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):  # none, or a name that no file can have
        return 0


def _write(folder: Path, table: FaceTable) -> None:
    arrays = {name: getattr(table, name) for name in ("ids", "labels", "votes", *table.keys)}
    meta = {
        "dataset": table.dataset,
        "split": table.split,
        "rule": table.rule,
        "skipped": table.skipped,
        "shape": table.images.shape,
        "sha256": table.sha256,
    }
    with folder_written_aside(folder) as aside:
        np.save(aside / "images.npy", table.images, allow_pickle=False)
        np.savez(aside / "table.npz", allow_pickle=False, groups=table.groups, **arrays)
        write_json(aside / "meta.json", meta | ({"note": table.note} if table.note else {}))


def _read(folder: Path) -> FaceTable:
    meta = parse((folder / "meta.json").read_text(encoding="utf-8"))
    images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
    if list(images.shape) != meta["shape"]:
        found = f"shape {images.shape}, not {meta['shape']}"
        raise InputError(folder / "images.npy", found, "delete the folder")
    with np.load(folder / "table.npz", allow_pickle=False) as arrays:
        table = FaceTable(
            images=images,
            ids=arrays["ids"],
            labels=arrays["labels"],
            votes=arrays["votes"],
            groups=arrays["groups"],
            dataset=meta["dataset"],
            split=meta["split"],
            rule=meta["rule"],
            skipped=tuple(meta["skipped"]),
            subjects=arrays.get("subjects"),
            sequences=arrays.get("sequences"),
            note=meta.get("note", ""),
        )
    if table.sha256 != meta["sha256"]:
        found = f"content {table.sha256[:HASH_DIGITS]}, not {meta['sha256'][:HASH_DIGITS]}"
        raise InputError(folder, found, "delete the folder")
    return table
