"""What arms of a bench said of the same faces, row by row beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import FACE_KEYS, TWIN, checked, face_arrays, face_units
from neurogaze.evaluation.scoring import TWIN_FREE

Floats = NDArray[np.float64]
Arms = Mapping[str, Mapping[int, pd.DataFrame]]
"""Face predictions by arm and seed."""

SAME = ("id", "label", "group", *FACE_KEYS, TWIN)
"""What two arms must agree on in every row, where the files say it."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What several arms said of the same faces, with the same seeds.

    Args:
        dataset: data as really used.
        split: part of it; ends in "twin-free" where twins of training pictures are left out.
        seeds: in rising order.
        truth: class of each face, `int64 [N]`.
        units: faces that share a name are resampled together, `str [N]`.
        chances: probabilities by arm, `[seeds, N, 8]`.
    """

    dataset: str
    split: str
    seeds: tuple[int, ...]
    truth: NDArray[np.int64]
    units: NDArray[np.str_]
    chances: dict[str, Floats]

    def right(self, arm: str) -> NDArray[np.bool_]:
        """Whether each seed of an arm got each face right, `[seeds, N]`."""
        return np.asarray(self.chances[arm].argmax(axis=2) == self.truth)


def named(pairs: Iterable[tuple[str, str]], arms: Arms) -> Arms:
    """The arms that some pair names, in the order of `arms`.

    Raises:
        InputError: for a name that is no arm.
    """
    wanted = {arm for pair in pairs for arm in pair}
    unknown = sorted(wanted - arms.keys())
    if unknown:
        found = f"{', '.join(unknown)} is no arm"
        raise InputError("contrasts", found, f"the arms are {', '.join(arms)}")
    return {arm: by_seed for arm, by_seed in arms.items() if arm in wanted}


def judged(arms: Arms, twin_free: bool = False) -> Judged:
    """Put the predictions of all arms and seeds beside each other, row by row.

    Args:
        arms: face predictions of one data set and split, by arm and seed; rows in any order.
        twin_free: whether to leave out faces that training held pixel by pixel.

    Raises:
        InputError: for no arms, several data sets or splits in one file, arms with other seeds or
            other rows than the first, or no `twin` column where it is needed.
    """
    seeds = _shared_seeds(arms)
    first: pd.DataFrame | None = None
    chances: dict[str, Floats] = {}
    for arm, by_seed in arms.items():
        stacked = []
        for seed in seeds:
            where = f"predictions of arm {arm}, seed {seed}"
            frame = _one_split(by_seed[seed], where, twin_free)
            first = frame if first is None else first
            _same_rows(first, frame, where)
            stacked.append(face_arrays(frame)[1])
        chances[arm] = np.stack(stacked)
    assert first is not None  # there is an arm with a seed
    split = str(first["split"].iloc[0])
    return Judged(
        dataset=str(first["dataset"].iloc[0]),
        split=f"{split}, {TWIN_FREE}" if twin_free else split,
        seeds=seeds,
        truth=face_arrays(first)[0],
        units=face_units(first),
        chances=chances,
    )


def _shared_seeds(arms: Arms) -> tuple[int, ...]:
    """The seeds of all arms, in rising order."""
    sets = {arm: tuple(sorted(by_seed)) for arm, by_seed in arms.items()}
    if not any(sets.values()):
        raise InputError("arms to compare", "hold no predictions", "give one file an arm and seed")
    name, seeds = next(iter(sets.items()))
    for arm, own in sets.items():
        if own != seeds:
            found = f"has the seeds {list(own)}, arm {name} has {list(seeds)}"
            raise InputError(f"arm {arm}", found, "compare arms over the seeds that they share")
    return seeds


def _one_split(frame: pd.DataFrame, where: str, twin_free: bool) -> pd.DataFrame:
    """The checked rows to judge, ordered by id."""
    frame = checked(frame, "face", where)
    for name in ("dataset", "split"):
        held = sorted(frame[name].unique())
        if len(held) > 1:
            raise InputError(where, f"holds several {name}s: {', '.join(held)}", "give one alone")
    if twin_free:
        if TWIN not in frame:
            found = "does not say which faces have twins in training"
            raise InputError(where, found, "judge again, or compare on all faces")
        frame = frame[~frame[TWIN].to_numpy(bool)]
        if frame.empty:
            found = "every face has a twin in training"
            raise InputError(where, found, "compare on all faces")
    return frame.sort_values("id", ignore_index=True)


def _same_rows(first: pd.DataFrame, frame: pd.DataFrame, where: str) -> None:
    """Refuse rows other than those of the first file."""
    remedy = "compare arms that were judged on the same faces"
    for name in ("dataset", "split"):
        one, other = (str(f[name].iloc[0]) for f in (first, frame))
        if one != other:
            raise InputError(where, f"{name} is {other!r}, of the first arm {one!r}", remedy)
    if len(first) != len(frame):
        found = f"has {len(frame)} faces, the first arm {len(first)}"
        raise InputError(where, found, remedy)
    for name in SAME:
        if (name in first) != (name in frame):
            raise InputError(where, f"only some arms have the column {name}", remedy)
        if name not in first or first[name].equals(frame[name]):
            continue
        wrong = np.flatnonzero(first[name].to_numpy() != frame[name].to_numpy())
        if wrong.size:
            one, other = first[name][wrong[0]], frame[name][wrong[0]]
            found = f"{name} of face {first['id'][wrong[0]]!r} is {other!r}, not {one!r}"
            raise InputError(where, found, remedy)
