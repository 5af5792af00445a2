"""The objective adds what is switched on, computes nothing else, and survives half precision."""

from typing import Any

import pytest
import torch

from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.geometry import Geometry
from neurogaze.losses.logit_kd import LogitKD
from neurogaze.losses.objective import Objective
from neurogaze.losses.proto_kd import ProtoKD, gaussian_targets
from neurogaze.losses.va_head import VaHead
from tests.losses.batches import batch

WIDTH = 12
TERMS = {
    "ce": CrossEntropy,
    "kd": LogitKD,
    "kd_kl": lambda: LogitKD(mode="kl"),
    "proto": ProtoKD,
    "proto_5": lambda: ProtoKD(logit_scale=5.0, target="row_softmax"),
    "geo": Geometry,
    "va": lambda: VaHead(embedding_dim=WIDTH),
}
"""Every term, fresh, in its forms."""


def full(**changes):
    slots = {"ce": CrossEntropy(), "kd": LogitKD(), "proto": ProtoKD(), "geo": Geometry()}
    return Objective(**(slots | {"va": VaHead(embedding_dim=WIDTH)} | changes))


def whole():
    """The total of all terms, as a function of a batch."""
    objective = full()
    return lambda seen: objective(seen)[0]


def every_loss():
    """Each term alone, and the objective with all of them, as functions of a batch."""
    makers = TERMS | {"full": whole}
    return pytest.mark.parametrize("maker", makers.values(), ids=makers.keys())


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
        + 0.12 * VaHead(embedding_dim=WIDTH)(seen)
    )
    torch.testing.assert_close(total, expected)
    assert list(terms) == ["ce", "kd", "proto", "geo", "va"]
    torch.testing.assert_close(sum(terms.values()), total)


@pytest.mark.parametrize(
    ("slot", "term"),
    [
        ("kd", LogitKD(0.0)),
        ("proto", ProtoKD(0.0)),
        ("geo", Geometry(0.0)),
        ("ce", CrossEntropy(0.0)),
        ("va", VaHead(0.0, WIDTH)),
    ],
)
def test_weight_zero_is_not_computed(slot, term):
    """Counted: of all terms' computations, none is of this one, and each other is one."""
    objective = full(**{slot: term})
    calls = {name: count_calls(module) for name, module in objective.named_children()}
    _, terms = objective(batch())
    assert {name: len(seen) for name, seen in calls.items()} == {
        name: int(name != slot) for name in ("ce", "kd", "proto", "geo", "va")
    }
    assert slot not in terms


def test_geometry_of_weight_zero_follows_no_means():
    objective = full(geo=Geometry(0.0))
    objective(batch())
    assert not objective.geo.known.any()


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
    assert objective(batch(**halves))[1]["geo"].item() == 0.0
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


ODD_BATCHES = {
    "one sample": [3],
    "one positive sample": [1],
    "one class": [4] * 6,
    "one positive class": [1] * 6,
}


@pytest.mark.parametrize("labels", ODD_BATCHES.values(), ids=ODD_BATCHES.keys())
@every_loss()
def test_odd_batches_are_finite(maker, labels):
    seen = batch(labels=labels)
    loss = maker()(seen)
    assert torch.isfinite(loss)
    loss.backward()
    for tensor in (seen.logits, seen.embedding):
        assert tensor.grad is None or torch.isfinite(tensor.grad).all()


@every_loss()
def test_equal_embeddings_and_zero_embeddings_are_finite(maker):
    for value in (0.0, 1.0):
        seen = batch(embedding=torch.full((16, WIDTH), value, requires_grad=True))
        maker()(seen).backward()
        assert seen.embedding.grad is None or torch.isfinite(seen.embedding.grad).all()


@every_loss()
def test_autocast_does_not_reach_the_losses(maker):
    """The same numbers in half precision, once as they come and once widened by hand."""
    half = batch(dtype=torch.bfloat16)
    names = ("logits", "embedding", "teacher_logits", "prototypes")
    wide = batch(**{name: getattr(half, name).detach().float() for name in names})
    expected = maker()(wide)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = maker()(half)
    assert loss.dtype is torch.float32
    torch.testing.assert_close(loss, expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("maker", TERMS.values(), ids=TERMS.keys())
def test_gradients_by_finite_differences(maker):
    """Geometry without its running means, which would move between two evaluations."""
    seen, term = batch(n=9, dtype=torch.float64), maker().double().eval()

    def loss(logits, embedding):
        seen.logits, seen.embedding = logits, embedding
        return term(seen)

    assert torch.autograd.gradcheck(loss, (seen.logits, seen.embedding))


def test_nothing_pulls_at_what_is_given():
    """Grid, cell centres, the teacher's logits and the targets are data."""
    given = ("prototypes", "centers", "teacher_logits", "target")
    seen = batch()
    for name in given:
        getattr(seen, name).requires_grad_()
    full()(seen)[0].backward()
    assert seen.embedding.grad is not None
    for name in given[:-1]:
        assert getattr(seen, name).grad is None, name


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
