"""Scores of perceived expression and of valence/arousal, each from its stated definition.

Everything about classes comes from the integer confusion matrix. Three ways of treating a class
that a data set does not hold are kept apart by name:

* `..._8way`: the mean is over all eight; an absent class counts 0.
* `present_averaged_...`: prediction is free, the mean is over the classes that occur.
* `present_restricted_...`: prediction is the best among the classes that occur. It uses the label
  set of the target data, which a deployed model does not know.

Pure NumPy, because training tasks import it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.evaluation import calibration

N_CLASSES = len(EMOTIONS)
VA_METRICS = ("ccc", "rmse", "pearson")
VA_AXES = ("valence", "arousal")

Floats = NDArray[np.float64]


class PerClass(NamedTuple):
    """Scores of each class, `[..., classes]`; 0 where a score is 0/0.

    Attributes:
        f1: harmonic mean of precision and recall.
        recall: share of the rows of the class that were found.
        precision: share of the rows called so that are so.
        support: rows of the class.
    """

    f1: Floats
    recall: Floats
    precision: Floats
    support: Floats


def _ratio(above: Floats, below: Floats) -> Floats:
    """Element-wise quotient, 0 where the divisor is 0."""
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=below > 0)


def check_classes(name: str, classes: NDArray, n: int = N_CLASSES) -> None:
    """Refuse what is no class: as an index, -1 of a dropped row is the last class.

    Args:
        name: of the array, for the error.
        classes: `[N]`.
        n: number of classes.

    Raises:
        InputError: for numbers that are not whole, or outside `[0, n)`.
    """
    if classes.dtype.kind not in "iu":
        found = f"are {classes.dtype}, not whole numbers"
        raise InputError(name, found, "give the number of the class of each row")
    outside = classes[(classes < 0) | (classes >= n)]
    if outside.size:
        found = f"class {outside[0]} is not in 0..{n - 1}"
        raise InputError(name, found, "leave out rows without a class")


def confusion_matrix(
    truth: NDArray[np.integer], prediction: NDArray[np.integer], n: int = N_CLASSES
) -> NDArray[np.int64]:
    """Count rows by (true class, predicted class).

    Args:
        truth: classes in `[0, n)`, `[N]`.
        prediction: likewise.
        n: number of classes.

    Returns:
        `int64 [n, n]`, truth down, prediction across.

    Raises:
        InputError: for a class outside `[0, n)` or lengths that differ.

    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 1, 0]), n=2).tolist()
    [[1, 0], [1, 1]]
    """
    truth, prediction = np.asarray(truth, np.int64), np.asarray(prediction, np.int64)
    if truth.shape != prediction.shape:
        found = f"shapes {truth.shape} and {prediction.shape} differ"
        raise InputError("truth and prediction", found, "give one prediction a row")
    for name, values in (("truth", truth), ("prediction", prediction)):
        check_classes(name, values, n)
    return np.bincount(truth * n + prediction, minlength=n * n).reshape(n, n).astype(np.int64)


def per_class(confusion: NDArray[np.integer] | Floats) -> PerClass:
    """F1, recall, precision and support of each class.

    Args:
        confusion: `[..., n, n]`, truth down, prediction across; leading axes are kept.
    """
    counts = np.asarray(confusion, dtype=np.float64)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    support, called = counts.sum(axis=-1), counts.sum(axis=-2)
    return PerClass(
        f1=_ratio(2 * hits, support + called),
        recall=_ratio(hits, support),
        precision=_ratio(hits, called),
        support=support,
    )


def accuracy(confusion: NDArray[np.integer] | Floats) -> Floats:
    """Share of rows on the diagonal of `[..., n, n]`."""
    counts = np.asarray(confusion, dtype=np.float64)
    hits = np.trace(counts, axis1=-2, axis2=-1)
    return _ratio(np.asarray(hits), counts.sum(axis=(-2, -1)))


def macro_f1_8way(confusion: NDArray[np.integer] | Floats) -> Floats:
    """Mean F1 over all classes of `[..., n, n]`; a class that is absent and never named counts 0.

    scikit-learn: `f1_score(labels=range(8), average="macro", zero_division=0)`.
    """
    return np.asarray(per_class(confusion).f1.mean(axis=-1))


def balanced_accuracy_8way(confusion: NDArray[np.integer] | Floats) -> Floats:
    """Mean recall over all classes of `[..., n, n]`; an absent class counts 0.

    scikit-learn: `recall_score(labels=range(8), average="macro", zero_division=0)`.
    """
    return np.asarray(per_class(confusion).recall.mean(axis=-1))


def matrix_scores(
    confusion: NDArray[np.integer] | Floats,
    restricted: NDArray[np.integer] | Floats,
    present: NDArray[np.bool_],
) -> dict[str, Floats]:
    """Scores that follow from the confusion matrices alone.

    Args:
        confusion: of the free prediction, `[..., 8, 8]`; leading axes are kept.
        restricted: of the prediction among present classes, same shape.
        present: which classes the data set holds, `bool [8]`. Fixed by the caller, so that a
            resample that misses a class is scored over the same classes.
    """
    free, among = per_class(confusion), per_class(restricted)
    return {
        "accuracy": accuracy(confusion),
        "macro_f1_8way": macro_f1_8way(confusion),
        "balanced_accuracy_8way": balanced_accuracy_8way(confusion),
        "present_restricted_accuracy": accuracy(restricted),
        "present_restricted_macro_f1": among.f1[..., present].mean(axis=-1),
        "present_restricted_balanced_accuracy": among.recall[..., present].mean(axis=-1),
        "present_averaged_macro_f1": free.f1[..., present].mean(axis=-1),
        "present_averaged_balanced_accuracy": free.recall[..., present].mean(axis=-1),
    }


SUM_TOLERANCE = 1e-3
"""By which eight probabilities in half precision may miss 1."""
ROUNDING = 1e-13
"""Share of the largest value by which equal values may differ after they were averaged."""


def present_classes(truth: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which of the eight classes occur in `truth`, `bool [8]`."""
    return np.bincount(truth, minlength=N_CLASSES)[:N_CLASSES] > 0


