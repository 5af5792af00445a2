"""Logit distillation against hand numbers."""

import math

import pytest
import torch

from neurogaze.errors import InputError
from neurogaze.losses.logit_kd import LogitKD, centred_mse, mixed_logits, softened_kl
from tests.losses.batches import batch


def test_mse_ignores_a_constant_of_the_row():
    student = torch.tensor([[1.0, 3.0]])
    assert float(centred_mse(student, torch.tensor([[11.0, 13.0]]))) == pytest.approx(0.0)
    assert float(centred_mse(student, torch.tensor([[0.0, 6.0]]))) == pytest.approx(4.0)


def test_kl_by_hand():
    """Teacher (3/4, 1/4), student (1/2, 1/2) after softening with T = 2."""
    teacher = 2.0 * torch.log(torch.tensor([[0.75, 0.25]]))
    expected = 4.0 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert float(softened_kl(torch.zeros(1, 2), teacher, 2.0)) == pytest.approx(expected)


def test_one_image_by_hand():
    """Teacher (2, 0, ..., 0), student 0: centred (7/4, -1/4, ...), of squares 3.5 / 8 = .4375.

    Softened by 5 the teacher is (e^.4, 1, ..., 1) / (e^.4 + 7), the student even.
    """
    teacher = torch.tensor([[2.0] + [0.0] * 7])
    seen = batch(labels=[0], logits=torch.zeros(1, 8), teacher_logits=teacher)
    assert LogitKD()(seen).item() == pytest.approx(0.4375)
    e = math.exp(0.4)
    first, other = e / (e + 7), 1 / (e + 7)
    divergence = first * math.log(8 * first) + 7 * other * math.log(8 * other)
    assert LogitKD(mode="kl")(seen).item() == pytest.approx(25 * divergence, rel=1e-4)
    assert 25 * divergence == pytest.approx(0.26521, abs=2e-5)
    plain = LogitKD(mode="kl", temperature=1.0)(seen).item()
    e = math.exp(2.0)
    first, other = e / (e + 7), 1 / (e + 7)
    assert plain == pytest.approx(
        first * math.log(8 * first) + 7 * other * math.log(8 * other), rel=1e-4
    )


def test_kl_at_high_temperature_tends_to_centred_mse():
    """Hinton et al. 2015, section 2.1: T^2 KL tends to half the squared centred difference / C."""
    student, teacher = torch.randn(2, 6, 8, dtype=torch.float64)
    limit = centred_mse(student, teacher) / 2
    assert float(softened_kl(student, teacher, 1e4) / limit) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("mode", ["mse", "kl"])
def test_gradient_reaches_the_student_only(mode):
    seen = batch(n=4, dtype=torch.float64)
    seen.teacher_logits.requires_grad_()
    term = LogitKD(mode=mode)
    term(seen).backward()
    assert seen.teacher_logits.grad is None
    assert float(seen.logits.grad.abs().sum()) > 0

    def loss(logits):
        seen.logits = logits
        return term(seen)

    assert torch.autograd.gradcheck(loss, seen.logits)


def test_equal_logits_cost_nothing():
    seen = batch()
    seen.teacher_logits = seen.logits.detach() + 3.0
    for mode in ("mse", "kl"):
        assert LogitKD(mode=mode)(seen).item() == pytest.approx(0.0, abs=1e-6)


def test_missing_teacher_is_told():
    with pytest.raises(InputError, match="kd: null"):
        LogitKD()(batch(teacher_logits=None))


@pytest.mark.parametrize("temperature", [1.0, 5.0])
def test_probabilities_are_blended_by_hand(temperature):
    """Softened (3/4, 1/4) and (1/4, 3/4), 0.5 : 0.5, are even; 0.8 : 0.2 are (0.65, 0.35)."""
    teacher = temperature * torch.log(torch.tensor([[0.75, 0.25], [0.25, 0.75], [0.25, 0.75]]))
    lam, partner = torch.tensor([0.5, 1.0, 0.2]), torch.tensor([1, 2, 0])
    mixed = mixed_logits(teacher, partner, lam, temperature)
    expected = torch.tensor([[0.5, 0.5], [0.25, 0.75], [0.65, 0.35]])
    torch.testing.assert_close((mixed / temperature).softmax(1), expected)


def test_what_is_not_blended_costs_the_same():
    seen = batch()
    plain = [LogitKD(mode=mode)(seen) for mode in ("mse", "kl")]
    seen.partner, seen.lam = torch.arange(16).flip(0), torch.ones(16)
    blended = [LogitKD(mode=mode)(seen) for mode in ("mse", "kl")]
    torch.testing.assert_close(blended, plain)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_whole_shares_are_finite(share):
    seen = batch(n=4, partner=torch.tensor([1, 0, 3, 2]), lam=torch.full((4,), share))
    seen.teacher_logits = 60 * seen.teacher_logits
    for mode in ("mse", "kl"):
        loss = LogitKD(mode=mode)(seen)
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(seen.logits.grad).all()


@pytest.mark.parametrize("temperature", [0.0, -5.0, math.nan, math.inf])
def test_a_temperature_that_is_none_is_told(temperature):
    with pytest.raises(InputError, match=rf"loss\.kd\.temperature: is {temperature}"):
        LogitKD(mode="kl", temperature=temperature)
