"""Baselines by hand, and what none of them may look at."""

import time
from dataclasses import replace

import numpy as np
import pytest

from neurogaze.eeg.splits import SplitSettings, fold_rows, make_split
from neurogaze.errors import InputError
from neurogaze.evaluation import baselines
from neurogaze.evaluation.binary import score_binary
from neurogaze.evaluation.chance import ridge_predictions
from neurogaze.evaluation.predictions import read_predictions, regresses, write_predictions
from neurogaze.evaluation.scoring import score_va
from tests.eeg.toy import make_table

LOSO, TRIAL = SplitSettings(), SplitSettings("trial")
LOSO_CLIP = SplitSettings("loso_clip", n_folds=2)


def world(settings=LOSO, **options):
    table = make_table(**options)
    return table, make_split(table, settings)


def training_events(table, split, fold):
    """Rating of each training event with its person and clip."""
    rows = fold_rows(table, split, fold)["train"]
    _, first = np.unique(table.event[rows], return_index=True)
    own = rows[first]
    return table.subject[own], table.clip[own], table.valence[own]


def test_majority_says_the_training_mean_and_class():
    table, split = world()
    frame = baselines.predict("majority", table, split, "above")
    for k in range(split.n_folds):
        part = frame[frame["fold"] == k]
        _, _, rating = training_events(table, split, k)
        assert part["valence_pred"].to_numpy() == pytest.approx(rating.mean())
        assert set(part["valence_high_pred"]) == {float((rating > 0).mean() > 0.5)}
        assert set(part["valence_score"]) == set(part["valence_high_pred"])
    shifted = replace(table, valence=np.clip(table.valence + 0.8, -1, 1))
    assert set(baselines.majority(shifted, split, "above")["valence_high_pred"]) == {1.0}


@pytest.mark.parametrize(
    ("name", "settings", "column"), [("clip_prior", LOSO, 1), ("subject_probe", TRIAL, 0)]
)
def test_priors_say_the_mean_of_their_clip_or_person(name, settings, column):
    table, split = world(settings)
    frame = baselines.predict(name, table, split, "median")
    assert (frame["fallback"] == 0).all()
    assert baselines.fallback_note(frame) == ""
    for k in range(split.n_folds):
        events = training_events(table, split, k)
        cut = np.median(events[2])
        for row in frame[frame["fold"] == k].itertuples():
            mine = events[2][events[column] == (row.subject, row.clip)[column]]
            assert row.valence_pred == pytest.approx(mine.mean())
            assert row.valence_score == pytest.approx((mine > cut).mean())
            assert row.valence_high_pred == float((mine > cut).mean() > 0.5)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("clip_prior", LOSO_CLIP), ("subject_probe", LOSO), ("subject_probe", LOSO_CLIP)],
)
def test_priors_of_the_unseen_fall_back_to_the_majority_and_say_so(name, settings):
    table, split = world(settings)
    frame = baselines.predict(name, table, split, "median")
    majority = baselines.majority(table, split, "median")
    assert (frame["fallback"] == 1).all()
    assert "100 %" in baselines.fallback_note(frame)
    for column in ("valence_pred", "arousal_high_pred", "arousal_score"):
        np.testing.assert_array_equal(frame[column], majority[column])


@pytest.mark.parametrize("name", ["majority", "stratified", "clip_prior", "subject_probe"])
@pytest.mark.parametrize("settings", [LOSO, TRIAL], ids=["loso", "trial"])
def test_what_is_tested_and_the_features_are_never_looked_at(name, settings):
    table, split = world(settings)
    fold = 1
    tested = np.zeros(table.n_rows, bool)
    tested[fold_rows(table, split, fold)["test"]] = True
    noise = np.random.default_rng(0)
    altered = replace(
        table,
        features=noise.normal(size=table.features.shape).astype(np.float32),
        valence=np.where(tested, noise.uniform(-1, 1, table.n_rows), table.valence),
    )
    a, b = (baselines.predict(name, t, split, "median", folds=[fold]) for t in (table, altered))
    for column in ("valence_pred", "valence_high_pred", "arousal_score"):
        np.testing.assert_array_equal(a[column], b[column])


def test_stratified_draws_training_ratings_by_the_seed():
    table, split = world(n_subjects=10, n_clips=12)
    a, b, c = (baselines.predict("stratified", table, split, "median", s) for s in (0, 0, 1))
    np.testing.assert_array_equal(a["valence_pred"], b["valence_pred"])
    assert (a["valence_pred"] != c["valence_pred"]).any()
    assert a.groupby("trial")["valence_pred"].nunique().max() == 1
    for k in range(split.n_folds):
        _, _, rating = training_events(table, split, k)
        part = a[a["fold"] == k]
        assert np.isin(part["valence_pred"], rating).all()
    assert a["valence_pred"].std() == pytest.approx(table.valence.std(), rel=0.1)
    assert a["valence_high_pred"].mean() == pytest.approx(0.5, abs=0.1)


def test_ridge_is_the_ridge_of_the_chance_band():
    table, split = world(signal=0.5)
    frame = baselines.predict("ridge", table, split, "median", folds=[0, 2])
    result = ridge_predictions(table, split, [0, 2])
    np.testing.assert_array_equal(frame["arousal_pred"], result.prediction[:, 1])
    assert [split.folds[k].test[0] for k in frame["fold"]] == frame["subject"].tolist()


@pytest.mark.parametrize("name", baselines.NAMES)
def test_every_baseline_is_ready_to_be_written_and_scored(tmp_path, name):
    table, split = world(SplitSettings("loso_clip", n_folds=2, clip_folds=3), signal=0.5)
    frame = baselines.predict(name, table, split, "median")
    assert len(frame) == (table.start % 4.0 == 0).sum()
    write_predictions(tmp_path / "p.parquet", frame)
    found = read_predictions(tmp_path / "p.parquet")
    rows = score_binary(found, {})
    if name != "logistic":
        rows += score_va(found, {})
    assert regresses(found) is (name != "logistic")
    assert {row.metric.split("_")[0] for row in rows} == {"valence", "arousal"}


@pytest.mark.parametrize("name", ["ridge", "logistic"])
def test_signal_is_found_by_the_linear_baselines(name):
    table, split = world(SplitSettings(n_folds=3), n_subjects=8, n_features=(8, 4), signal=3.0)
    rows = score_binary(baselines.predict(name, table, split, "median"), {})
    reached = {row.metric: row.value for row in rows}
    assert reached["valence_auroc_trial"] > 0.9
    assert reached["arousal_balanced_accuracy_trial"] > 0.8


def test_a_corpus_of_usual_size_takes_seconds():
    table, split = world(
        n_subjects=23, n_clips=6, trials_per_event=2, n_windows=6, n_features=(14, 4)
    )
    started = time.perf_counter()
    for name in ("majority", "stratified", "clip_prior", "subject_probe", "ridge"):
        baselines.predict(name, table, split, "median")
    assert time.perf_counter() - started < 20


def test_an_unknown_name_is_refused():
    table, split = world()
    with pytest.raises(InputError, match="clip_prior"):
        baselines.predict("svm", table, split, "median")
