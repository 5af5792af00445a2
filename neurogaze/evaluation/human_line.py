"""The line of one person: how often one rater agrees with the majority of the others.

Every vote of every picture is held out in turn. What the other votes say is decided by the rule of
FER+ (single votes dropped, more than half, an emotion; see `faces.labels.majority_label`); where
they decide nothing the vote is not counted. A vote for "unknown" or "not a face" is never right.
Pictures are those that the rule keeps with all their votes. No drawing is involved: votes are
counts, so all that fell on one class of a picture are held out together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError
from neurogaze.evaluation import metrics, statistics
from neurogaze.evaluation.results import ResultRow
from neurogaze.evaluation.scoring import Score, group_interval, result_rows
from neurogaze.faces.labels import DROPPED, VOTE_COLUMNS, majority_label

ARM = "one rater"
N_VOTES = len(VOTE_COLUMNS)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HumanLine:
    """Agreement of one rater with the others.

    Args:
        accuracy: share of held-out votes that name the class of the others, and its interval over
            units of pictures.
        balanced_accuracy: the same by class of the others, then the mean over the eight.
        votes: held-out votes that were counted.
        images: pictures they are of.
    """

    accuracy: Score
    balanced_accuracy: Score
    votes: int
    images: int


def held_out_votes(votes: NDArray[np.integer]) -> NDArray[np.int64]:
    """Held-out votes of each picture by (class of the others, class of the vote).

    Args:
        votes: counts of the eight emotions, "unknown" and "NF", `[N, 10]`.

    Returns:
        `int64 [N, 8, 10]`.

    >>> held_out_votes(np.array([[7, 3, 0, 0, 0, 0, 0, 0, 0, 0]]))[0, 0, :2].tolist()
    [7, 3]
    """
    counts = np.asarray(votes, np.int64)
    found = np.zeros((len(counts), metrics.N_CLASSES, N_VOTES), dtype=np.int64)
    for column in range(N_VOTES):
        cast = np.flatnonzero(counts[:, column] > 0)
        others = counts[cast].copy()
        others[:, column] -= 1
        label = majority_label(others)
        decided = label != DROPPED
        rows = cast[decided]
        found[rows, label[decided], column] = counts[rows, column]
    return found


def human_line(
    votes: NDArray[np.integer], seed: int = 0, units: NDArray[Any] | None = None
) -> HumanLine:
    """Agreement of one rater with the others over the pictures that the rule of FER+ keeps.

    Args:
        votes: counts, `[N, 10]`; pictures that the rule drops are left out here.
        seed: of the resampling.
        units: `[N]`; pictures that share a name are resampled together. None: each alone.

    Raises:
        InputError: when the rule keeps no picture.
    """
    rows = majority_label(votes) != DROPPED
    kept, tied = np.asarray(votes)[rows], None if units is None else np.asarray(units)[rows]
    if not len(kept):
        raise InputError("votes", "no picture has a majority", "give the counts of all raters")
    found = held_out_votes(kept)
    each = found.reshape(len(kept), -1).astype(np.float64)
    points = _scores(each.sum(axis=0, keepdims=True))
    spread = _scores(statistics.bootstrap_sums(each, tied, seed))
    scores = {
        name: Score(float(value[0]), *group_interval(spread[name], tied), len(kept))
        for name, value in points.items()
    }
    return HumanLine(**scores, votes=int(found.sum()), images=len(kept))


def _scores(sums: Floats) -> dict[str, Floats]:
    """Both scores of many resamples, each `[R]`."""
    table = sums.reshape(-1, metrics.N_CLASSES, N_VOTES)
    hits = np.diagonal(table, axis1=1, axis2=2)
    of_class = table.sum(axis=2)
    recall = np.divide(hits, of_class, out=np.zeros_like(hits), where=of_class > 0)
    share = hits.sum(axis=1) / np.maximum(of_class.sum(axis=1), 1)
    return {"accuracy": share, "balanced_accuracy": recall.mean(axis=1)}


def human_rows(
    votes: NDArray[np.integer],
    dataset: str,
    context: Mapping[str, Any],
    units: NDArray[Any] | None = None,
) -> list[ResultRow]:
    """The line of one person as result rows, beside those of a student on the same pictures.

    Args:
        votes: counts, `[N, 10]`, of the split.
        dataset: name of the corpus.
        context: any of `scoring.CONTEXT_DEFAULTS`; arm, label rule and note are set here.
        units: as in `human_line`.
    """
    line = human_line(votes, int(context.get("seed", 0)), units)
    note = f"{line.votes:,} votes, each against the majority of the others"
    said = {**context, "arm": ARM, "label_rule": "majority", "note": note, "protocol": "each vote"}
    scores = {"accuracy": line.accuracy, "balanced_accuracy_8way": line.balanced_accuracy}
    return result_rows(scores, dataset, said)
