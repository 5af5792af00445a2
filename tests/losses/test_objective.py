"""The objective adds what is switched on, computes nothing else, and survives half precision."""

from typing import Any

import pytest
import torch

from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.geometry import Geometry
from neurogaze.losses.logit_kd import LogitKD
from neurogaze.losses.objective import Objective, embedding_gradient
from neurogaze.losses.proto_kd import ProtoKD, gaussian_targets
from tests.losses.batches import batch


def full(**changes):
    slots = {"ce": CrossEntropy(), "kd": LogitKD(), "proto": ProtoKD(), "geo": Geometry()}
    return Objective(**(slots | changes))


def count_calls(module):
    calls: list[Any] = []
    module.register_forward_hook(lambda *seen: calls.append(seen))
    return calls


def test_total_is_the_weighted_sum():
    seen = batch()
    total, terms = full()(seen)
    expected = (
        CrossEntropy()(seen)
        + 0.30 * LogitKD()(seen)
        + 0.12 * ProtoKD()(seen)
        + 0.012 * Geometry()(seen)
    )
    torch.testing.assert_close(total, expected)
    assert list(terms) == ["ce", "kd", "proto", "geo"]
    torch.testing.assert_close(sum(terms.values()), total.detach())
    assert not any(term.requires_grad for term in terms.values())


@pytest.mark.parametrize(
    ("slot", "term"),
    [
        ("kd", LogitKD(0.0)),
        ("proto", ProtoKD(0.0)),
        ("geo", Geometry(0.0)),
        ("ce", CrossEntropy(0.0)),
    ],
)
def test_weight_zero_is_not_computed(slot, term):
    calls = count_calls(term)
    _, terms = full(**{slot: term})(batch())
    assert calls == []
    assert slot not in terms


@pytest.mark.parametrize(("epoch", "called"), [(0.0, 0), (31.0, 0), (32.0, 1), (99.0, 1)])
def test_ramp_zero_is_not_computed_but_means_are_warm(epoch, called):
    objective = full()
    calls = count_calls(objective.geo)
    objective(batch(epoch=epoch))
    assert len(calls) == called
    assert objective.geo.known.all()


def test_blended_images_cost_no_geometry():
    objective = full()
    halves = {"partner": torch.arange(16).flip(0), "lam": torch.full((16,), 0.5)}
    assert float(objective(batch(**halves))[1]["geo"]) == 0.0
    assert not objective.geo.known.any()


def test_a_mixed_batch_by_hand():
    """Each term on a blend, from the formulas alone: `lam` of one picture, the rest of the other.

    Cross-entropy, teacher probabilities softened by 5, and `q_pro` are linear in the blend.
    """
    lam, partner = torch.tensor([0.3, 1.0, 0.75, 0.0]).double(), torch.tensor([2, 0, 3, 1])
    seen = batch(n=4, labels=[1, 4, 0, 6], dtype=torch.float64, lam=lam, partner=partner)
    one_hot = seen.target
    seen.target = lam[:, None] * one_hot + (1 - lam)[:, None] * one_hot[partner]
    ce = CrossEntropy(label_smoothing=0.0, class_weights="none")
    _, terms = Objective(ce, LogitKD(0.3, "kl", 5.0), ProtoKD(0.12))(seen)

    log_p = seen.logits.detach().log_softmax(1)
    hard = -log_p[torch.arange(4), seen.label], -log_p[torch.arange(4), seen.label[partner]]
    expected = (lam * hard[0] + (1 - lam) * hard[1]).mean()
    assert terms["ce"].item() == pytest.approx(expected.item())

    soft = (seen.teacher_logits / 5).softmax(1)
    mixture = lam[:, None] * soft + (1 - lam)[:, None] * soft[partner]
    log_s = (seen.logits.detach() / 5).log_softmax(1)
    divergence = (mixture * (mixture.log() - log_s)).sum(1).mean()
    assert terms["kd"].item() == pytest.approx(0.3 * 25 * divergence.item())

    table = gaussian_targets(seen.centers.double(), 0.4)
    pulled = lam[:, None] * table[seen.label] + (1 - lam)[:, None] * table[seen.label[partner]]
    unit = torch.nn.functional.normalize(seen.embedding.detach(), dim=1)
    log_q = (unit @ seen.prototypes.T / 0.9).log_softmax(1)
    divergence = (pulled * (pulled.log() - log_q)).sum(1).mean()
    assert terms["proto"].item() == pytest.approx(0.12 * divergence.item())