def restricted_prediction(
    probabilities: NDArray[np.floating], present: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Most probable class among those present, `int64 [N]`."""
    return np.where(present, probabilities, -1.0).argmax(axis=1)


def face_scores(
    truth: NDArray[np.integer], probabilities: NDArray[np.floating]
) -> dict[str, float]:
    """Every score of perceived expression that needs only labels and probabilities.

    Args:
        truth: class of each row in the order of `EMOTIONS`, `[N]`.
        probabilities: `[N, 8]`, rows sum to 1.

    Returns:
        `accuracy`, `macro_f1_8way`, `balanced_accuracy_8way`, `present_restricted_accuracy`,
        `..._macro_f1`, `..._balanced_accuracy`, `present_averaged_macro_f1`,
        `..._balanced_accuracy` and `ece`, all in [0, 1]; `nll` in nats; `brier` in [0, 2].

    Raises:
        InputError: for no rows, shapes that do not belong together, or rows that are no
            probabilities.
    """
    truth, chances = np.asarray(truth, np.int64), np.asarray(probabilities, np.float64)
    if truth.size == 0 or chances.shape != (truth.size, N_CLASSES):
        found = f"{truth.shape} labels against probabilities {chances.shape}"
        raise InputError("face scores", found, f"give one row of {N_CLASSES} for each label")
    _refuse_no_chances(chances)
    free = confusion_matrix(truth, chances.argmax(axis=1))
    present = present_classes(truth)
    restricted = confusion_matrix(truth, restricted_prediction(chances, present))
    scores = matrix_scores(free, restricted, present)
    return {name: float(value) for name, value in scores.items()} | {
        "nll": calibration.negative_log_likelihood(truth, chances),
        "brier": calibration.brier_score(truth, chances),
        "ece": calibration.expected_calibration_error(truth, chances),
    }


def _refuse_no_chances(chances: Floats) -> None:
    """Refuse rows that are no probabilities: of logits, accuracy would be right and ECE not."""
    wrong = ~(chances >= 0).all(axis=1) | ~np.isclose(chances.sum(axis=1), 1, atol=SUM_TOLERANCE)
    if wrong.any():
        row = int(wrong.argmax())
        found = f"row {row} holds {chances[row].min():g} to {chances[row].max():g} and sums to "
        remedy = "give probabilities, such as the softmax of logits"
        raise InputError("face scores", f"{found}{chances[row].sum():g}", remedy)


def constant(values: NDArray[np.floating]) -> bool:
    """Whether values differ by no more than what a mean of equal ones is rounded by.

    >>> constant(np.array([0.1, (0.1 + 0.1 + 0.1) / 3])), constant(np.array([0.0, 1e-9]))
    (True, False)
    """
    return bool(np.ptp(values) <= ROUNDING * np.abs(values).max())


def concordance(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Concordance correlation coefficient of Lin (1989), with population moments.

    Returns:
        `2 cov(x, y) / (var x + var y + (mean x - mean y)^2)`; 0 when both are constant,
        and when only one is, since then the covariance is 0.

    >>> concordance(np.array([0.0, 1.0]), np.array([1.0, 2.0])), concordance(np.ones(3), np.ones(3))
    (0.3333333333333333, 0.0)
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if constant(x) or constant(y):
        return 0.0  # exactly, not the rounding error of a mean
    covariance = np.mean((x - x.mean()) * (y - y.mean()))
    return float(2 * covariance / (x.var() + y.var() + (x.mean() - y.mean()) ** 2))


def rmse(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Root of the mean squared difference, in the unit of the values."""
    difference = np.asarray(x, np.float64) - np.asarray(y, np.float64)
    return float(np.sqrt(np.mean(difference**2)))


def pearson(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Linear correlation; 0 when either is constant."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if constant(x) or constant(y):
        return 0.0
    covariance = np.mean((x - x.mean()) * (y - y.mean()))
    return float(covariance / (x.std() * y.std()))


def va_scores(truth: NDArray[np.floating], prediction: NDArray[np.floating]) -> dict[str, float]:
    """Agreement of valence and arousal with their ratings.

    Args:
        truth: (valence, arousal) in [-1, 1], `[N, 2]`.
        prediction: likewise.

    Returns:
        `valence_ccc`, `valence_rmse`, `valence_pearson`, and the same of arousal.

    Raises:
        InputError: for no rows, or shapes that are not `[N, 2]` alike.
    """
    scores: dict[str, float] = {}
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.size == 0 or truth.shape != prediction.shape or truth.shape[1:] != (len(VA_AXES),):
        found = f"{truth.shape} ratings against predictions {prediction.shape}"
        raise InputError("valence and arousal", found, "give a pair of both for each rating")
    for column, axis in enumerate(VA_AXES):
        pair = prediction[:, column], truth[:, column]
        scores[f"{axis}_ccc"] = concordance(*pair)
        scores[f"{axis}_rmse"] = rmse(*pair)
        scores[f"{axis}_pearson"] = pearson(*pair)
    return scores
