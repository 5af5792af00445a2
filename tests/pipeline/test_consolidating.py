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
    labelled_data,
    make_grid,
    people_of,
    training_ratings,
)
from neurogaze.pipeline.embedding import load_teacher, match_moments
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
    anchors = anchor_embeddings(data, [], folds)
    assert anchors.shape == (3, data.table.n_rows, 6)
    np.testing.assert_array_equal(anchors[:, 0, 0], [0, 1, 2])
    np.testing.assert_array_equal(anchors[0, :, 1:], anchors[2, :, 1:])


def test_anchors_are_recordings_that_nobody_was_trained_on_where_there_are_any():
    data, folds = labelled()
    support = replace(make_table(n_subjects=3, seed=5), corpus="more")
    anchors = anchor_embeddings(data, [(support, "more")], folds)
    assert anchors.shape[:2] == (3, support.n_rows)
    teacher = folds[1].task.teacher
    moments = teacher.feature_mean.numpy(), teacher.feature_std.numpy()
    matched = match_moments(support.features, *moments)
    np.testing.assert_allclose(teacher.seen[0], matched, atol=1e-5)
    grid = make_grid(data, [(support, "more")], folds, COARSE, {})
    assert grid.provenance["anchors"] == "support windows"


def test_ratings_are_those_of_training_people_one_an_event():
    data, _ = labelled()
    table = data.table
    for fold, ratings in zip(data.split.folds, training_ratings(data), strict=True):
        rows = np.isin(table.subject, fold.train)
        said = zip(table.valence[rows].tolist(), table.arousal[rows].tolist(), strict=True)
        assert len(ratings) == len(fold.train) * 6
        assert {tuple(r) for r in ratings.tolist()} == set(said)


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


def test_crossfit_needs_every_fold(tiny_run, tmp_path):
    path = tiny_run.run / "teacher-1" / "best.ckpt"
    with pytest.raises(InputError, match="--teachers: fold 0 is missing"):
        consolidate_teachers([path], tiny_data(tiny_run), [], COARSE, tmp_path / "out", CONTEXT)


def test_faithful_needs_one_teacher(tiny_run, tmp_path):
    """The grid, and the scores beside it, are of the people whom this fold held out."""
    path = tiny_run.run / "teacher-1" / "best.ckpt"
    settings = replace(COARSE, mode="faithful", fold=1)
    grid = consolidate_teachers(
        [path], tiny_data(tiny_run), [], settings, tmp_path, CONTEXT, permutations=20
    )
    held_out = set(load_teacher(path).provenance["test_units"])
    frame = read_predictions(tmp_path / "predictions.parquet", "eeg")
    assert set(frame["subject"]) == held_out
    assert grid.counts.sum() == len(held_out) * 4 * 3
    trials = {r.arm: r.n for r in read_rows(tmp_path / "results.jsonl") if "trial" in r.metric}
    assert trials == dict.fromkeys(["teacher", "ridge", "chance (99 % band)"], len(held_out) * 4)


def test_people_who_were_trained_on_are_refused(tiny_run, tmp_path):
    data = tiny_data(tiny_run)
    data.split = replace(data.split, protocol="trial")
    path = tiny_run.run / "teacher-1" / "best.ckpt"
    with pytest.raises(InputError, match="'trial' trains on the people it tests"):
        consolidate_teachers([path], data, [], COARSE, tmp_path / "out", CONTEXT)


def test_labelled_data_name_their_people(tiny_run):
    data = tiny_data(tiny_run)
    made = labelled_data(data)
    assert made.split == make_split(made.table, data.split)
    assert made.people == people_of(data) == (data.corpus.people or data.corpus.name)
