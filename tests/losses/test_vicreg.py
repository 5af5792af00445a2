"""The three terms in closed form, against NumPy, and in their extremes."""

import numpy as np
import pytest
import torch

from neurogaze.errors import InputError
from neurogaze.losses.vicreg import (
    VicregWeights,
    covariance_term,
    spread,
    variance_term,
    vicreg,
)


def drawn(n=40, d=5, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_against_numpy():
    a, b = 0.7 * drawn(), 0.4 * drawn(seed=1)
    x, y = a.numpy(), b.numpy()
    covariances = [np.cov(m, rowvar=False) for m in (x, y)]
    terms = vicreg(a, b, VicregWeights(2.0, 3.0, 5.0))
    assert float(terms["invariance"]) == pytest.approx(2 * np.mean((x - y) ** 2))
    lacks = [np.maximum(0, 1 - np.sqrt(np.diag(c) + 1e-4)).mean() for c in covariances]
    assert float(terms["variance"]) == pytest.approx(3 * sum(lacks))
    off = [((c - np.diag(np.diag(c))) ** 2).sum() / 5 for c in covariances]
    assert float(terms["covariance"]) == pytest.approx(5 * sum(off))


def test_variance_by_hand():
    """Columns with variances 0, 0.25 - 1e-4 and 4: they lack 0.99, 0.5 and nothing."""
    signs = torch.tensor([1.0, -1.0] * 8, dtype=torch.float64)
    unit = signs / signs.std()
    columns = [0 * unit, (0.25 - 1e-4) ** 0.5 * unit, 2 * unit]
    term = variance_term(torch.stack(columns, dim=1))
    assert float(term) == pytest.approx((0.99 + 0.5 + 0.0) / 3)


def test_covariance_by_hand():
    """Two equal columns of variance v: 2 v^2 / 2; orthogonal ones: 0."""
    wave = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    other = torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=torch.float64)
    variance = 4 / 3
    twice = torch.stack([wave, wave], dim=1)
    assert float(covariance_term(twice)) == pytest.approx(variance**2)
    assert float(covariance_term(torch.stack([wave, other], dim=1))) == pytest.approx(0.0)


def test_collapse_costs_the_most_and_a_whitened_batch_nothing():
    collapsed = torch.ones(16, 4, dtype=torch.float64)
    terms = vicreg(collapsed, collapsed)
    assert float(terms["variance"]) == pytest.approx(25 * 2 * 0.99)
    assert float(terms["invariance"]) == float(terms["covariance"]) == 0
    centred = drawn(64, 4) - drawn(64, 4).mean(0)
    white = torch.linalg.qr(centred)[0] * 63**0.5 * 1.01
    assert sum(float(term) for term in vicreg(white, white).values()) == pytest.approx(0, abs=1e-12)


def test_a_collapsed_batch_is_pushed_apart():
    """The root has a gradient although the variance is nearly nothing."""
    outputs = (1e-4 * drawn()).requires_grad_()
    before = float(outputs.detach().std(dim=0).mean())
    variance_term(outputs).backward()
    assert torch.isfinite(outputs.grad).all()
    moved = outputs.detach() - outputs.grad
    assert float(moved.std(dim=0).mean()) > before


def test_gradients():
    a, b = drawn(6, 3).requires_grad_(), drawn(6, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: sum(vicreg(x, y).values()), (a, b))


def test_half_precision_is_widened():
    a, b = drawn().bfloat16(), drawn(seed=1).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = vicreg(a, b)
    for name, term in vicreg(a.float(), b.float()).items():
        assert terms[name].dtype == torch.float32
        assert torch.equal(terms[name], term)


def test_spread_is_one_on_the_sphere_and_zero_in_a_point():
    assert float(spread(drawn(20_000, 8))) == pytest.approx(1.0, abs=0.01)
    assert float(spread(torch.ones(9, 8))) == 0.0


def test_negative_weights_are_refused():
    with pytest.raises(InputError, match=r"weights\.covariance: is -1"):
        VicregWeights(covariance=-1)
