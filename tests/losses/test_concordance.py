"""Concordance is Lin's coefficient; the loss is 0 only for a perfect prediction."""

import numpy as np
import pytest
import torch

from neurogaze.losses.concordance import concordance, va_loss


def test_by_hand():
    """x = 1 2 3 4, y = 2 3 4 5: cov 1.25, variances 1.25, shift 1: 2.5 / 3.5."""
    x = torch.arange(1.0, 5.0, dtype=torch.float64)
    assert float(concordance(x, x + 1, eps=0.0)) == pytest.approx(2.5 / 3.5)


def test_against_numpy_population_moments():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 50))
    expected = 2 * np.cov(x, y, ddof=0)[0, 1] / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    value = concordance(torch.from_numpy(x), torch.from_numpy(y), eps=0.0)
    assert float(value) == pytest.approx(expected, rel=1e-12)


def test_axes_are_kept_apart():
    pair, truth = torch.randn(2, 30, 2)
    both = concordance(pair, truth)
    for axis in (0, 1):
        torch.testing.assert_close(both[axis], concordance(pair[:, axis], truth[:, axis]))


def test_loss_by_hand():
    truth = torch.tensor([[-1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    assert float(va_loss(truth, truth)) == pytest.approx(0.0, abs=1e-6)
    constant = torch.zeros(2, 2, dtype=torch.float64)
    assert float(va_loss(constant, truth)) == pytest.approx(0.5 * 1.0 + 0.5 * 1.0)
    assert float(va_loss(constant, truth, mse_weight=1.0)) == pytest.approx(1.0)
    assert float(va_loss(-truth, truth)) == pytest.approx(0.5 * 4.0 + 0.5 * 2.0, abs=1e-5)


def test_gradient():
    truth = torch.randn(6, 2, dtype=torch.float64)
    guess = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: va_loss(p, truth), guess)


@pytest.mark.parametrize("n", [1, 4])
def test_constant_inputs_are_finite(n):
    guess = torch.zeros(n, 2, requires_grad=True)
    va_loss(guess, torch.zeros(n, 2)).backward()
    assert torch.isfinite(guess.grad).all()


def test_half_precision_is_widened():
    guess = torch.randn(8, 2, dtype=torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert va_loss(guess, torch.randn(8, 2)).dtype is torch.float32
