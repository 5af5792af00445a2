"""Weighted cross-entropy agrees with PyTorch for hard labels and with the formula for soft ones."""

import math

import pytest
import torch
from torch.nn import functional as F

from neurogaze.errors import InputError
from neurogaze.losses.cross_entropy import (
    CrossEntropy,
    log_priors,
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


def test_votes_as_targets_are_the_label_distribution_loss():
    """KL(votes || p) by PyTorch: the same gradient; the value differs by the entropy of votes."""
    seen = batch(n=6, dtype=torch.float64)
    votes = torch.rand(6, 8, dtype=torch.float64)
    seen.target = votes / votes.sum(1, keepdim=True)
    loss = CrossEntropy(label_smoothing=0.0, class_weights="none")(seen)
    divergence = F.kl_div(seen.logits.log_softmax(1), seen.target, reduction="batchmean")
    gradients = [torch.autograd.grad(v, seen.logits)[0] for v in (loss, divergence)]
    torch.testing.assert_close(*gradients)
    entropy = -(seen.target * seen.target.log()).sum(1).mean()
    torch.testing.assert_close(loss - divergence, entropy)


def test_logit_adjustment_by_hand():
    """Equal logits, priors 3/4 and 1/4 of two classes among absent others: -log of the prior."""
    counts = torch.tensor([30, 10, 1, 1, 1, 1, 1, 1])
    term = CrossEntropy(label_smoothing=0.0, class_weights="none", logit_adjustment=1.0)
    term.set_class_counts(counts)
    seen = batch(labels=[1], logits=torch.zeros(1, 8))
    assert term(seen).item() == pytest.approx(-math.log(10 / 46))
    half = CrossEntropy(label_smoothing=0.0, class_weights="none", logit_adjustment=0.5)
    half.set_class_counts(counts)
    assert half(seen).item() == pytest.approx(-math.log(10**0.5 / counts.sqrt().sum().item()))


def test_logit_adjustment_is_equation_10_of_menon():
    """`log(1 + sum_{y'} (pi_y' / pi_y)^tau exp(f_y' - f_y))`, mean over the batch."""
    seen, tau = batch(n=5, dtype=torch.float64), 1.3
    term = CrossEntropy(label_smoothing=0.0, class_weights="none", logit_adjustment=tau)
    term.set_class_counts(COUNTS)
    prior, expected = COUNTS.double() / COUNTS.sum(), 0.0
    for f, y in zip(seen.logits.detach(), seen.label.tolist(), strict=True):
        terms = [(prior[c] / prior[y]) ** tau * (f[c] - f[y]).exp() for c in range(8) if c != y]
        expected += math.log(1 + sum(float(t) for t in terms)) / 5
    assert term(seen).item() == pytest.approx(expected, rel=1e-6)


def test_adjusted_gradient():
    seen = batch(n=4, dtype=torch.float64)
    term = CrossEntropy(logit_adjustment=1.0)
    term.set_class_counts(COUNTS)

    def loss(logits):
        seen.logits = logits
        return term(seen)

    assert torch.autograd.gradcheck(loss, seen.logits)


def test_a_class_left_out_on_purpose():
    counts = COUNTS.clone()
    counts[6] = 0
    term = CrossEntropy(logit_adjustment=1.0)
    term.set_class_counts(counts, left_out=6)
    others = torch.tensor([0, 1, 2, 3, 4, 5, 7])
    assert float(term.class_weight[6]) == 1.0
    torch.testing.assert_close(
        term.class_weight[others].double(), sqrt_class_weights(counts[others]), rtol=1e-6, atol=0
    )
    geometric = (counts[others].double() / counts.sum()).log().mean()
    assert float(log_priors(counts)[6]) == pytest.approx(float(geometric))
    assert torch.isfinite(term(batch()))
    with pytest.raises(InputError, match="fear"):
        term.set_class_counts(counts, left_out=7)


def test_the_state_is_that_of_earlier_versions():
    """Checkpoints hold the class weights alone; the priors are told again by the data."""
    assert list(CrossEntropy(logit_adjustment=1.0).state_dict()) == ["class_weight"]


def test_settings_out_of_range():
    with pytest.raises(InputError, match="logit_adjustment"):
        CrossEntropy(logit_adjustment=-1.0)
    with pytest.raises(InputError, match="class counts"):
        CrossEntropy().set_class_counts(torch.ones(7))


def test_the_prior_is_that_of_the_targets_and_the_weights_those_of_the_labels():
    """Rater's shares tell the prior where they are given; class weights stay those of counts."""
    shares = torch.tensor([0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05], dtype=torch.float64)
    term, plain = CrossEntropy(logit_adjustment=1.0), CrossEntropy()
    term.set_class_counts(COUNTS, shares=shares)
    plain.set_class_counts(COUNTS)
    torch.testing.assert_close(term.log_prior.double(), shares.log())
    assert torch.equal(term.class_weight, plain.class_weight)


def test_adjusted_by_the_shares_of_votes_nothing_is_learned_of_the_prior():
    """With votes as targets and nothing to see, equal logits are the optimum, by its gradient."""
    votes = torch.rand(32, 8, dtype=torch.float64)
    votes = votes / votes.sum(1, keepdim=True)
    term = CrossEntropy(label_smoothing=0.0, class_weights="none", logit_adjustment=1.0)
    term.double()
    term.set_class_counts(votes.argmax(1).bincount(minlength=8) + 1, shares=votes.mean(0))
    logits = torch.zeros(8, dtype=torch.float64, requires_grad=True)
    seen = batch(n=32, dtype=torch.float64)
    seen.logits, seen.target = logits.expand(32, 8), votes
    (gradient,) = torch.autograd.grad(term(seen), logits)
    torch.testing.assert_close(gradient, torch.zeros(8, dtype=torch.float64), atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"label_smoothing": 1.5}, r"loss\.ce\.label_smoothing: is 1\.5"),
        ({"label_smoothing": -0.1}, r"label_smoothing: is -0\.1"),
        ({"label_smoothing": math.nan}, "label_smoothing: is nan"),
        ({"logit_adjustment": math.nan}, r"loss\.ce\.logit_adjustment: is nan"),
        ({"logit_adjustment": math.inf}, "logit_adjustment: is inf"),
    ],
)
def test_settings_that_no_loss_has_are_told(settings, match):
    with pytest.raises(InputError, match=match):
        CrossEntropy(**settings)


def test_the_ends_of_smoothing_are_allowed():
    """All of it: the target is even, whatever the label."""
    seen = batch()
    even = CrossEntropy(weight=0.0, label_smoothing=1.0, class_weights="none")(seen)
    torch.testing.assert_close(even, -seen.logits.log_softmax(1).mean())
    assert torch.isfinite(CrossEntropy(label_smoothing=0.0)(seen))
