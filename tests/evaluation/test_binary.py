"""Truth, decisions and scores of high against low, by hand and against scikit-learn."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from neurogaze.eeg.splits import SplitSettings, evaluation_rows, fold_rows, make_split
from neurogaze.errors import InputError
from neurogaze.evaluation.binary import (
    label_rule,
    score_binary,
    trial_decisions,
    trial_scores,
    with_decisions,
    with_truth,
)
from neurogaze.evaluation.predictions import eeg_frame, read_predictions, write_predictions
from tests.eeg.toy import make_table


def predicted(table, split, seed=0):
    """Noisy predictions of every held-out window."""
    draw = np.random.default_rng(seed)
    parts = []
    for k in range(split.n_folds):
        rows = evaluation_rows(table, fold_rows(table, split, k)["test"])
        truth = np.stack([table.valence[rows], table.arousal[rows]], axis=1)
        guess = truth + draw.normal(0, 0.8, truth.shape)
        parts.append(eeg_frame(table, rows, guess).assign(fold=k))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def world():
    table = make_table(n_subjects=6)
    split = make_split(table, SplitSettings())
    return table, split, predicted(table, split)


def test_the_median_is_that_of_the_training_events_of_the_fold(world):
    table, split, frame = world
    frame = with_decisions(with_truth(frame, table, split, "median"), table, split, "median")
    cuts = []
    for k in range(split.n_folds):
        rows = fold_rows(table, split, k)["train"]
        events = {e: table.valence[r] for e, r in zip(table.event[rows], rows, strict=True)}
        cuts.append(np.median(list(events.values())))
        part = frame[frame["fold"] == k]
        assert ((part["valence"] > cuts[k]) == (part["valence_high"] == 1)).all()
        assert ((part["valence_pred"] > cuts[k]) == (part["valence_high_pred"] == 1)).all()
    assert len(set(cuts)) > 1
    assert (frame["rule"] == "median").all()
    assert (frame["arousal_score"] == frame["arousal_pred"]).all()


def test_ratings_of_the_tested_people_do_not_move_the_cut(world):
    table, split, frame = world
    before = with_decisions(frame, table, split, "median")
    mine = table.subject == "S00"
    altered = replace(table, valence=np.where(mine, -table.valence, table.valence))
    after = with_decisions(frame, altered, split, "median")
    own = frame["subject"] == "S00"
    columns = ["valence_cut", "valence_high_pred"]
    pd.testing.assert_frame_equal(before.loc[own, columns], after.loc[own, columns])
    assert (before.loc[~own, "valence_cut"] != after.loc[~own, "valence_cut"]).any()


@pytest.mark.parametrize(("rule", "high"), [("above", 0.0), ("at_least", 1.0)])
def test_a_rating_in_the_middle_goes_where_the_rule_says(world, rule, high):
    table, split, frame = world
    middle = replace(table, valence=np.zeros(table.n_rows))
    frame = frame.assign(valence=0.0, valence_pred=0.0)
    frame = with_decisions(with_truth(frame, middle, split, rule), middle, split, rule)
    assert (frame["valence_high"] == high).all()
    assert (frame["valence_high_pred"] == high).all()
    found = {row.metric: row.value for row in score_binary(frame, {})}
    assert found["valence_accuracy_trial"] == found["valence_accuracy_window"] == 1.0
    assert "valence_auroc_trial" not in found
    assert "arousal_auroc_trial" in found


def test_scores_per_window_and_trial_are_those_of_scikit_learn(world):
    table, split, frame = world
    frame = with_decisions(with_truth(frame, table, split, "median"), table, split, "median")
    rows = {row.metric: row for row in score_binary(frame, {"arm": "x", "seed": 1})}
    truth, said = frame["arousal_high"], frame["arousal_high_pred"]
    expected = balanced_accuracy_score(truth, said)
    assert rows["arousal_balanced_accuracy_window"].value == pytest.approx(expected)
    names = ["arousal_high", "arousal_pred", "arousal_cut"]
    means = frame.groupby(["subject", "trial"])[names].mean()
    decided = means["arousal_pred"] > means["arousal_cut"]
    expected = balanced_accuracy_score(means["arousal_high"], decided)
    row = rows["arousal_balanced_accuracy_trial"]
    assert row.value == pytest.approx(expected)
    assert rows["arousal_auroc_trial"].value == pytest.approx(
        roc_auc_score(means["arousal_high"], means["arousal_pred"])
    )
    assert row.low < row.value < row.high
    assert (row.n, rows["arousal_accuracy_window"].n) == (len(means), len(frame))
    share = round(100 * means["arousal_high"].mean())
    assert row.label_rule == f"arousal, 2 classes, median; high {share} % of trials"
    assert (row.dataset, row.arm, row.seed) == ("toy", "x", 1)
    levels = {n: r.value for n, r in rows.items() if n.endswith("_trial")}
    assert trial_scores(frame) == pytest.approx(levels)
    assert len(rows) == 2 * 2 * 4


def test_probabilities_need_no_cut_and_no_predicted_ratings(tmp_path):
    frame = pd.DataFrame(
        {
            "corpus": "toy", "subject": list("aabb"), "clip": "c", "event": list("aabb"),
            "trial": list("aabb"), "start": [0.0, 4.0] * 2, "valence": [0.5, 0.5, -0.5, -0.5],
            "arousal": np.nan, "valence_pred": np.nan, "arousal_pred": np.nan,
            "fold": 0, "rule": "above", "valence_high": [1, 1, 0, 0],
            "valence_high_pred": [1, 0, 1, 0], "valence_score": [0.9, 0.4, 0.55, 0.2],
        }
    )  # fmt: skip
    trials = trial_decisions(frame, "valence")
    assert trials["valence_high_pred"].tolist() == [1.0, 0.0]
    for suffix in (".csv", ".parquet"):
        write_predictions(tmp_path / f"p{suffix}", frame)
        rows = score_binary(read_predictions(tmp_path / f"p{suffix}"), {})
        found = {row.metric: row.value for row in rows}
        assert found["valence_accuracy_window"] == 0.5
        assert found["valence_accuracy_trial"] == 1.0
        assert found["valence_auroc_window"] == 0.75


def test_windows_without_a_rating_are_left_out(world):
    table, split, frame = world
    lost = np.where(table.trial == table.trial[0], np.nan, 0.01 * np.arange(table.n_rows))
    table = replace(table, dominance=lost)
    frame = with_truth(frame, table, split, "median", axes=("dominance",))
    assert frame["dominance_high"].isna().sum() == (frame["trial"] == table.trial[0]).sum() > 0
    frame = frame.assign(dominance_high_pred=1.0, dominance_score=0.7)
    rows = score_binary(frame, {})
    assert {row.metric.split("_")[0] for row in rows} == {"dominance"}
    assert rows[0].n == frame["dominance_high"].notna().sum()


def test_what_cannot_be_scored_is_said(world):
    table, split, frame = world
    with pytest.raises(InputError, match="decide on no rated axis"):
        score_binary(frame, {})
    with pytest.raises(InputError, match="no column fold"):
        with_truth(frame.drop(columns="fold"), table, split, "median")
    with pytest.raises(InputError, match="is not in the table of toy"):
        with_truth(frame.assign(start=frame["start"] + 0.5), table, split, "median")
    decided = with_decisions(with_truth(frame, table, split, "above"), table, split, "above")
    with pytest.raises(InputError, match="add the column rule"):
        score_binary(decided.drop(columns="rule"), {})
    with pytest.raises(InputError, match="not one"):
        label_rule(decided.assign(rule=["above", "median"] * (len(frame) // 2)), "valence")