@pytest.mark.parametrize("term", [CrossEntropy(), LogitKD(), LogitKD(mode="kl"), ProtoKD()])
def test_gradients_on_blends(term):
    seen = batch(n=4, dtype=torch.float64, lam=torch.tensor([0.3, 1.0, 0.75, 0.0]).double())
    seen.partner = torch.tensor([2, 0, 3, 1])

    def loss(logits, embedding):
        seen.logits, seen.embedding = logits, embedding
        return term(seen)

    assert torch.autograd.gradcheck(loss, (seen.logits, seen.embedding))


def test_nothing_given_is_cross_entropy():
    assert isinstance(Objective().ce, CrossEntropy)
    assert Objective(kd=LogitKD()).ce is None


def test_all_factors_zero_still_has_a_gradient():
    seen = batch()
    total, terms = Objective(ce=CrossEntropy(0.0))(seen)
    total.backward()
    assert terms == {}
    assert total.item() == 0.0


def test_class_counts_reach_the_cross_entropy():
    objective = full()
    objective.set_class_counts(torch.tensor([4, 1, 1, 1, 1, 1, 1, 1]))
    assert float(objective.ce.class_weight[1] / objective.ce.class_weight[0]) == pytest.approx(2.0)
    Objective(kd=LogitKD()).set_class_counts(torch.ones(8))
    shares = torch.full((8,), 1 / 8)
    objective.set_class_counts(torch.tensor([4, 1, 1, 1, 1, 1, 1, 1]), shares=shares)
    torch.testing.assert_close(objective.ce.log_prior, shares.log())
    objective.set_class_counts(torch.tensor([4, 1, 1, 1, 1, 1, 0, 1]), left_out=6)
    assert float(objective.ce.class_weight[6]) == 1.0


def test_bfloat16_autocast_computes_in_float32():
    objective = full()
    half = batch(dtype=torch.bfloat16)
    names = ("logits", "embedding", "teacher_logits", "prototypes")
    wide = batch(**{name: getattr(half, name).detach().float() for name in names})
    expected, _ = full()(wide)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total, _ = objective(half)
    assert total.dtype is torch.float32
    torch.testing.assert_close(total, expected, atol=1e-6, rtol=1e-6)
    total.backward()
    assert torch.isfinite(half.embedding.grad).all()
    assert objective.geo.means.dtype is torch.float32


def test_one_sample_is_finite():
    seen = batch(n=1)
    total, _ = full()(seen)
    total.backward()
    assert torch.isfinite(seen.logits.grad).all()
    assert torch.isfinite(seen.embedding.grad).all()


def test_embedding_gradient_is_the_plain_gradient():
    seen, term = batch(), ProtoKD()
    (expected,) = torch.autograd.grad(term(seen), seen.embedding)
    torch.testing.assert_close(embedding_gradient(term, seen), expected)


def test_embedding_gradient_leaves_the_running_means():
    term = Geometry()
    term.observe(batch())
    before = term.means.clone()
    with torch.no_grad():
        embedding_gradient(term, batch(seed=9))
    torch.testing.assert_close(term.means, before)
    assert term.training


def test_settings_file_switches_terms():
    """YAML fills the slots by class path; null is off; one number of one term can be overridden."""
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Objective, "loss")
    arguments = ["--loss.ce=CrossEntropy", "--loss.kd=LogitKD", "--loss.kd.weight=0.7"]
    arguments += ["--loss.geo=Geometry", "--loss.geo.positive_classes=[fear,anger]"]
    loss = parser.instantiate(parser.parse_args(arguments)).loss
    assert isinstance(loss.ce, CrossEntropy)
    assert (loss.kd.weight, loss.kd.mode) == (0.7, "mse")
    assert loss.proto is None
    assert loss.geo.positive == [6, 4]
