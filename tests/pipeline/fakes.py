"""Fold teachers whose embedding tells which fold made it."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from neurogaze.eeg.splits import SplitSettings, make_split
from neurogaze.models.teacher import TeacherOutput
from neurogaze.pipeline.embedding import FoldTeacher

WIDTH = 6


class FakeTeacher(nn.Module):
    """A fixed linear map of the features, with the number of the fold in the first place."""

    def __init__(self, number: int, shape=(4, 2)) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        self.number = number
        self.mix = torch.randn(shape[0] * shape[1], WIDTH - 1, generator=draw)
        self.head = nn.Linear(WIDTH, 2)
        self.feature_mean = torch.randn(shape, generator=draw)
        self.feature_std = torch.rand(shape, generator=draw) + 0.5
        self.seen: list[np.ndarray] = []

    def forward(self, features):
        self.seen.append(features.detach().numpy().copy())
        mixed = features.flatten(1) @ self.mix
        first = torch.full((len(features), 1), float(self.number))
        return TeacherOutput(torch.cat([first, mixed], dim=1), torch.tanh(mixed[:, :2]))


def fake_folds(table, protocol="loso", n_folds=3):
    """A split of a table and a fake teacher for each of its folds."""
    split = make_split(table, SplitSettings(protocol=protocol, n_folds=n_folds))
    folds = [
        FoldTeacher(
            SimpleNamespace(teacher=FakeTeacher(i), config_hash="", provenance={}),
            i,
            frozenset(fold.test),
        )
        for i, fold in enumerate(split.folds)
    ]
    return split, folds
