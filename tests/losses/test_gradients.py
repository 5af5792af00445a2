"""Shares of the gradient at the embedding, by hand and against the chain rule."""

import copy
import math

import pytest
import torch

from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.geometry import Geometry
from neurogaze.losses.gradients import embedding_gradients, gradient_balance, gradient_shares
from neurogaze.losses.logit_kd import LogitKD
from neurogaze.losses.objective import Objective
from neurogaze.losses.proto_kd import ProtoKD
from tests.losses.batches import batch


def linear(seen, classify):
    """A batch whose logits come from the embedding, as the student's do."""
    seen.logits = classify(seen.embedding)
    return seen


def classifier(dim=12, dtype=torch.float32):
    torch.manual_seed(0)
    return torch.nn.Linear(dim, 8, dtype=dtype)


def full():
    return Objective(CrossEntropy(), LogitKD(), ProtoKD(), Geometry())


def test_shares_and_angle_by_hand():
    """Terms `3 x`, `4 y` and `3 x + 4 y` have gradients of norm 3, 4 and 5."""
    f = torch.tensor([[2.0, -1.0]], requires_grad=True)
    x, y = f[0, 0], f[0, 1]
    found = gradient_balance({"ce": 3 * x, "proto": 4 * y, "geo": 3 * x + 4 * y}, f)
    expected = {"share_ce": 3 / 12, "share_proto": 4 / 12, "share_geo": 5 / 12}
    assert {k: float(v) for k, v in found.items()} == pytest.approx(
        expected | {"cos_proto_geo": 4 / 5}
    )


def test_terms_that_fight_have_a_negative_cosine():
    f = torch.ones(2, 2, requires_grad=True)
    found = gradient_balance({"proto": f.sum(), "geo": -2 * f.sum()}, f)
    assert float(found["cos_proto_geo"]) == pytest.approx(-1.0)


def test_no_gradient_at_all_shares_nothing():
    f = torch.ones(2, 2, requires_grad=True)
    found = gradient_balance({"proto": 0 * f.sum(), "geo": 0 * f.sum()}, f)
    assert [float(v) for v in found.values()] == [0.0, 0.0, 0.0]
    assert [float(v) for v in gradient_shares({"ce": torch.zeros(3)}).values()] == [0.0]


def test_a_term_beside_the_embedding_has_no_share():
    f, other = torch.ones(2, 2, requires_grad=True), torch.ones(1, requires_grad=True)
    found = gradient_balance({"ce": f.sum(), "kd": other.sum()}, f)
    assert [float(v) for v in found.values()] == [1.0, 0.0]


def test_one_term_shares_with_nobody():
    f = torch.ones(2, 2, requires_grad=True)
    assert gradient_balance({"ce": f.sum()}, f) == {}


def test_without_geometry_there_is_no_angle():
    f = torch.ones(2, 2, requires_grad=True)
    assert set(gradient_balance({"ce": f.sum(), "proto": f.sum()}, f)) == {
        "share_ce",
        "share_proto",
    }


def test_cross_entropy_leads_back_through_the_classifier():
    """`dCE/df = (p - t) W / B` without smoothing and weights; the factor of a term counts."""
    head = classifier(dtype=torch.float64)
    seen = linear(batch(dtype=torch.float64), head)
    ce = CrossEntropy(weight=0.5, label_smoothing=0.0, class_weights="none")
    _, terms = Objective(ce, LogitKD())(seen)
    found = embedding_gradients(terms, seen.embedding)["ce"]
    p = seen.logits.detach().softmax(1)
    expected = 0.5 * (p - seen.target) @ head.weight.detach() / len(p)
    torch.testing.assert_close(found, expected.float().flatten())


def test_gradients_add_up_to_that_of_the_total():
    seen = linear(batch(), classifier())
    total, terms = full()(seen)
    found = embedding_gradients(terms, seen.embedding)
    total.backward()
    torch.testing.assert_close(sum(found.values()), seen.embedding.grad.flatten())
    shares = gradient_shares(found)
    assert list(shares) == ["ce", "kd", "proto", "geo"]
    assert float(sum(shares.values())) == pytest.approx(1.0)
    norms = {name: math.sqrt(float(g.square().sum())) for name, g in found.items()}
    assert float(shares["kd"]) == pytest.approx(norms["kd"] / sum(norms.values()))


def test_measuring_leaves_everything_as_it_was():
    """Running means, random state and parameters' gradients; the step itself comes after it."""
    objective, head = full(), classifier()
    objective(linear(batch(seed=5), head))
    other, twin = copy.deepcopy(objective), copy.deepcopy(head)
    total, terms = objective(seen := linear(batch(), head))
    means, state = objective.geo.means.clone(), torch.get_rng_state()
    gradient_balance(terms, seen.embedding)
    assert head.weight.grad is None
    assert seen.embedding.grad is None
    assert torch.equal(objective.geo.means, means)
    assert torch.equal(torch.get_rng_state(), state)
    total.backward()
    other(linear(batch(), twin))[0].backward()
    assert torch.equal(head.weight.grad, twin.weight.grad)


def test_half_precision_is_read_in_float32():
    head = classifier()
    wide = linear(batch(), head)
    expected = gradient_balance(full()(wide)[1], wide.embedding)
    half = batch()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half.embedding = half.embedding.to(torch.bfloat16)
        linear(half, head)
        found = gradient_balance(full()(half)[1], half.embedding)
    assert half.logits.dtype is torch.bfloat16
    for name, value in found.items():
        assert value.dtype is torch.float32
        assert float(value) == pytest.approx(float(expected[name]), abs=0.02)
