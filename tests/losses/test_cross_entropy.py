"""Weighted cross-entropy agrees with PyTorch for hard labels and with the formula for soft ones."""

import math

import pytest
import torch
from torch.nn import functional as F

from neurogaze.errors import InputError
from neurogaze.losses.cross_entropy import (
    CrossEntropy,
    sqrt_class_weights,
    weighted_cross_entropy,
)
from tests.losses.batches import batch

COUNTS = torch.tensor([8740, 7287, 3149, 3014, 2100, 119, 532, 119])


def test_hard_labels_are_what_pytorch_computes():
    seen = batch()
    term = CrossEntropy(label_smoothing=0.0)
    term.set_class_counts(COUNTS)
    expected = F.cross_entropy(seen.logits, seen.label, weight=term.class_weight)
    torch.testing.assert_close(term(seen), expected)


def test_soft_targets_by_hand():
    """Two classes, uniform prediction ln 2: (3 * .25 + 1 * .75) ln 2 / (3 * .25 + 1 * .75)."""
    loss = weighted_cross_entropy(
        torch.zeros(1, 2), torch.tensor([[0.25, 0.75]]), torch.tensor([3.0, 1.0])
    )
    assert loss.item() == pytest.approx(math.log(2))
    logits = torch.log(torch.tensor([[0.8, 0.2]]))
    loss = weighted_cross_entropy(logits, torch.tensor([[0.25, 0.75]]), torch.tensor([3.0, 1.0]))
    assert loss.item() == pytest.approx((0.75 * -math.log(0.8) + 0.75 * -math.log(0.2)) / 1.5)


def test_one_hot_and_repeated_votes_agree():
    """Eight rows that vote one class each weigh as one row with the vote distribution."""
    weights = torch.rand(8) + 0.5
    logits = torch.randn(1, 8)
    votes = torch.tensor([[0.25, 0.5, 0.25, 0, 0, 0, 0, 0]])
    rows = torch.eye(8)[[0, 1, 1, 2]]
    torch.testing.assert_close(
        weighted_cross_entropy(logits, votes, weights),
        weighted_cross_entropy(logits.expand(4, 8), rows, weights),
    )


def test_smoothing_without_weights_is_that_of_pytorch():
    seen = batch()
    term = CrossEntropy(label_smoothing=0.055, class_weights="none")
    expected = F.cross_entropy(seen.logits, seen.label, label_smoothing=0.055)
    torch.testing.assert_close(term(seen), expected)


def test_smoothing_comes_before_weighting():
    seen = batch()
    term = CrossEntropy(label_smoothing=0.1)
    term.set_class_counts(COUNTS)
    target = 0.9 * seen.target + 0.1 / 8
    weighted = term.class_weight * target
    expected = -(weighted * seen.logits.log_softmax(1)).sum() / weighted.sum()
    torch.testing.assert_close(term(seen), expected)


def test_weights_are_capped_and_average_to_one():
    weights = sqrt_class_weights(COUNTS)
    assert float(weights.max() / weights.min()) == pytest.approx(6.0)
    assert float((weights * COUNTS).sum() / COUNTS.sum()) == pytest.approx(1.0)
    assert float(weights[2] / weights[0]) == pytest.approx(math.sqrt(8740 / 3149))


def test_equal_counts_give_no_weights():
    term = CrossEntropy()
    term.set_class_counts(torch.full((8,), 7))
    torch.testing.assert_close(term.class_weight, torch.ones(8))


def test_none_ignores_counts():
    term = CrossEntropy(class_weights="none")
    term.set_class_counts(COUNTS)
    assert term.class_weight.tolist() == [1.0] * 8


def test_an_empty_class_is_named():
    counts = COUNTS.clone()
    counts[7] = 0
    with pytest.raises(InputError, match="contempt"):
        CrossEntropy().set_class_counts(counts)


def test_gradient():
    seen = batch(n=4, dtype=torch.float64)
    term = CrossEntropy()
    term.set_class_counts(COUNTS)

    def loss(logits):
        seen.logits = logits
        return term(seen)

    assert torch.autograd.gradcheck(loss, seen.logits)
