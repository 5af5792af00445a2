"""High or low: ratings cut in two by a named rule, and what a system made of that.

Three columns of an EEG predictions file, each after the name of an axis, say so: `_high` the truth,
`_high_pred` the decision, `_score` what AUROC ranks by. A score means high above `_cut` where the
file has that column, and above one half (a probability) where it has not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurogaze.eeg.folds import Split
from neurogaze.eeg.splits import fold_rows
from neurogaze.eeg.table import FeatureTable
from neurogaze.eeg.targets import LEVEL_TOLERANCE, ClassTarget, Rule, classes, threshold
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import RATED_AXES, checked
from neurogaze.evaluation.results import ResultRow
from neurogaze.evaluation.scoring import result_rows
from neurogaze.evaluation.two_class import Bools, Floats, binary_intervals, binary_scores

Rating = Literal["valence", "arousal", "dominance"]
VA: tuple[Rating, ...] = ("valence", "arousal")
NEEDED = ("high", "high_pred", "score")
PROBABILITY_CUT = 0.5


def with_truth(
    frame: pd.DataFrame,
    table: FeatureTable,
    split: Split,
    rule: Rule,
    axes: Sequence[Rating] = VA,
) -> pd.DataFrame:
    """Add `<axis>_high`: whether the rating is high, NaN where there is none; and `rule`.

    Args:
        frame: EEG predictions with the column `fold`.
        table: the windows that the predictions are of.
        split: folds; "median" is that of the training rows of the fold that tested a window.
        rule: where ratings are cut.
        axes: ratings to cut.

    Raises:
        InputError: for a frame without folds, or with windows that the table does not hold.
    """
    rows = _table_rows(frame, table)
    found: dict[str, Any] = {f"{axis}_high": np.full(len(frame), np.nan) for axis in axes}
    for here, train in _folds(frame, table, split):
        tested = table.take(rows[here])
        for axis in axes:
            target = ClassTarget(axis, 2, rule)
            high = classes(tested, target, threshold(table, train, target))
            found[f"{axis}_high"][here] = np.where(high < 0, np.nan, high)
    return frame.assign(**found, rule=rule)


def with_decisions(
    frame: pd.DataFrame, table: FeatureTable, split: Split, rule: Rule
) -> pd.DataFrame:
    """Add `_high_pred`, `_score` and `_cut` of valence and arousal, for an arm that predicts these.

    A prediction above the threshold of the ratings is a decision for high; it is its own score.

    Args:
        frame: EEG predictions with the column `fold`.
        table: the windows that the predictions are of.
        split: folds; see `with_truth`.
        rule: where ratings are cut.

    Raises:
        InputError: for a frame without folds.
    """
    cuts = {axis: np.full(len(frame), np.nan) for axis in VA}
    for here, train in _folds(frame, table, split):
        for axis in VA:
            cut = threshold(table, train, ClassTarget(axis, 2, rule))
            cuts[axis][here] = decision_cut(cut, rule)
    found: dict[str, Any] = {}
    for axis, of_row in cuts.items():
        guess = frame[f"{axis}_pred"].to_numpy(np.float64)
        found[f"{axis}_high_pred"] = (guess > of_row).astype(np.float64)
        found |= {f"{axis}_score": guess, f"{axis}_cut": of_row}
    return frame.assign(**found)


def decision_cut(cut: float, rule: Rule) -> float:
    """The threshold as one that a prediction must exceed, whichever way equal ratings fall."""
    return cut - LEVEL_TOLERANCE if rule == "at_least" else cut + LEVEL_TOLERANCE


def score_binary(frame: pd.DataFrame, context: Mapping[str, Any]) -> list[ResultRow]:
    """Score decisions per window and per trial, once for each corpus and axis in the file.

    A trial's score is the mean over its windows, and its decision follows from the same cut as
    theirs. Windows without a rating are left out. People are resampled, never windows.

    Args:
        frame: EEG predictions with `_high`, `_high_pred` and `_score` of at least one axis, and
            the column `rule`; see `with_truth` and `with_decisions`.
        context: any of `scoring.CONTEXT_DEFAULTS`; the label rule is the one that the file states.

    Returns:
        One row a metric, such as `valence_balanced_accuracy_trial`.

    Raises:
        InputError: for a table or context that cannot be used, or without any decision.
    """
    frame, rows = checked(frame, "eeg", "EEG predictions"), []
    axes = decided_axes(frame)
    seed = int(context.get("seed", 0))
    for corpus, windows in frame.groupby("corpus", sort=True):
        for axis in axes:
            known = windows[windows[f"{axis}_high"].notna()]
            if known.empty:
                continue
            said = {**context, "label_rule": label_rule(known, axis)}
            for level, part in (("window", known), ("trial", trial_decisions(known, axis))):
                scores = binary_intervals(*_arrays(part, axis), part["subject"].to_numpy(str), seed)
                named = {f"{axis}_{name}_{level}": score for name, score in scores.items()}
                rows += result_rows(named, str(corpus), said)
    if not rows:
        columns = ", ".join(f"<axis>_{name}" for name in NEEDED)
        raise InputError("EEG predictions", "decide on no rated axis", f"give {columns}")
    return rows


def decided_axes(frame: pd.DataFrame) -> list[str]:
    """Axes of which a table holds truth, decision and score."""
    held = set(frame.columns)
    return [axis for axis in RATED_AXES if {f"{axis}_{name}" for name in NEEDED} <= held]


def trial_scores(frame: pd.DataFrame) -> dict[str, float]:
    """The values that `score_binary` gives per trial, by name and without intervals."""
    scores: dict[str, float] = {}
    for axis in decided_axes(frame):
        part = trial_decisions(frame[frame[f"{axis}_high"].notna()], axis)
        found = binary_scores(*_arrays(part, axis))
        scores |= {f"{axis}_{name}_trial": value for name, value in found.items()}
    return scores


def trial_decisions(windows: pd.DataFrame, axis: str) -> pd.DataFrame:
    """One row a trial with truth, mean score and the decision that follows from it."""
    cut = windows.get(f"{axis}_cut", PROBABILITY_CUT)
    columns = ["subject", "trial", f"{axis}_high", f"{axis}_score", "cut"]
    table = windows.assign(cut=cut)[columns]
    means = table.groupby(["subject", "trial"], sort=True, as_index=False).mean()
    high = (means[f"{axis}_high"] > PROBABILITY_CUT).astype(np.float64)
    decision = (means[f"{axis}_score"] > means["cut"]).astype(np.float64)
    return means.assign(**{f"{axis}_high": high, f"{axis}_high_pred": decision})


def label_rule(frame: pd.DataFrame, axis: str) -> str:
    """Rule and class balance, such as `valence, 2 classes, median; high 48 % of trials`.

    Args:
        frame: EEG predictions with `<axis>_high` and `rule`.
        axis: the rating.

    Raises:
        InputError: for a frame that names no rule, or more than one.
    """
    rules = frame["rule"].unique().tolist() if "rule" in frame else []
    if len(rules) != 1:
        remedy = "add the column rule: above, at_least or median"
        raise InputError("EEG predictions", f"name the rules {rules}, not one", remedy)
    highs = frame.groupby(["subject", "trial"])[f"{axis}_high"].mean().dropna()
    share = 100 * float((highs > PROBABILITY_CUT).mean())
    return f"{axis}, 2 classes, {rules[0]}; high {share:.0f} % of trials"


def _arrays(frame: pd.DataFrame, axis: str) -> tuple[Bools, Bools, Floats]:
    """Truth, decision and score of an axis."""
    truth, decision = (frame[f"{axis}_{name}"].to_numpy(bool) for name in ("high", "high_pred"))
    return truth, decision, frame[f"{axis}_score"].to_numpy(np.float64)


def _folds(
    frame: pd.DataFrame, table: FeatureTable, split: Split
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each fold of a frame, its places in the frame and the training rows of the table."""
    if "fold" not in frame:
        raise InputError("EEG predictions", "have no column fold", "say which fold tested a window")
    fold = frame["fold"].to_numpy(np.int64)
    for k in np.unique(fold):
        yield np.flatnonzero(fold == k), fold_rows(table, split, int(k))["train"]


def _table_rows(frame: pd.DataFrame, table: FeatureTable) -> NDArray[np.int64]:
    """Row of the table that each row of a frame is of."""
    names = ("subject", "trial", "start")
    held = pd.MultiIndex.from_arrays([getattr(table, name) for name in names])
    rows = held.get_indexer(pd.MultiIndex.from_arrays([frame[name] for name in names]))
    if (rows < 0).any():
        trial = frame["trial"].iloc[int(np.argmax(rows < 0))]
        found = f"a window of trial {trial!r} is not in the table of {table.corpus}"
        raise InputError("EEG predictions", found, "use the table that was predicted")
    return rows.astype(np.int64)
