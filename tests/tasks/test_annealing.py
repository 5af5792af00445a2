"""The learning rate follows the closed form of the cosine, once an epoch, on all parameters."""

import math

import pytest
import torch
from torch import nn

from neurogaze.tasks.annealing import AnnealedAdamW, build_annealed


def test_learning_rate_of_every_epoch():
    model = nn.Linear(2, 2)
    made = build_annealed(AnnealedAdamW(), model.parameters(), epochs=300)
    optimiser, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    assert made["lr_scheduler"]["interval"] == "epoch"
    for epoch in range(301):
        expected = 1e-6 + (1e-3 - 1e-6) * (1 + math.cos(math.pi * epoch / 300)) / 2
        assert optimiser.param_groups[0]["lr"] == pytest.approx(expected, rel=1e-6)
        optimiser.step()
        schedule.step()


def test_decay_reaches_every_parameter():
    model = nn.Linear(2, 2)
    made = build_annealed(AnnealedAdamW(weight_decay=0.5), model.parameters(), epochs=1)
    groups = made["optimizer"].param_groups
    assert [(len(g["params"]), g["weight_decay"]) for g in groups] == [(2, 0.5)]
    assert isinstance(made["optimizer"], torch.optim.AdamW)
