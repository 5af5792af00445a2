"""Ratings as classes, the way the literature cuts them.

Where the cut lies changes the task: a rating in the middle of its scale is "low" under `above` and
"high" under `at_least`. The rule therefore travels with every number it leads to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.table import RATINGS, FeatureTable
from neurogaze.errors import InputError

Axis = Literal["valence", "arousal", "dominance", "label"]
Rule = Literal["above", "at_least", "median"]

LEVEL_TOLERANCE = 1e-6


@dataclass(frozen=True)
class ClassTarget:
    """What a classifier tells apart.

    Args:
        axis: a rating, or "label" for the classes of the corpus.
        n_classes: 2 = low and high; 5 and 9 = equal levels of the scale, the centre of the first at
            -1 and of the last at 1 (the integer ratings of DREAMER, and of DEAP and MAHNOB-HCI);
            3 = the classes -1, 0, 1 of SEED, or three equal parts of a rating.
        rule: for 2 classes: high is `above` the middle of the scale, or `at_least` the middle, or
            above the `median` over the rating events of the training fold.

    Raises:
        InputError: for an unknown axis or rule, or a number of classes that is not offered.
    """

    axis: Axis = "valence"
    n_classes: int = 2
    rule: Rule = "above"

    def __post_init__(self) -> None:
        """Refuse settings that have no meaning."""
        if self.axis not in (*RATINGS, "label"):
            raise InputError("axis", f"{self.axis!r} is unknown", f"use {RATINGS} or label")
        if self.n_classes not in (2, 3, 5, 9):
            raise InputError("n_classes", f"{self.n_classes} is not offered", "use 2, 3, 5 or 9")
        if self.rule not in ("above", "at_least", "median"):
            raise InputError("rule", f"{self.rule!r} is unknown", "use above, at_least or median")

    @property
    def name(self) -> str:
        """What a result row says of it, such as `valence, 2 classes, above`."""
        rule = f", {self.rule}" if self.n_classes == 2 and self.axis != "label" else ""
        return f"{self.axis}, {self.n_classes} classes{rule}"


def threshold(table: FeatureTable, rows: NDArray[np.integer], target: ClassTarget) -> float:
    """Rating that divides low from high, on [-1, 1].

    Args:
        table: windows with ratings.
        rows: rows of the training fold; only `median` looks at them, one rating an event.
        target: axis and rule.

    Raises:
        InputError: for `median` without a rated training row.
    """
    if target.rule != "median":
        return 0.0
    ratings = getattr(table, target.axis)[rows]
    _, first = np.unique(table.event[rows], return_index=True)
    known = ratings[first][np.isfinite(ratings[first])]
    if not known.size:
        raise InputError(f"corpus {table.corpus}", f"no {target.axis} rating", "use another axis")
    return float(np.median(known))


def classes(table: FeatureTable, target: ClassTarget, cut: float = 0.0) -> NDArray[np.int64]:
    """Class of every window, `int64 [N]`; -1 where nothing is known.

    Args:
        table: windows.
        target: what to tell apart.
        cut: see `threshold`; used for two classes of a rating.

    Raises:
        InputError: for a label outside 0 to n_classes - 1.
    """
    if target.axis == "label":
        if table.label.max(initial=-1) >= target.n_classes:
            found = f"label {table.label.max()} with {target.n_classes} classes"
            raise InputError(f"corpus {table.corpus}", found, "raise n_classes")
        return table.label
    ratings = getattr(table, target.axis)
    known = np.isfinite(ratings)
    values = np.where(known, ratings, 0.0)
    if target.n_classes == 2:
        at_least = target.rule == "at_least"
        high = values >= cut - LEVEL_TOLERANCE if at_least else values > cut + LEVEL_TOLERANCE
        return np.where(known, high, -1).astype(np.int64)
    if target.n_classes == 3:
        level = np.floor((values + 1) * 1.5)
    else:
        level = np.floor((values + 1) / 2 * (target.n_classes - 1) + 0.5)
    return np.where(known, np.clip(level, 0, target.n_classes - 1), -1).astype(np.int64)
