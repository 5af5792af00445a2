"""Regression of the class anchors: by hand, for votes and blends, and what it refuses."""

import numpy as np
import pytest
import torch

from neurogaze.affect import CLASS_ANCHORS, EMOTIONS
from neurogaze.errors import InputError
from neurogaze.losses.va_head import VaHead, initial_head
from tests.losses.batches import batch


def head(weight, bias, **changes):
    """A term with given weights of its head."""
    made = VaHead(embedding_dim=len(weight[0]), **changes)
    with torch.no_grad():
        made.matrix.copy_(torch.tensor(weight))
        made.bias.copy_(torch.tensor(bias))
    return made


def test_two_images_by_hand():
    """A head that says (.5, .1) of happiness (.81, .51) and (-.2, -.3) of neutral (0, 0)."""
    term = head([[0.5, -0.2], [0.1, -0.3]], [0.0, 0.0])
    seen = batch(labels=[1, 0], embedding=torch.eye(2))
    expected = (0.31**2 + 0.41**2 + 0.2**2 + 0.3**2) / 4
    assert term(seen).item() == pytest.approx(expected)


def test_a_head_that_tells_the_anchor_costs_nothing():
    for name, anchor in CLASS_ANCHORS.items():
        term = head([[0.0] * 12, [0.0] * 12], list(anchor))
        assert term(batch(labels=[EMOTIONS.index(name)])).item() == pytest.approx(0.0, abs=1e-12)


def test_votes_mix_the_anchors():
    """Half happiness, half sadness is the point half-way, not half of either error."""
    happy, sad = np.array(CLASS_ANCHORS["happiness"]), np.array(CLASS_ANCHORS["sadness"])
    term = head([[0.0] * 12, [0.0] * 12], ((happy + sad) / 2).tolist())
    seen = batch(n=1)
    seen.target = torch.tensor([[0.0, 0.5, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0]])
    assert term(seen).item() == pytest.approx(0.0, abs=1e-12)


def test_least_squares_is_where_its_gradient_ends():
    """At NumPy's solution of the same regression nothing pulls at the head any more."""
    seen = batch(n=64, dtype=torch.float64)
    design = np.c_[seen.embedding.detach().numpy(), np.ones(64)]
    truth = np.array([CLASS_ANCHORS[EMOTIONS[i]] for i in seen.label])
    best = np.linalg.lstsq(design, truth, rcond=None)[0]
    term = head(best[:-1].T.tolist(), best[-1].tolist()).double()
    term.matrix.data.copy_(torch.from_numpy(best[:-1].T))
    term.bias.data.copy_(torch.from_numpy(best[-1]))
    loss = term(seen)
    loss.backward()
    # the anchors are kept in float32
    assert float(term.matrix.grad.abs().max()) < 1e-6
    assert float(term.bias.grad.abs().max()) < 1e-6
    assert loss.item() == pytest.approx(((design @ best - truth) ** 2).mean(), rel=1e-5)


def test_gradient():
    seen, term = batch(n=4, dtype=torch.float64), VaHead(embedding_dim=12).double()

    def loss(embedding, matrix, bias):
        seen.embedding = embedding
        return torch.func.functional_call(term, {"matrix": matrix, "bias": bias}, (seen,))

    assert torch.autograd.gradcheck(loss, (seen.embedding, term.matrix, term.bias))


def test_first_weights_draw_nothing_and_are_the_same_in_every_training():
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = VaHead(embedding_dim=16)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert torch.equal(VaHead(embedding_dim=16).matrix, first.matrix)
    weight, bias = initial_head(4096)
    assert float(weight.abs().max()) <= 1 / 64
    assert float(weight.std()) == pytest.approx(1 / 64 / 3**0.5, rel=0.02)
    assert bias.tolist() == [0.0, 0.0]


def test_weight_zero_has_nothing_to_train():
    assert not any(p.requires_grad for p in VaHead(weight=0.0).parameters())
    assert all(p.requires_grad for p in VaHead().parameters())


def test_its_state_is_the_head_alone():
    assert list(VaHead().state_dict()) == ["matrix", "bias"]


def test_another_width_is_told():
    with pytest.raises(InputError, match=r"loss\.va\.embedding_dim: is 256.*has 12 values"):
        VaHead()(batch())
