"""Scores of faces averaged over the seeds of an arm, each with its spread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from neurogaze.evaluation.results import ResultRow, noted
from neurogaze.report.runs import runs
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
        run: "" for an arm over its seeds. Where a seed of it was trained more than once, as in
            several runs in one folder, no row says which seeds belong together: every training is
            then a line of its own, and this names it.
    """

    experiment: str
    dataset: str
    split: str
    label_rule: str
    protocol: str
    arm: str
    run: str = ""

    @property
    def name(self) -> str:
        """The arm, with its run where there are several."""
        return f"{self.arm} ({self.run})" if self.run else self.arm


class Mean(NamedTuple):
    """One score over seeds.

    Attributes:
        value: mean over seeds.
        sd: sample standard deviation over seeds; None with one.
        low: mean of the lower ends of the single intervals, over people or pictures; None where a
            seed has none.
        high: mean of the upper ends.
        n_seeds: seeds behind it.
        n: faces that each seed was judged by; their mean where seeds differ, as in precision.
        note: what must be said of any of them, each once.
    """

    value: float
    sd: float | None
    low: float | None
    high: float | None
    n_seeds: int
    n: int
    note: str = ""

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
    faces = [row for row in dict.fromkeys(rows) if not is_eeg(row)]
    found: Found = {}
    for row, run in zip(faces, runs(faces), strict=True):
        shared = (row.experiment, row.dataset, row.split, row.label_rule, row.protocol, row.arm)
        found.setdefault(Arm(*shared, run), {}).setdefault(row.metric, []).append(row)
    return found


def mean(rows: Sequence[ResultRow]) -> Mean:
    """The mean of one score over its seeds.

    A seed without a face behind its score, such as the precision of a class that it never named,
    has none, and the note says so.

    Args:
        rows: one a seed, at least one.
    """
    judged = [row for row in rows if row.n] or rows
    values = [row.value for row in judged]
    lows, highs = ([getattr(row, end) for row in judged] for end in ("low", "high"))
    known = all(end is not None for end in [*lows, *highs])
    few = f"{judged[0].metric}: {len(judged)} of {len(rows)} seeds have one"
    return Mean(
        value=float(np.mean(values)),
        sd=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        low=float(np.mean(lows)) if known else None,
        high=float(np.mean(highs)) if known else None,
        n_seeds=len(judged),
        n=round(np.mean([row.n for row in judged])),
        note=joined([*(row.note for row in rows), few if len(judged) < len(rows) else ""]),
    )


def joined(notes: Iterable[str]) -> str:
    """Notes as one, each part of them once.

    >>> joined(["a; b", "", "b; c"])
    'a; b; c'
    """
    return noted(*dict.fromkeys(part for note in notes for part in note.split("; ")))


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
    for arm, scores in by_arm(rows).items():
        for own in scores.values():
            kept.append(_averaged(arm, own) if len(own) > 1 else replace(own[0], arm=arm.name))
    return kept


def _averaged(arm: Arm, rows: Sequence[ResultRow]) -> ResultRow:
    """One row in place of several seeds."""
    over = mean(rows)
    return replace(
        rows[0],
        arm=f"{arm.name} (mean of {len(rows)} seeds)",
        value=over.value,
        low=over.low,
        high=over.high,
        n=over.n,
        note=over.note,
        seed=0,
        config_hash="",
        grid_hash="",
    )
