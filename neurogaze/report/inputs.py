"""What a run folder holds that a report can show. Every part is optional; a broken one is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.evaluation.contrast_file import FILE as CONTRASTS
from neurogaze.evaluation.contrast_file import ContrastFile, read_contrasts
from neurogaze.evaluation.metrics import N_CLASSES
from neurogaze.evaluation.predictions import PROBABILITY_COLUMNS, read_predictions
from neurogaze.evaluation.results import ResultRow, read_rows
from neurogaze.report.grid_inputs import Explained, GridStability, read_explained, read_stability
from neurogaze.report.reading import REMEDY, read_arrays, read_record, texts
from neurogaze.report.reported import FILE as REPORTED
from neurogaze.report.reported import Match, read_matches

if TYPE_CHECKING:
    from neurogaze.prototypes.grid import PrototypeGrid

DEFAULT_TITLE = "neurogaze report"
HERE = "run"
"""Name of the folder of a run itself among its parts."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Topomaps:
    """Group means of differential entropy over electrodes.

    Args:
        values: `float32 [groups, channels, bands]`, in `unit`.
        groups: names.
        channels: electrode names.
        bands: names.
    """

    values: NDArray[np.float32]
    groups: tuple[str, ...]
    channels: tuple[str, ...]
    bands: tuple[str, ...]
    unit: str = "nats"


@dataclass(frozen=True, eq=False)
class Embedding:
    """Student embeddings of faces with their labels.

    Args:
        points: `[N, D]`.
        label: class of each row, `int64 [N]`.
    """

    points: NDArray[np.floating]
    label: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ReportInputs:
    """Everything found under a run folder; mappings go from the folder of a part to its content.

    Args:
        title: heading of the report.
        rows: results of all stages.
        faces: face predictions.
        eeg: EEG predictions.
        grids: prototype grids.
        stability: grids under resampling of people.
        explained: what the teachers of a grid look at, and the recordings behind its cells.
        topomaps: scalp maps.
        logs: `metrics.csv` of trainings.
        embeddings: student embeddings.
        stages: stage records.
        robustness: results on spoiled pictures.
        contrasts: arm against arm.
        matches: which of our results stand beside a published row, by the name of that row.
    """

    title: str
    rows: tuple[ResultRow, ...]
    faces: Mapping[str, pd.DataFrame]
    eeg: Mapping[str, pd.DataFrame]
    grids: Mapping[str, PrototypeGrid]
    stability: Mapping[str, GridStability]
    explained: Mapping[str, Explained]
    topomaps: Mapping[str, Topomaps]
    logs: Mapping[str, pd.DataFrame]
    embeddings: Mapping[str, Embedding]
    stages: Mapping[str, Mapping[str, Any]]
    robustness: tuple[ResultRow, ...] = ()
    contrasts: Mapping[str, ContrastFile] = field(default_factory=dict)
    matches: Mapping[str, Match] = field(default_factory=dict)


def read_topomaps(path: Path) -> Topomaps:
    """Read `topomaps.npz`.

    Raises:
        InputError: for arrays that do not belong together.
    """
    names = ("groups", "channels", "bands")
    arrays = read_arrays(path, ("values", *names), optional=("unit",))
    values, unit = arrays["values"], str(arrays.get("unit", Topomaps.unit))
    named = groups, channels, bands = [texts(arrays[name]) for name in names]
    if values.shape != tuple(map(len, named)) or not np.isfinite(values).all():
        wrong = f"values {values.shape} are not finite or do not fit {tuple(map(len, named))} names"
        raise InputError(path, wrong, REMEDY)
    return Topomaps(values, groups, channels, bands, unit)


def read_embedding(path: Path) -> Embedding:
    """Read `embeddings.npz`.

    Raises:
        InputError: for arrays that do not belong together, or labels outside the eight classes.
    """
    points, label = read_arrays(path, ("embedding", "label")).values()
    fits = points.ndim == 2 and label.shape == points.shape[:1] and min(points.shape) > 1
    if not fits or label.min() < 0 or label.max() >= N_CLASSES or not np.isfinite(points).all():
        found = f"embedding {points.shape} and label {label.shape} do not fit or hold bad values"
        raise InputError(path, found, REMEDY)
    return Embedding(points, label.astype(np.int64))


