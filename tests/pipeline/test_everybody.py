"""Who counts, whose rows, and which windows teachers are aligned on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import ortho_group
from torch import nn

from neurogaze.eeg.splits import make_split
from neurogaze.errors import InputError
from neurogaze.models.teacher import TeacherOutput
from neurogaze.pipeline.embedding import match_moments
from neurogaze.pipeline.everybody import (
    LabelledData,
    anchor_embeddings,
    anchor_source,
    labelled_data,
    laid_out_like,
    people_of,
    place_everybody,
    training_ratings,
)
from neurogaze.prototypes.consolidate import ConsolidateSettings, grid_of
from tests.eeg.toy import make_table
from tests.pipeline.fakes import WIDTH, fake_folds
from tests.pipeline.test_consolidating import tiny_data

COARSE = ConsolidateSettings(size=2)


def labelled(table=None):
    table = table or make_table()
    split, folds = fake_folds(table)
    return LabelledData(table, split, "people"), folds


def make_grid(data, support, folds, settings):
    return grid_of(place_everybody(data, support, folds, settings).placed, settings)


def test_nobody_counts_twice():
    """Two corpora of the same six people fill a cell with at most six of them, not twelve."""
    data, folds = labelled()
    support = replace(make_table(seed=5), corpus="toy_raw")
    alone = make_grid(data, [], folds, COARSE)
    same = make_grid(data, [(support, "people")], folds, COARSE)
    others = make_grid(data, [(support, "strangers")], folds, COARSE)
    assert alone.counts.sum() == data.table.n_rows
    assert same.counts.sum() == others.counts.sum() == 2 * data.table.n_rows
    assert alone.n_subjects.max() <= 6
    assert same.n_subjects.max() <= 6
    assert others.n_subjects.max() > 6


def test_faithful_takes_the_people_of_one_fold():
    data, folds = labelled()
    faithful = replace(COARSE, mode="faithful", fold=1)
    chosen = make_grid(data, [], folds[1:2], faithful)
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
    assert anchor_source([(support, "more")]) == "support windows"
    assert anchor_source([]) == "labelled windows, labels not used"


def test_ratings_are_those_of_training_people_one_an_event():
    data, _ = labelled()
    table = data.table
    for fold, ratings in zip(data.split.folds, training_ratings(data), strict=True):
        rows = np.isin(table.subject, fold.train)
        said = zip(table.valence[rows].tolist(), table.arousal[rows].tolist(), strict=True)
        assert len(ratings) == len(fold.train) * 6
        assert {tuple(r) for r in ratings.tolist()} == set(said)


def test_labelled_data_name_their_people(tiny_run):
    data = tiny_data(tiny_run)
    made = labelled_data(data)
    assert made.split == make_split(made.table, data.split)
    assert made.people == people_of(data) == (data.corpus.people or data.corpus.name)


def test_rows_are_seen_standardised_by_the_teacher_that_held_them_out():
    data, folds = labelled()
    everybody = place_everybody(data, [], folds, COARSE)
    teacher = folds[0].task.teacher
    mean, std = teacher.feature_mean.numpy(), teacher.feature_std.numpy()
    expected = (data.table.features - mean) / std
    np.testing.assert_allclose(everybody.seen, expected[everybody.placed.row], rtol=1e-6)
    people = [name.split("/")[1] for name in everybody.placed.subject.tolist()]
    assert people == data.table.subject[everybody.placed.row].tolist()


class Turned(nn.Module):
    """A teacher that says the same in another basis."""

    def __init__(self, teacher, turn):
        super().__init__()
        self.inner, self.turn, self.head = teacher, torch.from_numpy(turn).float(), teacher.head
        self.feature_mean, self.feature_std = teacher.feature_mean, teacher.feature_std

    def forward(self, features):
        out = self.inner(features)
        return TeacherOutput(out.embedding @ self.turn, out.va)


def test_a_teacher_in_another_basis_does_not_change_the_grid():
    data, folds = labelled()
    plain = make_grid(data, [], folds, COARSE)
    folds[1].task.teacher = Turned(folds[1].task.teacher, ortho_group.rvs(WIDTH, random_state=0))
    raw = place_everybody(data, [], folds, replace(COARSE, mode="faithful", fold=1)).placed
    again = place_everybody(data, [], folds, COARSE).placed
    assert np.abs(raw.unit - again.unit[again.fold == 1]).max() > 0.5
    assert (plain.prototypes * grid_of(again, COARSE).prototypes).sum(axis=1).min() > 0.999


def test_electrodes_of_a_support_corpus_are_found_by_name():
    own = replace(make_table(), channels=("AF3", "T7", "O1", "AF4"))
    wide = make_table(n_features=(6, 2), seed=1)
    wide = replace(wide, channels=("O1", "Cz", "af4", "T3", "Pz", "AF3"))
    picked = laid_out_like(wide, own)
    assert picked.channels == own.channels
    np.testing.assert_array_equal(picked.features, wide.features[:, [5, 3, 0, 2]])
    with pytest.raises(InputError, match="toy: has no electrode \\['Cz', 'Pz'\\]"):
        laid_out_like(own, wide)
    with pytest.raises(InputError, match="bands"):
        laid_out_like(replace(wide, bands=("theta", "beta")), own)
