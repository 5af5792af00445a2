"""Fold teachers to a grid: who counts, whose rows, and that the order of files says nothing."""

from dataclasses import replace

import numpy as np
import pytest

from neurogaze import training
from neurogaze.eeg.splits import make_split
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import read_predictions
from neurogaze.evaluation.results import read_rows
from neurogaze.pipeline.consolidating import (
    LabelledData,
    anchor_embeddings,
    consolidate_teachers,
    eeg_results,
    held_out_predictions,
    labelled_data,
    make_grid,
    people_of,
    rated_events,
    topomap_groups,
)
from neurogaze.prototypes.consolidate import ConsolidateSettings
from neurogaze.prototypes.grid import PrototypeGrid
from tests.eeg.toy import make_table
from tests.pipeline.fakes import fake_folds
from tests.pipeline.tiny import EXPERIMENTS, TEACHER

COARSE = ConsolidateSettings(size=2)
CONTEXT = {"experiment": "x", "arm": "teacher", "seed": 0, "code_version": "0", "grid_hash": ""}


def labelled(table=None):
    table = table or make_table()
    split, folds = fake_folds(table)
    return LabelledData(table, split, "people"), folds


def test_nobody_counts_twice():
    """Two corpora of the same six people fill a cell with at most six of them, not twelve."""
    data, folds = labelled()
    support = replace(make_table(seed=5), corpus="toy_raw")
    alone = make_grid(data, [], folds, COARSE, {})
    same = make_grid(data, [(support, "people")], folds, COARSE, {})
    others = make_grid(data, [(support, "strangers")], folds, COARSE, {})
    assert alone.counts.sum() == data.table.n_rows
    assert same.counts.sum() == others.counts.sum() == 2 * data.table.n_rows
    assert alone.n_subjects.max() <= 6
    assert same.n_subjects.max() <= 6
    assert others.n_subjects.max() > 6


def test_faithful_takes_the_people_of_one_fold():
    data, folds = labelled()
    faithful = replace(COARSE, mode="faithful", fold=1)
    chosen = make_grid(data, [], folds[1:2], faithful, {})
    assert chosen.counts.sum() == np.isin(data.table.subject, [*folds[1].test_units]).sum()


def test_anchors_are_the_same_windows_for_every_fold():
    data, folds = labelled()
    anchors = anchor_embeddings(data, folds[::-1])
    assert anchors.shape == (3, data.table.n_rows, 6)
    np.testing.assert_array_equal(anchors[:, 0, 0], [0, 1, 2])
    np.testing.assert_array_equal(anchors[0, :, 1:], anchors[2, :, 1:])
    partial = anchor_embeddings(data, folds[1:])
    np.testing.assert_array_equal(partial[:, 0, 0], [1, 1, 2])


def test_every_window_is_predicted_once_by_the_fold_that_held_it_out():
    data, folds = labelled()
    frame = held_out_predictions(data, folds)
    keys = list(zip(frame["trial"], frame["start"], strict=True))
    free = data.table.start % 4.0 == 0
    assert len(keys) == len(set(keys)) == free.sum()
    for fold in folds:
        rows = free & np.isin(data.table.subject, [*fold.test_units])
        (seen,) = fold.task.teacher.seen
        np.testing.assert_array_equal(seen, data.table.features[rows])


def test_one_rating_an_event():
    table = make_table(n_subjects=3, n_clips=4)
    ratings = rated_events(table)
    assert ratings.shape == (12, 2)
    seen = set(zip(table.valence.tolist(), table.arousal.tolist(), strict=True))
    assert {tuple(r) for r in ratings.tolist()} == seen


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


def test_teachers_stand_beside_ridge_and_chance():
    data, folds = labelled(make_table(n_subjects=8, signal=3.0))
    rows = eeg_results(data, held_out_predictions(data, folds), CONTEXT, permutations=20)
    arms = {row.arm for row in rows}
    assert arms == {"teacher", "ridge", "chance (99 % band)"}
    assert {row.split_hash for row in rows} == {data.split.sha256}
    bands = [row for row in rows if row.arm.startswith("chance")]
    assert [row.metric for row in bands] == ["valence_ccc_trial", "arousal_ccc_trial"]
    assert all(row.low < row.high for row in bands)
    values = {(row.arm, row.metric): row.value for row in rows}
    assert values["ridge", "valence_ccc_trial"] > bands[0].high


def tiny_data(tiny_run):
    path = str(EXPERIMENTS / "data" / "synthetic_eeg.yaml")
    flags = [arg for arg in TEACHER if arg.startswith("--data.")]
    return training.load_data(["--data", path, f"--data.store={tiny_run.store}", *flags])


def test_the_order_of_the_checkpoints_says_nothing(tiny_run, tmp_path):
    made = PrototypeGrid.load(tiny_run.run / "grid" / "grid.npz")
    paths = [tiny_run.run / f"teacher-{number}" / "best.ckpt" for number in (1, 0)]
    settings = ConsolidateSettings(mode="crossfit", size=5, bins="predicted")
    grid = consolidate_teachers(
        paths, tiny_data(tiny_run), [], settings, tmp_path, CONTEXT, permutations=2
    )
    np.testing.assert_array_equal(grid.prototypes, made.prototypes)
    assert grid.sha256 == made.sha256
    assert len(read_predictions(tmp_path / "predictions.parquet", "eeg")) > 0
    assert {row.grid_hash for row in read_rows(tmp_path / "results.jsonl")} == {grid.sha256}


def test_two_teachers_of_one_fold_are_refused(tiny_run, tmp_path):
    path = tiny_run.run / "teacher-0" / "best.ckpt"
    again = tiny_run.run / "teacher-0" / "last.ckpt"
    with pytest.raises(InputError, match=r"last\.ckpt: is fold 0, as is .*best\.ckpt"):
        consolidate_teachers(
            [path, again], tiny_data(tiny_run), [], COARSE, tmp_path / "out", CONTEXT
        )
    assert not (tmp_path / "out").exists()


def test_labelled_data_name_their_people(tiny_run):
    data = tiny_data(tiny_run)
    made = labelled_data(data)
    assert made.split == make_split(made.table, data.split)
    assert made.people == people_of(data) == (data.corpus.people or data.corpus.name)
