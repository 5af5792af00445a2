"""Can a grid tell at all whether EEG helps? The conditions set before any student is trained."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np

from neurogaze.affect import EMOTIONS, anchors, cell_index
from neurogaze.prototypes.grid import PrototypeGrid

LEAST_PEOPLE = 3
"""People that the cell of a class needs."""

LEAST_CELLS = 8
"""Cells of a grid that must not be empty."""

LEAST_RANK = 4.0
"""Effective rank of the Gram matrix that a grid needs."""


def anchor_cells(size: int) -> dict[str, int]:
    """Cell of the anchor of each emotion.

    >>> anchor_cells(5)["neutral"], anchor_cells(5)["happiness"]
    (12, 19)
    """
    return dict(zip(EMOTIONS, cell_index(anchors(), size).tolist(), strict=True))


def testable(grid: PrototypeGrid, teacher_beats_chance: bool | None) -> list[str]:
    """Reasons why a grid cannot tell whether EEG helps; none: it can.

    Args:
        grid: a grid made from recordings.
        teacher_beats_chance: whether its teacher lies above the simulated chance band; None where
            that is not known, which is no reason by itself.
    """
    cells = anchor_cells(grid.size)
    empty = [name for name, cell in cells.items() if grid.counts[cell] == 0]
    few = [n for n, c in cells.items() if n not in empty and grid.n_subjects[c] < LEAST_PEOPLE]
    observed = int(np.count_nonzero(grid.counts))
    reasons = []
    if empty:
        reasons.append(f"the cell of {_listed(empty)} is empty")
    if few:
        reasons.append(f"the cell of {_listed(few)} holds fewer than {LEAST_PEOPLE} people")
    if observed < LEAST_CELLS:
        reasons.append(f"only {observed} of {len(grid.counts)} cells are not empty")
    if grid.gram_rank < LEAST_RANK:
        rank = f"{grid.gram_rank:.2f}"
        reasons.append(f"the effective rank of the prototypes is {rank}, below {LEAST_RANK:g}")
    if teacher_beats_chance is False:
        reasons.append("the teacher does not lie above simulated chance")
    return reasons


def over_grids(reasons: Sequence[Sequence[str]]) -> list[str]:
    """Reasons of several grids in one list, each told once with the number of grids it holds of.

    Reasons that differ by a number alone are one; the first of them is quoted.

    Args:
        reasons: of each grid, as `testable` gives them.

    >>> over_grids([["only 7 of 25 cells are not empty"], ["only 6 of 25 cells are not empty"]])
    ['only 7 of 25 cells are not empty (in 2 of 2 grids)']
    """
    if len(reasons) == 1:
        return list(reasons[0])
    quoted: dict[str, str] = {}
    counted: Counter[str] = Counter()
    for reason in chain.from_iterable(reasons):
        kind = re.sub(r"[\d.]+", "#", reason)
        quoted.setdefault(kind, reason)
        counted[kind] += 1
    return [f"{quoted[k]} (in {n} of {len(reasons)} grids)" for k, n in counted.items()]


def verdict(reasons: list[str]) -> str:
    """The sentence that a summary begins with.

    >>> verdict(["the cell of happiness is empty"])
    'Not testable with this grid: the cell of happiness is empty.'
    """
    if reasons:
        return f"Not testable with this grid: {'; '.join(reasons)}."
    return "Testable with this grid: nothing that was checked speaks against it."


def _listed(names: list[str]) -> str:
    """Names in a sentence."""
    return " and of ".join(filter(None, [", of ".join(names[:-1]), names[-1]]))
