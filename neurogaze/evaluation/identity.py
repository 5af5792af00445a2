"""How well features tell who somebody is: what a leaky split can live on without any affect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.splits import evaluation_rows
from neurogaze.eeg.table import FeatureTable
from neurogaze.errors import InputError
from neurogaze.evaluation import statistics
from neurogaze.evaluation.logistic import standardised
from neurogaze.evaluation.results import ResultRow
from neurogaze.evaluation.scoring import Score, group_interval, result_rows

N_FOLDS = 5
PROTOCOL = f"rating events held out within person, {N_FOLDS} folds"
CHANCE_ARM = "chance (1/people)"

Index = NDArray[np.int64]
Floats = NDArray[np.float64]


def subject_accuracy(table: FeatureTable, context: Mapping[str, Any]) -> list[ResultRow]:
    """Accuracy of naming the person of held-out trials, beside what guessing reaches.

    Args:
        table: windows; those without a rating or class are left out.
        context: any of `scoring.CONTEXT_DEFAULTS`; the protocol is replaced, as these folds are
            not those of the split.

    Returns:
        `subject_accuracy_window` and `subject_accuracy_trial` with intervals over people, each
        followed by a row of the arm "chance (1/people)".

    Raises:
        InputError: with fewer than two people, or a person with a single rating event.
    """
    rows, beliefs = identity_beliefs(table)
    names, person = np.unique(table.subject[rows], return_inverse=True)
    _, first, code = np.unique(table.trial[rows], return_index=True, return_inverse=True)
    of_trial = np.zeros((len(first), len(names)))
    np.add.at(of_trial, code, beliefs)
    said = {**context, "protocol": PROTOCOL, "label_rule": "person"}
    found = []
    for level, belief, truth in (("window", beliefs, person), ("trial", of_trial, person[first])):
        hit = (belief.argmax(axis=1) == truth).astype(np.float64)
        score = _score(hit, truth, int(said.get("seed", 0)))
        for arm, value in (
            ({}, score),
            ({"arm": CHANCE_ARM}, Score(1 / len(names), None, None, len(hit))),
        ):
            found += result_rows({f"subject_accuracy_{level}": value}, table.corpus, said | arm)
    return found


def identity_beliefs(table: FeatureTable) -> tuple[Index, Floats]:
    """Log probability of each person, from linear discriminant analysis on the other events.

    Covariances are shrunk as Ledoit and Wolf (2004) say. The events of each person are dealt to
    five folds in their order; whole events are held out, so neither a trial nor its sibling is on
    two sides.

    Args:
        table: windows; those without a rating or class are left out.

    Returns:
        Rows of the table that do not overlap, `int64 [n]` ascending, and `float64 [n, people]` in
        the order of their names.

    Raises:
        InputError: with fewer than two people, or a person with a single rating event.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rows = np.flatnonzero(table.labelled)
    dealt = _dealt(table, rows)
    names, person = np.unique(table.subject, return_inverse=True)
    if len(np.unique(person[rows])) < len(names) or len(names) < 2:
        found = f"{len(np.unique(person[rows]))} of {len(names)} people have ratings or classes"
        raise InputError(f"corpus {table.corpus}", found, "use rated people, two or more")
    kept = evaluation_rows(table, rows)
    beliefs = np.zeros((table.n_rows, len(names)))
    for k in range(N_FOLDS):
        train, test = rows[dealt[rows] != k], kept[dealt[kept] == k]
        if test.size:
            x = standardised(table, train)
            model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
            beliefs[test] = model.fit(x[train], person[train]).predict_log_proba(x[test])
    return kept, beliefs[kept]


def _dealt(table: FeatureTable, rows: Index) -> Index:
    """Fold of each row of the table, -1 outside `rows`; a person's events go round the folds."""
    fold = np.full(table.n_rows, -1, dtype=np.int64)
    for subject in np.unique(table.subject[rows]):
        own = rows[table.subject[rows] == subject]
        events, code = np.unique(table.event[own], return_inverse=True)
        if len(events) < 2:
            where = f"corpus {table.corpus}, subject {subject}"
            raise InputError(where, "has a single rating event", "leave this person out")
        fold[own] = code % N_FOLDS
    return fold


def _score(hit: Floats, person: Index, seed: int) -> Score:
    """Share of hits with its interval over people."""
    sums = statistics.bootstrap_sums(np.stack([hit, np.ones_like(hit)], axis=1), person, seed)
    low, high = group_interval(sums[:, 0] / sums[:, 1], person)
    return Score(float(hit.mean()), low, high, len(hit))
