"""The geometric term by hand, its schedule at the published vector, and its corners."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal
from torch.nn import functional as F

from neurogaze.affect import EMOTIONS, anchors, grid_centers
from neurogaze.errors import InputError
from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.geometry import (
    Geometry,
    class_means,
    late_cosine,
    margin_violation,
    target_distances,
    variance_excess,
)
from neurogaze.losses.objective import Objective
from neurogaze.losses.proto_kd import ProtoKD, gaussian_targets
from tests.losses.batches import batch

HAPPY, SURPRISE = EMOTIONS.index("happiness"), EMOTIONS.index("surprise")


@pytest.mark.parametrize(
    ("epoch", "expected"), [(19, 0), (30, 0.00176), (40, 0.006), (50, 0.01024), (60, 0.012)]
)
def test_ramp_at_the_published_vector(epoch, expected):
    assert 0.012 * late_cosine(epoch, hard_gate=0.0) == pytest.approx(expected, abs=5e-6)


def test_gate_opens_at_epoch_32():
    term = Geometry()
    assert next(e for e in range(100) if term.ramp(e, 100) > 0) == 32
    assert term.ramp(30, 100) == 0.0
    assert term.ramp(32, 100) == pytest.approx(0.5 * (1 - math.cos(math.pi * 0.3)))


def test_ramp_is_stretched_to_the_training():
    term = Geometry()
    for epoch in range(0, 200, 7):
        assert term.ramp(epoch, 200) == pytest.approx(term.ramp(epoch / 2, 100))


def test_coefficient():
    term = Geometry()
    assert term.coefficient(batch(epoch=40.0)) == pytest.approx(0.006)


def excess(unit, member, cap):
    counts = member.sum(0)
    return variance_excess(unit, member, class_means(unit, member, counts), counts, cap)


def test_variance_is_the_unbiased_one():
    unit = F.normalize(torch.randn(9, 5, dtype=torch.float64), dim=1)
    member = torch.ones(9, 1, dtype=torch.float64)
    expected = float(unit.var(0, correction=1).sum()) - 0.1
    assert float(excess(unit, member, cap=0.1)) == pytest.approx(expected)


def test_variance_by_hand():
    """Two opposite unit vectors: mean 0, each at distance 1, times 2/1."""
    unit = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    assert float(excess(unit, torch.ones(2, 1), 0.25)) == 1.75


def test_the_cap_by_hand():
    """Two unit vectors at a right angle: mean (.5, .5), each at squared distance .5, times 2/1."""
    unit, member = torch.eye(2), torch.ones(2, 1)
    assert [float(excess(unit, member, cap)) for cap in (0.0, 0.25, 1.0, 2.0)] == [1, 0.75, 0, 0]


def test_classes_with_one_sample_do_not_dilute_the_cap():
    unit = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    member = torch.tensor([[1.0, 0], [1, 0], [0, 1]])
    assert float(excess(unit, member, 0.25)) == 1.75


def test_margin_by_hand():
    """Cosines 1, 0 and 0 between three means: violations .5, 0 and 0 over three pairs."""
    means = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    every = torch.ones(3, dtype=torch.bool)
    assert float(margin_violation(means, every, every, 0.5)) == pytest.approx(0.5 / 3)


def test_margin_leaves_pairs_out_by_hand():
    """The violation of .5 stands in one pair of two, or in none of two."""
    means = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    every, apart = torch.ones(3, dtype=torch.bool), torch.ones(3, 3, dtype=torch.bool)
    apart[0, 2] = apart[2, 0] = False
    assert float(margin_violation(means, every, every, 0.5, apart)) == pytest.approx(0.25)
    apart[0, 1] = apart[1, 0] = False
    assert float(margin_violation(means, every, every, 0.5, apart)) == 0.0


@pytest.mark.parametrize(("size", "width"), [(5, 0.4), (3, 2 / 3), (9, 2 / 9)])
def test_distances_of_the_targets(size, width):
    """SciPy's densities on the cell centres, and half the sum of absolute differences."""
    centers, places = grid_centers(size), anchors()
    density = np.array([multivariate_normal(place, width**2).pdf(centers) for place in places])
    density /= density.sum(axis=1, keepdims=True)
    expected = cdist(density, density, "cityblock") / 2
    np.testing.assert_allclose(
        target_distances(gaussian_targets(torch.from_numpy(centers))), expected, atol=1e-6
    )


