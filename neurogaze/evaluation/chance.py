"""What ridge regression reaches on held-out data when the ratings mean nothing.

Chance under a split is simulated, not assumed: ratings are exchanged between rating events and the
whole procedure, choice of the penalty included, is run again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.folds import Split
from neurogaze.eeg.table import FeatureTable
from neurogaze.errors import InputError
from neurogaze.evaluation.metrics import concordance
from neurogaze.evaluation.ridge import (
    Events,
    Index,
    Matrix,
    RidgeFold,
    RidgeResult,
    ridge_folds,
    ridge_predictions,
)

__all__ = ["RidgeResult", "permuted_events", "ridge_predictions", "simulated_chance"]

BAND = (0.005, 0.995)
"""Quantiles of the 99 % band."""

Scheme = Literal["within_subject", "joint_clip"]


def simulated_chance(
    table: FeatureTable,
    split: Split,
    n_permutations: int = 200,
    scheme: Scheme = "joint_clip",
    seed: int = 0,
    progress: bool = True,
    chosen: Sequence[int] | None = None,
) -> dict[str, tuple[float, float]]:
    """The 99 % band of held-out concordance over trial means when ratings mean nothing.

    Args:
        table: windows with ratings.
        split: folds, the same for every permutation.
        n_permutations: refits.
        scheme: "within_subject" exchanges the ratings of each person's events; "joint_clip" renames
            the clips, in the same way for everybody.
        seed: of the permutations.
        progress: show a bar.
        chosen: numbers of the folds to take; None: all.

    Returns:
        (low, high) under "valence" and "arousal".

    Raises:
        InputError: for a split of other data, or an unknown scheme.
    """
    from rich.progress import track

    if scheme not in ("within_subject", "joint_clip"):
        raise InputError("scheme", f"{scheme!r} is unknown", "use within_subject or joint_clip")
    events = Events.of(table)
    folds = ridge_folds(table, split, events, chosen)
    draw = np.random.default_rng(seed)
    steps = track(range(n_permutations), "Chance", disable=not progress)
    values = [
        _agreement(
            folds, events.ratings[permuted_events(events.subject, events.clip, scheme, draw)]
        )
        for _ in steps
    ]
    low, high = np.quantile(values, BAND, axis=0)
    return {
        "valence": (float(low[0]), float(high[0])),
        "arousal": (float(low[1]), float(high[1])),
    }


def permuted_events(
    subject: NDArray[np.str_], clip: NDArray[np.str_], scheme: Scheme, draw: np.random.Generator
) -> Index:
    """For each event, the event of the same person whose rating it is given.

    Args:
        subject: text `[E]`, person of each event.
        clip: text `[E]`, clip of each event.
        scheme: see `simulated_chance`. A person who lacks some clips gets the order that the new
            names of the clips put the others in.
        draw: source of the permutation.
    """
    clips, code = np.unique(clip, return_inverse=True)
    key = draw.permutation(len(clips))[code] if scheme == "joint_clip" else draw.random(len(code))
    source = np.empty(len(code), dtype=np.int64)
    for name in np.unique(subject):
        own = np.flatnonzero(subject == name)
        source[own[np.argsort(code[own], kind="stable")]] = own[np.argsort(key[own], kind="stable")]
    return source


def _agreement(folds: list[RidgeFold], ratings: Matrix) -> list[float]:
    """Concordance of valence and of arousal over the trial means of all folds."""
    guesses, truths = [], []
    for fold in folds:
        mean, coefficients = fold.fit(ratings)
        guesses.append(mean + fold.test.means @ coefficients)
        truths.append(ratings[fold.test.event])
    guess, truth = np.concatenate(guesses), np.concatenate(truths)
    return [concordance(truth[:, j], guess[:, j]) for j in (0, 1)]
