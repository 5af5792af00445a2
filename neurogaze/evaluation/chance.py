"""What a model reaches on held-out data when the ratings mean nothing.

Chance under a split is simulated, not assumed: ratings are exchanged between rating events and the
whole procedure, choice of the penalty included, is run again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurogaze.eeg.folds import Split
from neurogaze.eeg.table import FeatureTable
from neurogaze.eeg.targets import Rule
from neurogaze.errors import InputError
from neurogaze.evaluation.binary import decision_cut, trial_scores
from neurogaze.evaluation.logistic import logistic_frame
from neurogaze.evaluation.metrics import VA_AXES, va_scores
from neurogaze.evaluation.permutations import (
    Scheme,
    check_scheme,
    permuted_events,
    permuted_table,
)
from neurogaze.evaluation.ridge import (
    Events,
    Index,
    Matrix,
    RidgeFold,
    RidgeResult,
    ridge_folds,
    ridge_predictions,
)
from neurogaze.evaluation.two_class import binary_scores
from neurogaze.progress import tracked

__all__ = [
    "Band",
    "RidgeResult",
    "Scheme",
    "band_of",
    "few_note",
    "logistic_chance",
    "permuted_events",
    "permuted_table",
    "refit_note",
    "ridge_predictions",
    "simulated_chance",
    "teacher_chance",
]

BAND = (0.005, 0.995)
"""Quantiles of the 99 % band."""

ENOUGH = 200
"""Permutations from which on such quantiles are what they are called."""

Band = tuple[float, float]
"""Lower and upper end."""


def simulated_chance(
    table: FeatureTable,
    split: Split,
    n_permutations: int = 200,
    scheme: Scheme = "joint_clip",
    seed: int = 0,
    progress: bool = True,
    chosen: Sequence[int] | None = None,
    rule: Rule | None = None,
) -> dict[str, Band]:
    """The 99 % bands of ridge over trial means of held-out windows when ratings mean nothing.

    Args:
        table: windows with ratings.
        split: folds, the same for every permutation.
        n_permutations: refits.
        scheme: how ratings are exchanged.
        seed: of the permutations.
        progress: show a bar.
        chosen: numbers of the folds to take; None: all.
        rule: also cut the exchanged ratings in two and let a prediction above the same cut mean
            high; None: no bands of decisions.

    Returns:
        (low, high) by the name of the metric in a result row: `valence_ccc_trial`, `_rmse_`,
        `_pearson_` and, with a rule, `_accuracy_`, `_balanced_accuracy_`, `_macro_f1_`, `_auroc_`;
        likewise of arousal.

    Raises:
        InputError: for a split of other data, or an unknown scheme.
    """
    check_scheme(scheme)
    events = Events.of(table)
    folds = ridge_folds(table, split, events, chosen)
    trials = Trials.of(table, folds)
    draw = np.random.default_rng(seed)
    with tracked(range(n_permutations), "Chance", shown=progress) as steps:
        values = [
            _scores(
                folds,
                trials,
                events.ratings[permuted_events(events.subject, events.clip, scheme, draw)],
                rule,
            )
            for _ in steps
        ]
    return _limits(values, BAND)


def logistic_chance(
    table: FeatureTable,
    split: Split,
    rule: Rule,
    n_permutations: int = 200,
    scheme: Scheme = "joint_clip",
    seed: int = 0,
    progress: bool = True,
) -> dict[str, Band]:
    """The 99 % bands of logistic regression over trial means when ratings mean nothing.

    Args:
        table: windows with ratings.
        split: folds, the same for every permutation.
        rule: where ratings are cut.
        n_permutations: refits, choice of the penalty included.
        scheme: how ratings are exchanged.
        seed: of the permutations.
        progress: show a bar.

    Returns:
        (low, high) by name, such as `valence_auroc_trial`.

    Raises:
        InputError: for a split of other data, or an unknown scheme.
    """
    from rich.progress import track

    seeds = np.random.SeedSequence(seed).generate_state(n_permutations).tolist()
    values = [
        trial_scores(
            logistic_frame(permuted_table(table, scheme, own), split, rule, progress=False)
        )
        for own in track(seeds, "Chance of logistic regression", disable=not progress)
    ]
    return _limits(values, BAND)


def teacher_chance(values: Sequence[Mapping[str, float]]) -> dict[str, Band]:
    """The band that one more refit on exchanged ratings falls into with 99 %, from a few.

    So few refits have no half percent quantile, and the range of twenty holds the next one nine
    times in ten only. Their scores are taken for normal: mean +- t s sqrt(1 + 1/n), Student's
    prediction interval. A mean over seeds varies less than one refit, so the band is on the safe
    side for it.

    Args:
        values: scores by name, of each refit. A name that some refit lacks is left out.

    Raises:
        InputError: with fewer than two refits.
    """
    if len(values) < 2:
        found, remedy = f"{len(values)} refits tell no spread", "refit on exchanged ratings twice"
        raise InputError("chance", found, remedy)
    names = [name for name in values[0] if all(name in value for value in values)]
    return {name: prediction_band([value[name] for value in values]) for name in names}


def prediction_band(values: Sequence[float] | NDArray[np.float64]) -> Band:
    """Student's 99 % prediction interval for one more value.

    Args:
        values: two or more.
    """
    from scipy.stats import t

    n, mean = len(values), float(np.mean(values))
    half = t.ppf(BAND[1], n - 1) * float(np.std(values, ddof=1)) * np.sqrt(1 + 1 / n)
    return mean - half, mean + half


def refit_note(n_refits: int) -> str:
    """What a row of `teacher_chance` says of itself.

    >>> refit_note(20)
    '99 % prediction band of 20 refits'
    """
    return f"99 % prediction band of {n_refits} refits"


def few_note(n_permutations: int) -> str:
    """What a row of too few permutations says of itself; "" where there are enough.

    Twenty values have no half percent quantile: what lies between their ends holds the next one
    nine times in ten.

    >>> few_note(20), few_note(200)
    ('band of 20 permutations, not 99 %', '')
    """
    enough = n_permutations >= ENOUGH
    return "" if enough else f"band of {n_permutations} permutations, not 99 %"


def band_of(values: ArrayLike, levels: Band = BAND) -> Band:
    """The band that holds a further value of the same kind as often as its levels say.

    Between order statistics by (n + 1) p (Weibull 1939; type 6 of Hyndman and Fan 1996): with the
    usual interpolation by (n - 1) p a band of 200 values called 99 % holds 98.

    Args:
        values: scores of refits.
        levels: lower and upper share.

    >>> band_of(range(1, 200), (0.005, 0.995))
    (1.0, 199.0)
    """
    numbers = np.asarray(values, np.float64)
    low, high = np.quantile(numbers, levels, method="weibull")
    return float(low), float(high)


def _limits(values: Sequence[Mapping[str, float]], levels: Band) -> dict[str, Band]:
    """Quantiles of every score that each entry has."""
    names = [name for name in values[0] if all(name in value for value in values)]
    return {name: band_of([value[name] for value in values], levels) for name in names}


@dataclass(frozen=True, eq=False)
class Trials:
    """Trials of the held-out windows of all folds, in the order of the folds.

    Args:
        of_window: number of the trial of each window, `int64 [n]`.
        counts: windows of each trial, `[T]`.
    """

    of_window: Index
    counts: Matrix

    @classmethod
    def of(cls, table: FeatureTable, folds: Sequence[RidgeFold]) -> Trials:
        """Number the trials of these folds."""
        names = table.trial[np.concatenate([fold.test.rows for fold in folds])]
        _, code, counts = np.unique(names, return_inverse=True, return_counts=True)
        return cls(code, counts.astype(np.float64))

    def means(self, values: Matrix) -> Matrix:
        """Mean over the windows of each trial, `[n, k]` to `[T, k]`."""
        sums = [np.bincount(self.of_window, column, len(self.counts)) for column in values.T]
        return np.stack(sums, axis=1) / self.counts[:, None]


def _scores(
    folds: list[RidgeFold], trials: Trials, ratings: Matrix, rule: Rule | None
) -> dict[str, float]:
    """Scores of ridge over the trial means of all folds, for these ratings of the events."""
    guesses, truths, cuts = [], [], []
    for fold in folds:
        mean, coefficients = fold.fit(ratings)
        guesses.append(mean + fold.test.windows @ coefficients)
        truths.append(ratings[fold.test.window_event])
        cut = np.median(ratings[fold.weight > 0], axis=0) if rule == "median" else np.zeros(2)
        cuts.append(np.broadcast_to(cut, guesses[-1].shape))
    guess, truth, cut = (trials.means(np.concatenate(part)) for part in (guesses, truths, cuts))
    scores = {f"{name}_trial": value for name, value in va_scores(truth, guess).items()}
    if rule is None:
        return scores
    cut = cut + decision_cut(0.0, rule)
    for j, axis in enumerate(VA_AXES):
        found = binary_scores(truth[:, j] > cut[:, j], guess[:, j] > cut[:, j], guess[:, j])
        scores |= {f"{axis}_{name}_trial": value for name, value in found.items()}
    return scores
