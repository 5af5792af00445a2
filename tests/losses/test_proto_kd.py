"""Prototype distillation: targets over cells, divergences by hand, frozen prototypes."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from neurogaze.affect import CLASS_ANCHORS, EMOTIONS, anchors, grid_centers
from neurogaze.errors import InputError
from neurogaze.losses.proto_kd import ProtoKD, gaussian_targets, row_softmax_targets
from tests.losses.batches import batch

CENTERS = torch.from_numpy(grid_centers(5))


def test_gaussian_target_is_the_formula():
    table = gaussian_targets(CENTERS, 0.4).numpy()
    for row, (valence, arousal) in zip(table, CLASS_ANCHORS.values(), strict=True):
        raw = np.exp(-((grid_centers(5) - [valence, arousal]) ** 2).sum(1) / (2 * 0.4**2))
        np.testing.assert_allclose(row, raw / raw.sum(), rtol=1e-12)


def test_gaussian_target_peaks_in_the_cell_of_the_class():
    peak = gaussian_targets(CENTERS, 0.4).argmax(1)
    assert grid_centers(5)[peak[EMOTIONS.index("happiness")]].tolist() == [0.8, 0.4]
    assert peak[EMOTIONS.index("neutral")] == 12


def test_row_softmax_uses_half_open_cells():
    """Disgust (-.60, .35), contempt (-.40, .20) and anger share the cell (-.4, .4)."""
    table = row_softmax_targets(torch.eye(25), 0.9)
    cell = [i for i, c in enumerate(grid_centers(5).tolist()) if c == [-0.4, 0.4]]
    for name in ("anger", "disgust", "contempt"):
        assert table[EMOTIONS.index(name)].argmax() == cell[0]
    winner = math.exp(1 / 0.9)
    assert float(table.max()) == pytest.approx(winner / (winner + 24))


def test_published_softmax_at_tau_090_is_nearly_flat():
    """One cosine of .9 and 24 of .3 gives .075 against .0385."""
    scores = torch.tensor([0.9] + [0.3] * 24)
    share = torch.softmax(scores / 0.9, 0)
    assert float(share[0]) == pytest.approx(0.075, abs=5e-4)
    assert float(share[1]) == pytest.approx(0.0385, abs=1e-4)


@pytest.mark.parametrize("target", ["gaussian", "row_softmax"])
@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_value_against_scipy(target, scale):
    seen = batch(n=6, dtype=torch.float64)
    term = ProtoKD(target=target, logit_scale=scale)
    prototypes, f = seen.prototypes.numpy(), seen.embedding.detach().numpy()
    cosine = f / np.linalg.norm(f, axis=1, keepdims=True) @ prototypes.T
    student = np.exp(scale * cosine / 0.9)
    student /= student.sum(1, keepdims=True)
    table = gaussian_targets(CENTERS, 0.4)
    if target == "row_softmax":
        table = row_softmax_targets(seen.prototypes, 0.9)
    expected = entropy(table.numpy()[seen.label.numpy()], student, axis=1).mean()
    assert term(seen).item() == pytest.approx(expected, rel=1e-9)


def test_votes_mix_the_targets_not_the_losses():
    seen = batch(n=1)
    seen.target = torch.tensor([[0.5, 0.5, 0, 0, 0, 0, 0, 0]])
    table = gaussian_targets(CENTERS.float(), 0.4)
    cosine = torch.nn.functional.cosine_similarity(seen.embedding, seen.prototypes)
    mixed = (table[0] + table[1]) / 2
    expected = (mixed * (mixed.log() - (cosine / 0.9).log_softmax(0))).sum()
    torch.testing.assert_close(ProtoKD()(seen), expected)


def test_scale_of_the_embedding_does_not_matter():
    seen = batch()
    before = ProtoKD()(seen)
    seen.embedding = seen.embedding * 7.0
    torch.testing.assert_close(ProtoKD()(seen), before)


def test_rotating_grid_and_embedding_changes_nothing():
    seen = batch(dtype=torch.float64)
    before = ProtoKD(target="row_softmax")(seen)
    turn = torch.linalg.qr(torch.randn(12, 12, dtype=torch.float64)).Q
    seen.embedding, seen.prototypes = seen.embedding @ turn, seen.prototypes @ turn
    torch.testing.assert_close(ProtoKD(target="row_softmax")(seen), before)


@pytest.mark.parametrize("target", ["gaussian", "row_softmax"])
def test_gradient_and_frozen_prototypes(target):
    seen = batch(n=4, dtype=torch.float64)
    seen.prototypes.requires_grad_()
    term = ProtoKD(target=target)
    term(seen).backward()
    assert seen.prototypes.grad is None

    def loss(embedding):
        seen.embedding = embedding
        return term(seen)

    assert torch.autograd.gradcheck(loss, seen.embedding)


@pytest.mark.parametrize("missing", ["prototypes", "centers"])
def test_missing_grid_is_told(missing):
    with pytest.raises(InputError, match="proto: null"):
        ProtoKD()(batch(**{missing: None}))


def test_wrong_width_is_told():
    with pytest.raises(InputError, match=r"have 9 values.*has 12"):
        ProtoKD()(batch(prototypes=torch.eye(25, 9)))


def test_anchors_are_in_emotion_order():
    assert anchors()[EMOTIONS.index("fear")].tolist() == [-0.64, 0.60]