def test_the_pairs_that_a_distance_of_three_tenths_leaves_out():
    """Anger, disgust and contempt share a cell of the 5x5 grid and fear lies in the next."""
    near = target_distances(gaussian_targets(torch.from_numpy(grid_centers(5)))) < 0.3
    pairs = {(EMOTIONS[a], EMOTIONS[b]) for a in range(8) for b in range(a + 1, 8) if near[a, b]}
    assert pairs == {
        ("anger", "disgust"),
        ("anger", "fear"),
        ("disgust", "fear"),
        ("disgust", "contempt"),
    }


def test_near_classes_keep_no_margin():
    """The margin is that of the pairs left, and 0 where none is."""
    shown = [EMOTIONS.index(name) for name in ("neutral", "anger", "fear")]
    seen = batch(labels=shown)
    loss = Geometry(least_distance=0.3)(seen)
    means = F.normalize(seen.embedding, dim=1)
    far = [F.relu(0.5 - 1 + means[0] @ means[other]) for other in (1, 2)]
    torch.testing.assert_close(loss, sum(far) / 2)
    near = Geometry(least_distance=0.3)
    same = batch(labels=shown[1:], embedding=torch.ones(2, 12, requires_grad=True))
    assert near(same).item() == 0.0
    assert Geometry()(same).item() == pytest.approx(0.5)


def test_a_distance_needs_a_grid_from_the_first_step():
    term = Geometry(least_distance=0.3)
    with pytest.raises(
        InputError, match=r"least_distance: is 0\.3, but there is no prototype grid"
    ):
        term.observe(batch(centers=None, epoch=0.0))
    assert torch.isfinite(Geometry()(batch(centers=None)))
    with pytest.raises(InputError, match=r"least_distance: is 1\.5"):
        Geometry(least_distance=1.5)


def test_margin_counts_pairs_with_one_class_in_the_batch():
    means = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    known = torch.tensor([True, True, True, False])
    present = torch.tensor([True, False, False, False])
    assert float(margin_violation(means, present, known, 0.5)) == pytest.approx(0.5)
    nobody = torch.zeros(4, dtype=torch.bool)
    assert float(margin_violation(means, nobody, known, 0.5)) == 0.0


def test_first_step_is_the_formula_on_batch_means():
    seen = batch(n=32, dtype=torch.float64)
    unit = F.normalize(seen.embedding.detach(), dim=1)
    intra = [
        F.relu(unit[seen.label == c].var(0, correction=1).sum() - 0.25) for c in (HAPPY, SURPRISE)
    ]
    means = torch.stack([unit[seen.label == c].mean(0) for c in range(8)])
    pairs = [
        F.relu(0.5 - 1 + F.cosine_similarity(means[a], means[b], dim=0))
        for a in range(8)
        for b in range(a)
    ]
    expected = sum(intra) / 2 + sum(pairs) / 28
    assert Geometry()(seen).item() == pytest.approx(expected.item(), rel=1e-5)


def test_running_means():
    term = Geometry()
    first, second = batch(seed=1, labels=[0, 0, 3]), batch(seed=2, labels=[0, 5])
    term.observe(first)
    start = F.normalize(first.embedding, dim=1)
    torch.testing.assert_close(term.means[0], start[:2].mean(0))
    assert term.known.tolist() == [True, False, False, True, False, False, False, False]
    term.observe(second)
    now = F.normalize(second.embedding, dim=1)
    torch.testing.assert_close(term.means[0], 0.9 * start[:2].mean(0) + 0.1 * now[0])
    torch.testing.assert_close(term.means[3], start[2])
    torch.testing.assert_close(term.means[5], now[1])


def test_means_carry_the_value_and_the_batch_the_gradient():
    """The gradient is that of the margin taken at the running means, through the batch means."""
    term = Geometry(cap=10.0, margin=2.0)
    term(batch(seed=3))
    seen = batch(seed=4)
    loss = term(seen)
    (gradient,) = torch.autograd.grad(loss, seen.embedding)
    means = term.means.clone().requires_grad_()
    every = torch.ones(8, dtype=torch.bool)
    expected = margin_violation(means, every, every, 2.0)
    torch.testing.assert_close(loss, expected)
    (at_means,) = torch.autograd.grad(expected, means)
    unit = F.normalize(seen.embedding, dim=1)
    batch_means = torch.stack([unit[seen.label == c].mean(0) for c in range(8)])
    (chained,) = torch.autograd.grad(batch_means, seen.embedding, at_means)
    torch.testing.assert_close(gradient, chained)


def test_parts_have_the_right_gradients():
    label = torch.tensor([1, 1, 1, 2, 2, 0, 4])
    member = F.one_hot(label, 8).double()
    every = member.sum(0) > 0
    raw = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)

    def intra(x):
        return excess(F.normalize(x, dim=1), member[:, [1, 2]], 0.25)

    def inter(x):
        means = class_means(F.normalize(x, dim=1), member, member.sum(0))
        return margin_violation(means, every, every, 0.5)

    assert torch.autograd.gradcheck(intra, raw)
    assert torch.autograd.gradcheck(inter, raw)


