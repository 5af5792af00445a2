"""Scores of faces averaged over the seeds of an arm, each with its spread."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from neurogaze.evaluation.results import ResultRow
from neurogaze.report.tables import fixed, is_eeg


class Arm(NamedTuple):
    """What results over several seeds share.

    Attributes:
        experiment: name of the experiment.
        dataset: data as really used.
        split: part of it.
        label_rule: how labels were made.
        protocol: how the arm was trained and looked at pictures.
        arm: what was varied.
        repeat: 0; above where a seed of the same name was run again, as in several runs in one
            folder.
    """

    experiment: str
    dataset: str
    split: str
    label_rule: str
    protocol: str
    arm: str
    repeat: int = 0


class Mean(NamedTuple):
    """One score over seeds.

    Attributes:
        value: mean over seeds.
        sd: sample standard deviation over seeds; None with one.
        low: mean of the lower ends of the single intervals, over people or pictures; None where a
            seed has none.
        high: mean of the upper ends.
        n_seeds: seeds behind it.
        n: faces that each seed was judged by.
    """

    value: float
    sd: float | None
    low: float | None
    high: float | None
    n_seeds: int
    n: int

    def written(self, digits: int = 1, interval: bool = True) -> str:
        """In per cent, as "84.1 ± 0.4 [82.9, 85.3]"; without what there is not.

        Args:
            digits: after the decimal point.
            interval: whether to add it.
        """
        text = fixed(100 * self.value, digits)
        if self.sd is not None:
            text += f" ± {fixed(100 * self.sd, digits)}"
        if interval and self.low is not None and self.high is not None:
            text += f" [{fixed(100 * self.low, digits)}, {fixed(100 * self.high, digits)}]"
        return text


Scores = dict[str, Mean]
Found = dict[Arm, dict[str, list[ResultRow]]]


def by_arm(rows: Iterable[ResultRow]) -> Found:
    """Results of faces by arm and metric, one row a seed; a row that is there twice counts once.

    Args:
        rows: results; those of recordings are passed over.
    """
    found: Found = {}
    for row in dict.fromkeys(rows):
        if is_eeg(row):
            continue
        shared = (row.experiment, row.dataset, row.split, row.label_rule, row.protocol, row.arm)
        repeat = 0
        while any(r.seed == row.seed for r in _rows(found, Arm(*shared, repeat), row.metric)):
            repeat += 1
        found.setdefault(Arm(*shared, repeat), {}).setdefault(row.metric, []).append(row)
    return found


def _rows(found: Found, arm: Arm, metric: str) -> list[ResultRow]:
    return found.get(arm, {}).get(metric, [])


def mean(rows: Sequence[ResultRow]) -> Mean:
    """The mean of one score over its seeds.

    Args:
        rows: one a seed, at least one.
    """
    values = [row.value for row in rows]
    lows, highs = ([getattr(row, end) for row in rows] for end in ("low", "high"))
    known = all(end is not None for end in [*lows, *highs])
    return Mean(
        value=float(np.mean(values)),
        sd=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        low=float(np.mean(lows)) if known else None,
        high=float(np.mean(highs)) if known else None,
        n_seeds=len(rows),
        n=rows[0].n,
    )


def means(rows: Iterable[ResultRow]) -> dict[Arm, Scores]:
    """Scores over seeds of every arm, in the order the arms came.

    Args:
        rows: results; those of recordings are passed over.
    """
    return {
        arm: {metric: mean(own) for metric, own in scores.items()}
        for arm, scores in by_arm(rows).items()
    }


def has_seeds(rows: Iterable[ResultRow]) -> bool:
    """Whether any arm on faces was run with several seeds."""
    return any(m.n_seeds > 1 for scores in means(rows).values() for m in scores.values())


def averaged(rows: Sequence[ResultRow]) -> list[ResultRow]:
    """Results of faces with one row in place of the seeds of an arm, named so.

    Args:
        rows: results; those of recordings, and arms with one seed, stay as they are.
    """
    kept = [row for row in rows if is_eeg(row)]
    for scores in by_arm(rows).values():
        for own in scores.values():
            over, first = mean(own), own[0]
            named = f"{first.arm} (mean of {len(own)} seeds)" if len(own) > 1 else first.arm
            values = {"value": over.value, "low": over.low, "high": over.high, "arm": named}
            same = {"config_hash": "", "grid_hash": "", "seed": 0} if len(own) > 1 else {}
            kept.append(dataclasses.replace(first, **values, **same))  # type: ignore[arg-type]
    return kept
