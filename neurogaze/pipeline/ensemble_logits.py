"""Logits of several members as one: pooled on new pictures, gathered over held-out folds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError


def log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logits with row mean 0 that have these probabilities, `[n, 8]`.

    >>> log_odds(np.array([[0.5, 0.5]])).tolist()
    [[0.0, 0.0]]
    """
    logs = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    return np.asarray(logs - logs.mean(axis=1, keepdims=True))


def together(logits: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Probabilities of the mean logits of several members, `[n, 8]`.

    >>> together([np.log([[0.8, 0.2]]), np.log([[0.2, 0.8]])]).round(12).tolist()
    [[0.5, 0.5]]
    """
    mean = np.mean([np.asarray(part, np.float64) for part in logits], axis=0)
    chances = np.exp(mean - mean.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def stored_logits(path: Path) -> NDArray[np.float64]:
    """Read the logits of one member, `[n, 8]`."""
    with np.load(path, allow_pickle=False) as arrays:
        return np.asarray(arrays["logits"], np.float64)


def gathered(paths: Sequence[Path]) -> dict[str, NDArray]:
    """Mean held-out logits of each picture over the members that never saw it.

    Args:
        paths: files of `ids [n]` and `logits [n, 8]`; every picture is in as many as there are
            members a fold.

    Returns:
        `ids` sorted, `logits` float16 `[N, 8]`, and `labels [8]`, what the columns mean.

    Raises:
        InputError: when a picture has fewer opinions than another.
    """
    ids, logits = [], []
    for path in paths:
        with np.load(path, allow_pickle=False) as arrays:
            ids.append(arrays["ids"])
            logits.append(arrays["logits"])
    names, which, counts = np.unique(np.concatenate(ids), return_inverse=True, return_counts=True)
    if np.ptp(counts):
        found = f"hold {counts.min()} opinions of one picture and {counts.max()} of another"
        raise InputError("held-out logits", found, "delete the run and make it again")
    sums = np.zeros((len(names), np.concatenate(logits).shape[1]))
    np.add.at(sums, which, np.concatenate(logits))
    mean = (sums / counts[:, None]).astype(np.float16)
    return {"ids": names, "logits": mean, "labels": np.array(EMOTIONS)}


def class_means(embedding: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Mean unit embedding of each class, `float32 [8, D]`; zeros for a class without a picture.

    Args:
        embedding: `[n, D]`.
        labels: `int64 [n]`.
    """
    lengths = np.linalg.norm(embedding, axis=1, keepdims=True)
    member = np.eye(len(EMOTIONS))[labels]
    sums = member.T @ (embedding / np.maximum(lengths, np.finfo(np.float32).tiny))
    return (sums / np.maximum(member.sum(axis=0), 1)[:, None]).astype(np.float32)


def gathered_means(paths: Sequence[Path]) -> dict[str, NDArray]:
    """Class means of every member, each in its own space.

    Args:
        paths: files of `class_means [8, D]`, one a member.

    Returns:
        `means` float32 `[members, 8, D]`, and `labels [8]`, what the rows mean.
    """
    means = []
    for path in paths:
        with np.load(path, allow_pickle=False) as arrays:
            means.append(arrays["class_means"])
    return {"means": np.stack(means), "labels": np.array(EMOTIONS)}
