"""Scores of windows and of trials that a training logs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.evaluation.metrics import accuracy, confusion_matrix, per_class


def trial_means(values: NDArray[np.floating], trials: NDArray[Any]) -> NDArray[np.float64]:
    """Mean of the rows of each trial, in the order of the sorted trial names.

    Args:
        values: `[n, k]`.
        trials: trial name of each row, `[n]`.

    >>> trial_means(np.array([[0.0, 1.0], [1.0, 1.0], [4.0, 0.0]]), np.array(["a", "a", "b"]))
    array([[0.5, 1. ],
           [4. , 0. ]])
    """
    names, inverse = np.unique(trials, return_inverse=True)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, inverse, values)
    return sums / np.bincount(inverse)[:, None]


def class_scores(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], n_classes: int
) -> dict[str, float]:
    """Accuracy, and recall and F1 as plain means over the classes that occur in the truth.

    Args:
        truth: classes, `[N]`.
        predicted: likewise.
        n_classes: number of classes.

    Returns:
        `accuracy`, `balanced_accuracy` and `macro_f1`, in [0, 1].

    >>> class_scores(np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0]), 3)["balanced_accuracy"]
    0.5
    """
    counts = confusion_matrix(truth, predicted, n_classes)
    each = per_class(counts)
    occurs = each.support > 0
    return {
        "accuracy": float(accuracy(counts)),
        "balanced_accuracy": float(each.recall[occurs].mean()),
        "macro_f1": float(each.f1[occurs].mean()),
    }


def classified(
    probabilities: NDArray[np.floating], truth: NDArray[np.integer], trials: NDArray[Any]
) -> dict[str, float]:
    """`class_scores` over windows and, by mean probabilities, over trials (`..._trial`).

    Args:
        probabilities: `[N, n_classes]`.
        truth: class of each window, the same in all windows of a trial, `[N]`.
        trials: trial of each window, `[N]`.
    """
    n_classes = probabilities.shape[1]
    _, first = np.unique(trials, return_index=True)
    means = trial_means(probabilities, trials)
    whole = class_scores(np.asarray(truth)[first], means.argmax(axis=1), n_classes)
    return class_scores(truth, probabilities.argmax(axis=1), n_classes) | {
        f"{name}_trial": value for name, value in whole.items()
    }
