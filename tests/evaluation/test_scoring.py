"""Scores with intervals: points from the metrics, intervals from the slow way."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

import neurogaze
from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.evaluation import metrics, scoring, soft_labels, statistics
from neurogaze.evaluation.face_sums import FaceRows, face_contributions, face_scores_of_sums
from neurogaze.evaluation.predictions import PROBABILITY_COLUMNS, VOTE_COLUMNS


def face_frame(n: int = 150, seed: int = 0, classes: int = 6) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, n)
    chances = generator.dirichlet(np.full(8, 0.5), n)
    chances = 0.6 * chances + 0.4 * np.eye(8)[truth]
    text = {
        "id": [str(i) for i in range(n)],
        "dataset": "toy",
        "split": "valid",
        "label": np.array(EMOTIONS)[truth],
        "group": generator.integers(0, n // 2, n).astype(str),
    }
    return pd.DataFrame(text | dict(zip(PROBABILITY_COLUMNS, chances.T, strict=True)))


def eeg_frame(n_subjects: int = 6, seed: int = 0, corpus: str = "toy") -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    rows = []
    for subject in range(n_subjects):
        for trial in range(4):
            rating = generator.uniform(-1, 1, 2)
            for window in range(3):
                guess = 0.5 * rating + generator.normal(0, 0.3, 2)
                names = (corpus, f"s{subject}", f"c{trial}", f"s{subject}c{trial}")
                rows.append((*names, f"s{subject}t{trial}", 4.0 * window, *rating, *guess))
    columns = ["corpus", "subject", "clip", "event", "trial", "start"]
    columns += ["valence", "arousal", "valence_pred", "arousal_pred"]
    return pd.DataFrame(rows, columns=columns)


def voted_frame(n: int = 150, seed: int = 0) -> pd.DataFrame:
    frame = face_frame(n, seed)
    votes = np.random.default_rng(seed + 100).dirichlet(np.full(8, 0.5), n)
    return frame.assign(**dict(zip(VOTE_COLUMNS, votes.T, strict=True)))


def truth_and_chances(frame):
    truth = frame["label"].map(EMOTIONS.index).to_numpy()
    return truth, frame[list(PROBABILITY_COLUMNS)].to_numpy()


def test_points_are_those_of_the_metrics():
    frame = face_frame()
    rows = {row.metric: row for row in scoring.score_faces(frame, {"arm": "ce", "seed": 3})}
    truth, chances = truth_and_chances(frame)
    expected = metrics.face_scores(truth, chances)
    each = {f"{score}_{name}" for score in ("f1", "recall", "precision") for name in EMOTIONS}
    assert set(rows) == set(expected) | each | {"aurc", "e_aurc"}
    for name, value in expected.items():
        assert rows[name].value == pytest.approx(value, abs=1e-12)
        assert rows[name].n == 150
        assert rows[name].low <= rows[name].value <= rows[name].high or name in ("ece", "nll")
    support = np.bincount(truth, minlength=8)
    assert [rows[f"f1_{name}"].n for name in EMOTIONS] == support.tolist()
    row = rows["accuracy"]
    assert (row.arm, row.dataset, row.split, row.seed) == ("ce", "toy", "valid", 3)
    assert row.code_version == neurogaze.__version__


def test_each_class_equals_scikit_learn_with_the_rows_behind_it():
    frame = face_frame(classes=5)
    truth, chances = truth_and_chances(frame)
    called = chances.argmax(axis=1)
    found = {row.metric: row for row in scoring.score_faces(frame, {})}
    expected = sk.precision_recall_fscore_support(truth, called, labels=range(8), zero_division=0)
    for score, values in zip(("precision", "recall", "f1"), expected[:3], strict=True):
        ours = [found[f"{score}_{name}"].value for name in EMOTIONS]
        np.testing.assert_allclose(ours, values)
    assert [found[f"recall_{name}"].n for name in EMOTIONS] == expected[3].tolist()
    assert [found[f"precision_{name}"].n for name in EMOTIONS] == [
        int((called == i).sum()) for i in range(8)
    ]


@pytest.mark.parametrize("voted", [False, True])
def test_sums_give_the_points_too(voted):
    frame = voted_frame()
    truth, chances = truth_and_chances(frame)
    votes = frame[list(VOTE_COLUMNS)].to_numpy()
    rows = FaceRows(truth, chances, votes if voted else None)
    present = metrics.present_classes(truth)
    sums = face_contributions(rows, present).sum(axis=0, keepdims=True)
    found = face_scores_of_sums(sums, present)
    expected = metrics.face_scores(truth, chances)
    if voted:
        expected |= soft_labels.vote_scores(votes, chances)
    assert set(expected) <= set(found)
    assert ("vote_jsd" in found) == voted
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("name", ["ece_votes", "vote_jsd", "soft_nll"])
def test_intervals_against_votes_equal_the_slow_bootstrap(name):
    frame = voted_frame()
    _, chances = truth_and_chances(frame)
    votes = frame[list(VOTE_COLUMNS)].to_numpy()
    slow = statistics.bootstrap_interval(
        lambda rows: soft_labels.vote_scores(votes[rows], chances[rows])[name],
        len(frame),
        frame["group"],
        seed=5,
    )
    row = {row.metric: row for row in scoring.score_faces(frame, {"seed": 5})}[name]
    assert (row.low, row.high) == pytest.approx(slow, abs=1e-9)


def test_the_part_without_twins_is_scored_as_if_alone():
    frame = face_frame().assign(twin=np.arange(150) % 5 == 0)
    rows = scoring.score_faces(frame, {"seed": 1})
    assert {(row.split, row.n) for row in rows if row.metric == "accuracy"} == {
        ("valid", 150),
        ("valid, twin-free", 120),
    }
    alone = scoring.score_faces(frame[~frame["twin"]], {"seed": 1})
    found = [row for row in rows if row.split == "valid, twin-free"]
    assert [(r.metric, r.value, r.low, r.high, r.n) for r in found] == [
        (r.metric, r.value, r.low, r.high, r.n) for r in alone
    ]


@pytest.mark.parametrize("twin", [False, True])
def test_no_part_is_named_twin_free_that_is_nothing_or_everything(twin):
    rows = scoring.score_faces(face_frame().assign(twin=twin), {})
    assert {row.split for row in rows} == {"valid"}


def test_people_are_resampled_where_they_are_known():
    frame = face_frame().assign(group=[str(i) for i in range(150)])
    people = frame.assign(subject=[f"s{i // 30}" for i in range(150)])
    truth, chances = truth_and_chances(frame)
    right = (chances.argmax(axis=1) == truth).astype(float)
    slow = statistics.bootstrap_interval(
        lambda rows: float(right[rows].mean()), 150, people["subject"], seed=0
    )
    row = {row.metric: row for row in scoring.score_faces(people, {})}["accuracy"]
    assert (row.low, row.high) == pytest.approx(slow, abs=1e-9)


@pytest.mark.parametrize("name", ["accuracy", "ece", "nll", "brier", "macro_f1_8way"])
def test_intervals_equal_the_slow_bootstrap(name):
    frame = face_frame()
    truth, chances = truth_and_chances(frame)
    slow = statistics.bootstrap_interval(
        lambda rows: metrics.face_scores(truth[rows], chances[rows])[name],
        len(frame),
        frame["group"],
        seed=5,
    )
    rows = {row.metric: row for row in scoring.score_faces(frame, {"seed": 5})}
    assert (rows[name].low, rows[name].high) == pytest.approx(slow, abs=1e-9)


def test_the_class_set_is_fixed_before_resampling():
    # One lone row of fear, always right, all else right: a resample without it scores fear 0.
    truth = np.array([0] * 30 + [6])
    chances = np.eye(8)[truth]
    scores = scoring.face_intervals(FaceRows(truth, chances), None, seed=0)
    assert scores["present_averaged_macro_f1"].value == 1.0
    assert scores["present_averaged_macro_f1"].low == 0.5
    assert scores["accuracy"].low == 1.0


def test_each_data_set_and_split_is_scored_apart():
    other = face_frame(seed=1).assign(dataset="other", split="test")
    rows = scoring.score_faces(pd.concat([face_frame(), other]), {"label_rule": "majority"})
    found = {(row.dataset, row.split) for row in rows}
    assert found == {("toy", "valid"), ("other", "test")}
    alone = scoring.score_faces(other, {"label_rule": "majority"})
    assert [row for row in rows if row.dataset == "other"] == alone


def test_a_misspelt_context_is_refused():
    with pytest.raises(InputError, match="sead"):
        scoring.score_faces(face_frame(), {"sead": 1})


def test_the_data_must_be_named_as_really_used():
    assert scoring.score_faces(face_frame(), {"dataset": "toy"})[0].dataset == "toy"
    with pytest.raises(InputError, match="as it was really used"):
        scoring.score_faces(face_frame(), {"dataset": "affectnet"})


def test_a_thousand_resamples_of_a_validation_set_are_quick():
    frame = face_frame(3199, classes=8)
    start = time.perf_counter()
    scoring.score_faces(frame, {})
    assert time.perf_counter() - start < 20  # five seconds on a free machine


def test_va_is_scored_per_window_and_per_trial_mean():
    frame = eeg_frame()
    rows = {row.metric: row for row in scoring.score_va(frame, {"protocol": "loso"})}
    means = frame.groupby("trial")[["valence", "arousal", "valence_pred", "arousal_pred"]].mean()
    for level, part in (("window", frame), ("trial", means)):
        expected = metrics.va_scores(
            part[["valence", "arousal"]].to_numpy(),
            part[["valence_pred", "arousal_pred"]].to_numpy(),
        )
        for name, value in expected.items():
            assert rows[f"{name}_{level}"].value == pytest.approx(value)
            assert rows[f"{name}_{level}"].n == len(part)
    assert rows["valence_ccc_trial"].value > rows["valence_ccc_window"].value
    assert rows["valence_ccc_trial"].protocol == "loso"
    assert rows["valence_ccc_trial"].dataset == "toy"


@pytest.mark.parametrize("name", ["valence_ccc", "arousal_rmse", "arousal_pearson"])
def test_va_intervals_equal_the_slow_bootstrap_over_people(name):
    frame = eeg_frame()
    truth = frame[["valence", "arousal"]].to_numpy()
    predicted = frame[["valence_pred", "arousal_pred"]].to_numpy()
    slow = statistics.bootstrap_interval(
        lambda rows: metrics.va_scores(truth[rows], predicted[rows])[name],
        len(frame),
        frame["subject"],
        seed=2,
    )
    rows = {row.metric: row for row in scoring.score_va(frame, {"seed": 2})}
    row = rows[f"{name}_window"]
    assert (row.low, row.high) == pytest.approx(slow, abs=1e-9)


def test_a_constant_prediction_scores_zero_with_a_zero_interval():
    frame = eeg_frame().assign(valence_pred=0.1, arousal_pred=0.1)
    rows = {row.metric: row for row in scoring.score_va(frame, {})}
    row = rows["valence_ccc_window"]
    assert row.value == 0.0
    assert (row.low, row.high) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_one_person_has_no_interval():
    rows = scoring.score_va(eeg_frame(n_subjects=1), {})
    assert {(row.low, row.high) for row in rows} == {(None, None)}


def test_unrated_windows_are_left_out():
    frame = eeg_frame()
    frame.loc[frame["subject"] == "s0", "arousal"] = np.nan
    rows = {row.metric: row for row in scoring.score_va(frame, {})}
    assert rows["valence_ccc_window"].n == 60
    with pytest.raises(InputError, match="no row has a rating"):
        scoring.score_va(frame.assign(valence=np.nan), {})


def test_decisions_alone_are_no_valence_and_arousal():
    frame = eeg_frame().assign(valence_pred=np.nan, arousal_pred=np.nan, valence_high_pred=1.0)
    with pytest.raises(InputError, match="score_binary"):
        scoring.score_va(frame, {})


def test_the_score_of_a_rare_class_is_of_the_draws_that_hold_it():
    """Three faces are missing from every twentieth draw, in which they are not judged wrongly."""
    truth = np.repeat([0, 1, 7], [300, 297, 3])
    chances = np.where(np.eye(8)[truth] > 0, 0.93, 0.01)
    found = scoring.face_intervals(FaceRows(truth, chances, None), None, seed=0)
    for score in ("f1", "recall", "precision"):
        contempt = found[f"{score}_contempt"]
        assert (contempt.value, contempt.low, contempt.high) == (1.0, 1.0, 1.0)
    assert (found["recall_fear"].low, found["recall_fear"].high) == (None, None)
    assert found["macro_f1_8way"].low < found["macro_f1_8way"].value == pytest.approx(3 / 8)


def test_a_constant_guess_has_no_correlation_after_its_windows_are_averaged():
    """The mean of three tenths is not a tenth."""
    frame = eeg_frame().assign(valence_pred=0.1)
    frame = frame.drop(frame.index[::5])
    rows = {row.metric: row for row in scoring.score_va(frame, {})}
    for metric in ("valence_pearson_trial", "valence_ccc_trial", "valence_pearson_window"):
        assert rows[metric].value == 0.0
        assert (rows[metric].low, rows[metric].high) == pytest.approx((0.0, 0.0), abs=1e-6)