def read_log(path: Path) -> pd.DataFrame:
    """Read `metrics.csv`; an empty file is an empty table.

    Raises:
        InputError: for text that is no table.
    """
    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except (OSError, ValueError) as error:
        raise InputError(path, f"cannot be read ({error})", REMEDY) from error


def read_grid(path: Path) -> PrototypeGrid:
    """Read a prototype grid; see `neurogaze.prototypes.grid`."""
    from neurogaze.prototypes.grid import PrototypeGrid

    return PrototypeGrid.load(path)


def discover(run: Path, skip: Path | None = None) -> ReportInputs:
    """Find and read every part of a report under a run folder, at any depth.

    Parts come in the order of the stages where `title.json` lists them, else in name order.

    Args:
        run: folder; `results.jsonl`, `predictions.parquet` or `.csv`, `grid.npz`,
            `stability.json`, `explained.npz`, `topomaps.npz`, `metrics.csv`, `embeddings.npz`,
            `robustness.jsonl`, `contrasts.json`, `reported.json` and `stage.json` are looked for,
            and `title.json` in the folder itself. Where `title.json` lists `stages`, other folders
            are left over from other settings and are not read.
        skip: folder to leave out, such as an earlier report.

    Raises:
        InputError: when the folder does not exist, or a part of it is broken.
    """
    if not run.is_dir():
        raise InputError(run, "is no folder", "give the folder of a run")

    about = read_record(run / "title.json") if (run / "title.json").exists() else {}
    live = _live(about.get("stages"), run / "title.json")

    def each(name: str, read: Callable[[Path], T]) -> dict[str, T]:
        found = {_place(path, run): path for path in _find(run, name, skip)}
        order = found if live is None else [HERE, *live]
        return {place: read(found[place]) for place in order if place in found}

    frames = each("predictions.csv", read_predictions)
    frames |= each("predictions.parquet", read_predictions)
    return ReportInputs(
        title=str(about.get("title", DEFAULT_TITLE)),
        rows=tuple(row for rows in each("results.jsonl", read_rows).values() for row in rows),
        faces={k: v for k, v in frames.items() if PROBABILITY_COLUMNS[0] in v},
        eeg={k: v for k, v in frames.items() if PROBABILITY_COLUMNS[0] not in v},
        grids=each("grid.npz", read_grid),
        stability=each("stability.json", read_stability),
        explained=each("explained.npz", read_explained),
        topomaps=each("topomaps.npz", read_topomaps),
        logs=each("metrics.csv", read_log),
        embeddings=each("embeddings.npz", read_embedding),
        stages=each("stage.json", read_record),
        robustness=tuple(
            row for rows in each("robustness.jsonl", read_rows).values() for row in rows
        ),
        contrasts=each(CONTRASTS, read_contrasts),
        matches={k: m for found in each(REPORTED, read_matches).values() for k, m in found.items()},
    )


def _live(stages: Any, path: Path) -> list[str] | None:
    """Folders of the stages that `title.json` lists; None where it lists none."""
    if stages is None:
        return None
    if not isinstance(stages, list) or not all(isinstance(name, str) for name in stages):
        raise InputError(path, f"stages = {stages!r} is no list of folders", REMEDY)
    return stages


def _find(run: Path, name: str, skip: Path | None) -> list[Path]:
    """Files of that name, not in hidden folders nor in the one to skip, in name order."""
    found = []
    for path in run.rglob(name):
        inner = path.relative_to(run)
        left_out = skip is not None and path.resolve().is_relative_to(skip.resolve())
        if not left_out and not any(part.startswith(".") for part in inner.parts):
            found.append(path)
    return sorted(found)


def _place(path: Path, run: Path) -> str:
    """Folder of a part, relative to the run."""
    inner = path.parent.relative_to(run).as_posix()
    return HERE if inner == "." else inner
