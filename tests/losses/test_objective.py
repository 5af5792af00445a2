"""The objective adds what is switched on, computes nothing else, and survives half precision."""

from typing import Any

import pytest
import torch

from neurogaze.losses.cross_entropy import CrossEntropy
from neurogaze.losses.geometry import Geometry
from neurogaze.losses.logit_kd import LogitKD
from neurogaze.losses.objective import Objective, embedding_gradient
from neurogaze.losses.proto_kd import ProtoKD
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


def test_blended_images_switch_geometry_off():
    objective = full()
    assert "geo" not in objective(batch(mixed=True))[1]
    assert not objective.geo.known.any()


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
