"""Saliency of teachers whose gradient is known, and means of the members of a cell."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from neurogaze.eeg.splits import evaluation_rows, fold_rows
from neurogaze.models.attention_maps import attention_weights
from neurogaze.models.teacher import Teacher, TeacherOutput
from neurogaze.pipeline import explaining
from neurogaze.pipeline.embedding import FoldTeacher
from neurogaze.pipeline.explaining import cell_features, explain, mean_attention, saliency
from tests.eeg.toy import CHANNELS, make_table
from tests.pipeline.fakes import fake_folds


class Linear(nn.Module):
    """Valence is a weighted sum of the features, arousal the square of its half."""

    def __init__(self, weight):
        super().__init__()
        self.weight = torch.tensor(weight, dtype=torch.float32)
        self.feature_mean = torch.full(weight.shape, 2.0)

    def forward(self, features):
        valence = (features * self.weight).flatten(1).sum(1)
        va = torch.stack([valence, (valence / 2) ** 2], dim=1)
        return TeacherOutput(va, va)


def fold_of(teacher):
    return FoldTeacher(SimpleNamespace(teacher=teacher), 0, frozenset())


def test_saliency_of_a_linear_teacher_is_weight_times_deviation():
    rng = np.random.default_rng(0)
    weight, features = rng.normal(size=(3, 2)), rng.normal(size=(20, 3, 2)).astype(np.float32)
    found = saliency(fold_of(Linear(weight)), features)
    deviation = np.abs(features - 2.0)
    np.testing.assert_allclose(found[0], np.abs(weight) * deviation.mean(0), rtol=1e-4)
    slope = np.abs((features * weight).sum((1, 2)) / 2)[:, None, None]
    np.testing.assert_allclose(found[1], np.abs(weight) * (slope * deviation).mean(0), rtol=1e-4)


def test_saliency_is_zero_where_the_teacher_does_not_look():
    """A linear map of standardised features does not depend on their units."""
    torch.manual_seed(0)
    teacher = Teacher(CHANNELS, 2, branches="electrodes").eval()
    features = np.random.default_rng(1).normal(size=(8, 4, 2)).astype(np.float32)
    plain = saliency(fold_of(teacher), features)
    assert plain.shape == (2, 4, 2)
    assert (plain > 0).all()
    teacher.set_statistics(np.full((4, 2), 5.0), np.full((4, 2), 3.0))
    np.testing.assert_allclose(saliency(fold_of(teacher), features * 3 + 5), plain, rtol=1e-3)
    teacher.encoders[0].project.weight.data[:, 1] = 0
    assert (saliency(fold_of(teacher), features)[:, :, 1] == 0).all()


def test_attention_is_the_mean_over_windows_heads_and_layers():
    torch.manual_seed(0)
    teacher = Teacher(CHANNELS, 2, map_size=8).eval()
    features = np.random.default_rng(1).normal(size=(5, 4, 2)).astype(np.float32)
    weights = attention_weights(teacher, torch.from_numpy(features))
    found = mean_attention(fold_of(teacher), features)
    np.testing.assert_allclose(found, weights.numpy().mean((0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(found.sum(1), 1.0, atol=1e-6)
    assert mean_attention(fold_of(Linear(np.ones((4, 2)))), features) is None


def test_cell_features_are_means_of_members_and_nan_where_there_are_none():
    seen = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    found = cell_features(seen, np.array([2, 0, 2]), 4)
    np.testing.assert_array_equal(found[0], seen[1])
    np.testing.assert_array_equal(found[2], (seen[0] + seen[2]) / 2)
    assert np.isnan(found[[1, 3]]).all()


@pytest.mark.parametrize("limit", [512, 4])
def test_every_fold_explains_the_people_it_held_out(monkeypatch, limit):
    monkeypatch.setattr(explaining, "MAX_WINDOWS", limit)
    table = make_table()
    split, folds = fake_folds(table)
    arrays = explain(table, split, folds)
    assert arrays["channels"].tolist() == list(table.channels)
    assert arrays["bands"].tolist() == list(table.bands)
    assert "attention" not in arrays
    each = []
    for fold in folds:
        rows = evaluation_rows(table, fold_rows(table, split, fold.fold)["test"])
        kept = rows[np.linspace(0, len(rows) - 1, min(limit, len(rows))).round().astype(int)]
        assert set(table.subject[kept]) <= fold.test_units
        seen = fold.task.teacher.seen
        assert all(len(batch) == len(kept) for batch in seen)
        each.append(saliency(fold, table.features[kept]))
    np.testing.assert_allclose(arrays["saliency"], np.mean(each, axis=0), rtol=1e-5)