@pytest.mark.parametrize("labels", [[1], [0], [1, 1, 1], [1, 2], [7] * 4])
def test_one_sample_or_one_class_is_finite(labels):
    seen = batch(labels=labels)
    loss = Geometry()(seen)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(seen.embedding.grad).all()


def test_equal_embeddings_are_finite():
    seen = batch(labels=[1, 1, 2, 2], embedding=torch.ones(4, 12, requires_grad=True))
    loss = Geometry()(seen)
    loss.backward()
    assert loss.item() == pytest.approx(0.5), "no variance, and one pair of equal means"
    assert torch.isfinite(seen.embedding.grad).all()


def test_blended_images_are_left_out():
    """The term, its gradient and the means are those of the other images alone."""
    lam = torch.ones(32)
    lam[::3] = 0.7
    plain = lam == 1
    seen = batch(n=32, partner=torch.arange(32).flip(0), lam=lam)
    part = batch(
        labels=seen.label[plain], embedding=seen.embedding[plain].detach().requires_grad_()
    )
    term, fresh = Geometry(), Geometry()
    loss, expected = term(seen), fresh(part)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(seen.embedding.grad[plain], part.embedding.grad)
    assert (seen.embedding.grad[~plain] == 0).all()
    torch.testing.assert_close(term.means, fresh.means)


def test_only_blended_images_and_evaluation_leave_the_means_alone():
    term = Geometry()
    seen = batch(partner=torch.arange(16).flip(0), lam=torch.full((16,), 0.5))
    assert term(seen).item() == 0.0
    assert not term.known.any()
    term.eval()
    term(batch())
    assert not term.known.any()


def test_state_round_trip_into_a_fresh_term():
    term, fresh = Geometry(), Geometry()
    term.observe(batch())
    fresh.load_state_dict(term.state_dict())
    torch.testing.assert_close(fresh.means, term.means)
    assert torch.equal(fresh.known, term.known)


def test_unknown_positive_class_is_named():
    with pytest.raises(InputError, match="glee"):
        Geometry(positive_classes=("glee",))
    assert Geometry(positive_classes=("happy",)).positive == [HAPPY]


def test_a_step_that_overflowed_is_forgotten():
    """Half precision skips such a step; the running means must not remember it."""
    term, sound = Geometry(start_epoch=0, end_epoch=0), batch(labels=[0, 1, 2, 3])
    term(sound)
    kept = term.means.clone()
    spoiled = sound.embedding.detach().clone()
    spoiled[0] = torch.inf
    term.observe(batch(labels=[0, 1, 2, 3], embedding=spoiled))
    assert torch.equal(term.means[0], kept[0])
    assert torch.isfinite(term.means).all()
    assert torch.isfinite(term(sound))


def test_pairs_are_near_by_the_targets_that_proto_kd_has():
    """Targets that are all but flat tell no two classes apart, so no pair keeps its margin."""
    seen = batch(
        embedding=torch.ones(8, 12, requires_grad=True), labels=list(range(8)), epoch=100.0
    )
    parts = {"gaussian": 0.0, "row_softmax": 0.0}
    for target in parts:
        objective = Objective(
            proto=ProtoKD(target=target), geo=Geometry(weight=1.0, least_distance=0.3)
        )
        parts[target] = objective(seen)[1]["geo"].item()
    assert parts == {"gaussian": pytest.approx(0.5), "row_softmax": 0.0}


def test_a_term_of_weight_0_is_asked_for_no_targets(monkeypatch):
    """Neither that of Proto-KD where the prior is off, nor a Proto-KD that is off itself."""
    monkeypatch.setattr(ProtoKD, "class_targets", lambda *_: pytest.fail("asked"))
    off = Objective(CrossEntropy(), proto=ProtoKD(), geo=Geometry(weight=0, least_distance=0.3))
    assert set(off(batch())[1]) == {"ce", "proto"}
    alone = Objective(proto=ProtoKD(weight=0), geo=Geometry(weight=1, least_distance=0.3))
    assert set(alone(batch(epoch=100.0))[1]) == {"geo"}


@pytest.mark.parametrize("epochs", [0, -100])
def test_a_schedule_without_a_length_is_told(epochs):
    with pytest.raises(InputError, match=rf"loss\.geo\.reference_epochs: is {epochs}"):
        Geometry(reference_epochs=epochs)
