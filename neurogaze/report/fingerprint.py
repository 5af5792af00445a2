"""What a run was made of, as hashes: settings, data, splits, grids, weights, losses, versions.

Built from the records that stages and checkpoints leave, and nothing else; it names no place of the
machine that ran it.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import neurogaze
from neurogaze.artefacts import settings_hash
from neurogaze.errors import InputError
from neurogaze.progress import tracked
from neurogaze.report.inputs import HERE, ReportInputs
from neurogaze.report.reading import REMEDY
from neurogaze.tasks.student_record import RECORD

FILE = "fingerprint.json"
PACKAGES = ("torch", "numpy")
DATA_KEYS = ("content", "table_sha256")
SPLIT_KEY = "split_sha256"
Record = Mapping[str, Any]


def fingerprint(inputs: ReportInputs, checkpoints: Mapping[str, Record]) -> dict[str, Any]:
    """Everything that decides the numbers of a run, by hash.

    Args:
        inputs: what the run holds.
        checkpoints: what checkpoints say of themselves, by stage.

    Returns:
        JSON values: `versions` of what wrote this, `results_made_by`, `stages` (each with the
        SHA-256 of its settings, inputs and outputs), `losses` (switches and weights), `data`,
        `splits`, `grids`, `weights` and `checkpoints`.
    """
    record = {
        "title": inputs.title,
        "versions": versions(),
        "results_made_by": sorted({row.code_version for row in inputs.rows} - {""}),
        "seeds": sorted({row.seed for row in inputs.rows}),
        "stages": {place: _stage(stage) for place, stage in inputs.stages.items()},
        "losses": {p: losses(s["settings"]) for p, s in inputs.stages.items() if _trains(s)},
        "data": _data(inputs, checkpoints),
        "splits": _splits(inputs, checkpoints),
        "grids": _grids(inputs),
        "weights": _weights(inputs),
        "checkpoints": {place: _checkpoint(said) for place, said in checkpoints.items()},
    }
    return dict(without_places(record))


def versions() -> dict[str, str]:
    """Versions of what runs now."""
    found = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "neurogaze": neurogaze.__version__, **found}


def without_places(value: Any) -> Any:
    r"""JSON values with the last part alone of every text that is an absolute path.

    >>> without_places({"a": ["/data/faces/x.csv", "C:/x/y", "relative/z", "ab / c"]})
    {'a': ['x.csv', 'y', 'relative/z', 'ab / c']}
    """
    if isinstance(value, Mapping):
        return {str(k): without_places(item) for k, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_places(item) for item in value]
    if isinstance(value, str):
        for kind in (PurePosixPath, PureWindowsPath):
            if kind(value).is_absolute():
                return kind(value).name
        return "~" if value.startswith("~") else value
    return value


def losses(settings: Record) -> dict[str, Any]:
    """Switch, weight and parameters of every term of the objective of a training.

    Args:
        settings: of its stage; a loss that is not set is the default one.
    """
    objective = _inner(settings, "model", "init_args", "loss")
    terms = _inner(objective, "init_args") or objective
    return {
        slot: {"on": False} if term is None else _term(term)
        for slot, term in terms.items()
        if term is None or isinstance(term, Mapping)
    }


def _term(term: Record) -> dict[str, Any]:
    said = dict(term.get("init_args", term))
    kind = {"kind": str(term["class_path"]).rpartition(".")[2]} if "class_path" in term else {}
    return {"on": said.get("weight", 1.0) != 0.0, **kind, **said}


def _inner(value: Any, *keys: str) -> dict[str, Any]:
    """What lies under keys inside each other; empty where a part is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return dict(value) if isinstance(value, Mapping) else {}


def _trains(stage: Record) -> bool:
    return bool(_inner(stage, "settings", "model", "init_args", "loss"))


def _stage(stage: Record) -> dict[str, Any]:
    return {
        "fingerprint": stage.get("fingerprint", ""),
        "settings_sha256": settings_hash(stage.get("settings")),
        "inputs": _inner(stage, "inputs"),
        "outputs": _inner(stage, "outputs"),
    }


def _data(inputs: ReportInputs, checkpoints: Mapping[str, Record]) -> dict[str, str]:
    """Content hash of every table of recordings or pictures."""
    found = {}
    for place, stage in inputs.stages.items():
        for key in DATA_KEYS:
            if isinstance(content := _inner(stage, "settings").get(key), str):
                found[place] = content
    for name, said in checkpoints.items():
        place, provenance = name.rpartition("/")[0], _inner(said, "provenance")
        for split in ("train", "valid"):
            if "sha256" in (part := _inner(provenance, split)):
                found[f"{place}, {split}"] = part["sha256"]
        if "table_sha256" in provenance:
            found[place] = provenance["table_sha256"]
    return found


def _splits(inputs: ReportInputs, checkpoints: Mapping[str, Record]) -> list[str]:
    """Hashes of all files of folds, and of the pictures that judged."""
    named = {row.split_hash for row in inputs.rows}
    named |= {str(_inner(c, "provenance").get(SPLIT_KEY, "")) for c in checkpoints.values()}
    named |= {str(grid.provenance.get(SPLIT_KEY, "")) for grid in inputs.grids.values()}
    return sorted(named - {""})


def _grids(inputs: ReportInputs) -> dict[str, str]:
    """Hash of every grid of the run, and of those that its trainings pin."""
    pinned = {
        place: _inner(stage, "settings", "model", "init_args", "grid").get("sha256")
        for place, stage in inputs.stages.items()
    }
    own = {place: grid.sha256 for place, grid in inputs.grids.items()}
    return own | {place: sha for place, sha in pinned.items() if sha}


def _weights(inputs: ReportInputs) -> dict[str, str]:
    """Content hash of every checkpoint, as its stage recorded it."""
    return {
        f"{place}/{name}": sha
        for place, stage in inputs.stages.items()
        for name, sha in _inner(stage, "outputs").items()
        if name.endswith(".ckpt")
    }


def _checkpoint(said: Record) -> dict[str, Any]:
    """Of a record: kind, version, epochs, configuration, and the hash of stored logits."""
    known = ("kind", "version", "epochs", "config_hash")
    logits = _inner(said, "provenance", "teacher_logits")
    return {key: said[key] for key in known if key in said} | (
        {"teacher_logits": logits} if logits else {}
    )


def checkpoint_records(run: Path, stages: Mapping[str, Record]) -> dict[str, dict[str, Any]]:
    """What the checkpoints among the outputs of stages say of themselves, without their weights.

    Their names begin with that of the stage: one that leaves its best and its last epoch has two.

    Args:
        run: folder of the run.
        stages: stage records by folder. A checkpoint that was removed since is passed over.

    Raises:
        InputError: for a checkpoint that cannot be read.
    """
    paths = {
        f"{place}/{name}": run / ("" if place == HERE else place) / name
        for place, stage in stages.items()
        for name in _inner(stage, "outputs")
        if name.endswith(".ckpt")
    }
    there = {name: path for name, path in paths.items() if path.exists()}
    told = "reading checkpoints"
    with tracked(there.items(), told, len(there), shown=bool(there), transient=True) as found:
        return {name: _record(path) for name, path in found}


def _record(path: Path) -> dict[str, Any]:
    import torch

    try:
        stored = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # zipfile, pickle and torch all raise their own
        raise InputError(path, f"cannot be read ({type(error).__name__})", REMEDY) from error
    return _inner(stored, RECORD)
