"""What fold teachers say of the people they held out, beside ridge and chance."""

from dataclasses import replace

import numpy as np

from neurogaze.eeg.transductive import within_person
from neurogaze.evaluation.metrics import VA_AXES
from neurogaze.pipeline.held_out import (
    chance_rows,
    eeg_results,
    held_out_predictions,
    protocol_name,
    topomap_groups,
)
from tests.eeg.toy import make_table
from tests.pipeline.fakes import fake_folds

CONTEXT = {"experiment": "x", "arm": "teacher", "seed": 0, "code_version": "0", "grid_hash": ""}


def test_every_window_is_predicted_once_by_the_fold_that_held_it_out():
    table = make_table()
    split, folds = fake_folds(table)
    frame = held_out_predictions(table, split, folds)
    keys = list(zip(frame["trial"], frame["start"], strict=True))
    free = table.start % 4.0 == 0
    assert len(keys) == len(set(keys)) == free.sum()
    for fold in folds:
        rows = free & np.isin(table.subject, [*fold.test_units])
        (seen,) = fold.task.teacher.seen
        np.testing.assert_array_equal(seen, table.features[rows])


def results(folds_taken):
    """Result rows by arm, of a table whose features follow the ratings."""
    table = make_table(n_subjects=8, signal=3.0)
    split, folds = fake_folds(table)
    folds = folds[folds_taken]
    predictions = held_out_predictions(table, split, folds)
    rows = eeg_results(table, split, folds, predictions, CONTEXT, permutations=20)
    assert {row.split_hash for row in rows} == {split.sha256}
    assert {row.protocol for row in rows} == {"loso, 3 folds"} == {protocol_name(split)}
    held_out = set().union(*(fold.test_units for fold in folds))
    by_arm = {row.arm: {} for row in rows}
    for row in rows:
        by_arm[row.arm][row.metric] = row
    return by_arm, len(held_out) * 12


def test_teachers_stand_beside_ridge_and_chance():
    arms, n_trials = results(slice(None))
    band = arms["chance (99 % band)"]
    assert set(arms) == {"teacher", "ridge", "chance (99 % band)"}
    assert set(band) == {f"{a}_{m}_trial" for a in VA_AXES for m in ("ccc", "rmse", "pearson")}
    for name, row in band.items():
        reached = arms["ridge"][name].value
        assert reached < row.low if "rmse" in name else row.high > row.low
        assert "rmse" in name or reached > row.high
        assert row.n == arms["ridge"][name].n == arms["teacher"][name].n == n_trials


def test_bands_of_decisions_carry_the_rule_of_their_axis():
    band = {"valence_ccc_trial": (0.0, 0.2), "valence_auroc_trial": (0.4, 0.6)}
    band["arousal_auroc_trial"] = (0.3, 0.6)
    context = CONTEXT | {
        "dataset": "toy", "split": "held-out", "protocol": "loso", "split_hash": "",
        "config_hash": "", "label_rule": "ratings to [-1, 1]",
    }  # fmt: skip
    rules = {"valence": "valence, 2 classes, median; high 48 % of trials"}
    rows = chance_rows(band, context, 7, rules, "chance of teacher")
    assert [row.label_rule for row in rows] == [
        "ratings to [-1, 1]", rules["valence"], "ratings to [-1, 1]",
    ]  # fmt: skip
    assert {(row.arm, row.n) for row in rows} == {("chance of teacher", 7)}
    assert [(row.low, row.high) for row in rows] == list(band.values())


def test_one_fold_is_compared_on_its_own_people():
    arms, n_trials = results(slice(1, 2))
    for metrics in arms.values():
        assert metrics["valence_ccc_trial"].n == n_trials < 8 * 12


def test_topomaps_by_hand():
    table = make_table(n_subjects=4)
    groups = topomap_groups(table)
    assert groups["groups"].tolist() == [
        "all windows",
        "valence: above - below median",
        "arousal: above - below median",
    ]
    assert groups["values"].shape == (3, 4, 2)
    np.testing.assert_allclose(groups["values"][0], table.features.mean(0), rtol=1e-6)
    high = table.arousal > np.median(table.arousal)
    contrast = table.features[high].mean(0) - table.features[~high].mean(0)
    np.testing.assert_allclose(groups["values"][2], contrast, atol=1e-6)
    flat = replace(table, valence=np.zeros(table.n_rows), arousal=np.zeros(table.n_rows))
    assert topomap_groups(flat)["groups"].tolist() == ["all windows"]


def test_centred_features_have_no_mean_to_show():
    table = make_table(n_subjects=4)
    centred = within_person(table.features)
    groups = topomap_groups(replace(table, features=centred, unit="sd"))
    assert groups["groups"].tolist() == [
        "valence: above - below median",
        "arousal: above - below median",
    ]
    assert groups["unit"] == "sd"
