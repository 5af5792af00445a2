"""Face scores as functions of sums over rows, so that a thousand resamples cost one product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.evaluation import calibration, metrics, soft_labels

Floats = NDArray[np.float64]

CELLS = metrics.N_CLASSES**2
BINS = calibration.N_BINS
PER_CLASS = ("f1", "recall", "precision")


@dataclass(frozen=True, eq=False)
class FaceRows:
    """What was said of each face, and the truth.

    Args:
        truth: class of each row, `[N]`.
        chances: probabilities, `[N, 8]`.
        votes: share of the votes of each class, `[N, 8]`; None where nobody voted.
    """

    truth: NDArray[np.int64]
    chances: Floats
    votes: Floats | None = None


def _one_hot(which: NDArray[np.int64], n: int) -> Floats:
    return np.eye(n)[which]


def face_contributions(rows: FaceRows, present: NDArray[np.bool_]) -> Floats:
    """What each row adds to the sums that all face scores follow from, `[N, S]`.

    S is 64 + 64 + 15 + 2, and 15 + 2 more where there are votes.

    Args:
        rows: what was said, and the truth.
        present: classes of the whole set, `bool [8]`.
    """
    truth, chances = rows.truth, rows.chances
    free = truth * metrics.N_CLASSES + chances.argmax(axis=1)
    among = truth * metrics.N_CLASSES + metrics.restricted_prediction(chances, present)
    confidence = chances.max(axis=1)
    in_bin = _one_hot(calibration.confidence_bins(confidence), BINS)
    gap = (chances.argmax(axis=1) == truth) - confidence
    losses = [calibration.row_nll(truth, chances), calibration.row_brier(truth, chances)]
    columns = [_one_hot(free, CELLS), _one_hot(among, CELLS), in_bin * gap[:, None]]
    if rows.votes is not None:
        gap = soft_labels.vote_share(rows.votes, chances) - confidence
        columns.append(in_bin * gap[:, None])
        losses += [soft_labels.row_jsd(rows.votes, chances)]
        losses += [soft_labels.row_soft_nll(rows.votes, chances)]
    return np.concatenate([*columns, np.stack(losses, axis=1)], axis=1)


def face_scores_of_sums(sums: Floats, present: NDArray[np.bool_]) -> dict[str, Floats]:
    """All face scores of many resamples at once.

    Args:
        sums: column sums of `face_contributions`, `[R, S]`.
        present: classes of the whole set, `bool [8]`.

    Returns:
        The names of `metrics.face_scores`, of `soft_labels.vote_scores` where there are votes, and
        `f1_<emotion>`, `recall_<emotion>` and `precision_<emotion>`, each `[R]`.
    """
    free, among, rest = np.split(sums, [CELLS, 2 * CELLS], axis=1)
    shape = (-1, metrics.N_CLASSES, metrics.N_CLASSES)
    free, among, n = free.reshape(shape), among.reshape(shape), free.sum(axis=1)
    scores = metrics.matrix_scores(free, among, present)
    names = ["nll", "brier"]
    if rest.shape[1] > BINS + len(names):
        names += ["vote_jsd", "soft_nll"]
        scores["ece_votes"] = np.abs(rest[:, BINS : 2 * BINS]).sum(axis=1) / n
    scores["ece"] = np.abs(rest[:, :BINS]).sum(axis=1) / n
    losses = rest[:, -len(names) :]
    scores |= {name: losses[:, column] / n for column, name in enumerate(names)}
    each = metrics.per_class(free)._asdict()
    return scores | {
        f"{score}_{name}": each[score][:, column]
        for score in PER_CLASS
        for column, name in enumerate(EMOTIONS)
    }


def class_drawn(sums: Floats) -> dict[str, NDArray[np.bool_]]:
    """In which resamples the score of a class has faces behind it, as `class_counts` counts them.

    Args:
        sums: column sums of `face_contributions`, `[R, S]`.

    Returns:
        By the name of the score, each `[R]`.
    """
    free = sums[:, :CELLS].reshape(-1, metrics.N_CLASSES, metrics.N_CLASSES)
    support, called = free.sum(axis=2) > 0, free.sum(axis=1) > 0
    drawn = {"f1": support, "recall": support, "precision": called}
    return {
        f"{score}_{name}": drawn[score][:, column]
        for score in PER_CLASS
        for column, name in enumerate(EMOTIONS)
    }


def class_counts(rows: FaceRows) -> dict[str, int]:
    """Faces behind each score of a class: those of the class, or for precision those called so."""
    n = metrics.N_CLASSES
    support = np.bincount(rows.truth, minlength=n)
    called = np.bincount(rows.chances.argmax(axis=1), minlength=n)
    counts = {"f1": support, "recall": support, "precision": called}
    return {
        f"{score}_{name}": int(counts[score][column])
        for score in PER_CLASS
        for column, name in enumerate(EMOTIONS)
    }
