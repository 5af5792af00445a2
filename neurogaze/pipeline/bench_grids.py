"""Which grid an arm takes under a seed: the EEG's of that seed, or a control in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash
from neurogaze.errors import InputError
from neurogaze.pipeline.grid_set_index import VERDICTS, grid_file
from neurogaze.pipeline.grid_set_settings import Kind, size_of
from neurogaze.prototypes.controls import control
from neurogaze.prototypes.from_classes import class_grid
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.testable import testable
from neurogaze.strict_json import parse
from neurogaze.tasks.pins import UNREADABLE, GridPin

EEG, FACE = "eeg", "face"
FROM_RECORDINGS = get_args(Kind)


@dataclass(frozen=True, eq=False)
class GridSource:
    """Where the grids of a bench come from.

    Args:
        path: the file named in the bench.
        listed: pin by kind and seed, as the index of a set of grids has them; empty for one grid.
        doubts: by seed, why the EEG grid cannot tell whether EEG helps, as whoever made it found.
        class_means: of the members of an ensemble of face networks, or None.
    """

    path: Path
    listed: Mapping[str, Mapping[int, GridPin]]
    doubts: Mapping[int, Sequence[str]] = field(default_factory=dict)
    class_means: GridPin | None = None

    def recorded(self, kind: str, seed: int) -> PrototypeGrid:
        """A grid that was made from recordings.

        Raises:
            InputError: when there is none of that kind and seed, or the file was altered.
        """
        if not self.listed:
            return PrototypeGrid.load(self.path)
        seeds = self.listed[kind]
        if seed not in seeds:
            found = f"holds {kind} grids of the seeds {sorted(seeds)}, not of {seed}"
            remedy = "make more with `neurogaze grids`, or train fewer seeds"
            raise InputError(self.path, found, remedy)
        pin = seeds[seed]
        grid = PrototypeGrid.load(Path(pin.path))
        if grid.sha256 != pin.sha256:
            found = f"has hash {grid.sha256}, the index says {pin.sha256}"
            raise InputError(pin.path, found, "make the grids again, or restore the file")
        return grid

    def grid(self, kind: str, seed: int) -> PrototypeGrid:
        """The grid of a kind: from recordings where there is one, else a control made of the EEG's.

        Raises:
            InputError: for a kind that is neither, or one from recordings that is not there.
        """
        if kind == EEG or kind in self.listed:
            return self.recorded(kind, seed)
        if kind in FROM_RECORDINGS or size_of(kind):
            held = ", ".join(self.listed) or "one grid for all seeds"
            remedy = "make them with `neurogaze grids`, and name the index it leaves"
            if size := size_of(kind):
                remedy = f"give the set of grids `sizes: [{size}]`, {remedy}"
            raise InputError(self.path, f"holds no {kind} grids, but {held}", remedy)
        if kind == FACE:
            return self._face(seed)
        return control(kind, self.recorded(EEG, seed), seed)

    def _face(self, seed: int) -> PrototypeGrid:
        """The grid of a face network: class means of one member of an ensemble."""
        if self.class_means is None:
            remedy = "name `class_means` in the bench file"
            raise InputError("grid of a face network", "there are no class means", remedy)
        means = read_means(self.class_means)
        member = seed % len(means)
        source = {"class_means": self.class_means.sha256, "member": member}
        return class_grid(self.recorded(EEG, seed), means[member], seed, source)

    def reasons(self, seed: int) -> list[str]:
        """Why the EEG grid of a seed cannot tell whether EEG helps; none: it can.

        Whoever made a set of grids knows the chance of its teachers; of one grid it is not known.
        """
        if seed in self.doubts:
            return list(self.doubts[seed])
        return testable(self.recorded(EEG, seed), None)


def of_eeg(kind: str) -> bool:
    """Whether a grid is the EEG's, cut into other cells or not, or a control made of it.

    >>> [of_eeg(kind) for kind in ("eeg", "eeg_3x3", "permuted", "null", "")]
    [True, True, True, False, False]
    """
    return kind == EEG or (bool(kind) and kind not in FROM_RECORDINGS)


def open_grids(path: Path, class_means: GridPin | None = None) -> GridSource:
    """Read the index of a set of grids, or name one grid.

    Args:
        path: `index.json`, or an `.npz`.
        class_means: for grids of a face network, or None.

    Raises:
        InputError: for a file that is neither.
    """
    if path.suffix == ".npz":
        return GridSource(path, {}, class_means=class_means)
    try:
        content: Any = parse(path.read_text(encoding="utf-8"))
        listed = {
            str(kind): {
                int(seed): GridPin((path.parent / str(pin["path"])).as_posix(), str(pin["sha256"]))
                for seed, pin in pins.items()
            }
            for kind, pins in content["grids"].items()
        }
        told = path.with_name(VERDICTS)
        said: Any = parse(told.read_text(encoding="utf-8")) if told.exists() else {}
        doubts = {int(seed): [str(reason) for reason in own] for seed, own in said.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"is no index of grids ({type(error).__name__}: {error})"
        raise InputError(path, found, "make it with `neurogaze grids`") from error
    if EEG not in listed:
        raise InputError(path, "lists no EEG grid", "make one with `neurogaze grids`")
    return GridSource(path, listed, doubts, class_means)


def read_means(pin: GridPin) -> NDArray[np.float32]:
    """Class means of the members of an ensemble, `[members, 8, D]`.

    Raises:
        InputError: when the file cannot be read, was altered, or has another class order.
    """
    try:
        with np.load(pin.path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        means, labels = arrays["means"], arrays["labels"].tolist()
    except UNREADABLE as error:
        found = f"cannot be read as class means ({error})"
        raise InputError(pin.path, found, "make them with `neurogaze ensemble`") from error
    if (found := arrays_hash(arrays)) != pin.sha256.lower():
        raise InputError(pin.path, f"has hash {found}, not {pin.sha256}", "pin the file you mean")
    if labels != list(EMOTIONS):
        raise InputError(pin.path, f"has the class order {labels}", "reorder the rows by name")
    return np.asarray(means)


def pinned(source: GridSource, kind: str, seed: int, folder: Path) -> GridPin:
    """Leave the grid of an arm in a folder, where it is not there yet, and pin it."""
    return left_at(source.grid(kind, seed), folder / grid_file(kind, seed))


def left_at(grid: PrototypeGrid, path: Path) -> GridPin:
    """Leave a grid in a file, where it is not there yet, and pin it."""
    if not path.exists() or PrototypeGrid.load(path).sha256 != grid.sha256:
        grid.save(path)
    return GridPin(path.as_posix(), grid.sha256)
