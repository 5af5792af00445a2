"""Prototype distillation: targets over cells, divergences by hand, frozen prototypes."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy, multivariate_normal

from neurogaze.affect import CLASS_ANCHORS, EMOTIONS, anchors, grid_centers
from neurogaze.errors import InputError
from neurogaze.losses.proto_kd import ProtoKD, bin_width, gaussian_targets, row_softmax_targets
from neurogaze.pipeline.judging import load_student
from tests.losses.batches import batch

CENTERS = torch.from_numpy(grid_centers(5))


def test_gaussian_target_is_the_formula():
    table = gaussian_targets(CENTERS, 0.4).numpy()
    for row, (valence, arousal) in zip(table, CLASS_ANCHORS.values(), strict=True):
        raw = np.exp(-((grid_centers(5) - [valence, arousal]) ** 2).sum(1) / (2 * 0.4**2))
        np.testing.assert_allclose(row, raw / raw.sum(), rtol=1e-12)


@pytest.mark.parametrize("size", [2, 3, 5, 7, 9])
def test_the_width_is_the_distance_of_neighbouring_centres(size):
    centers = grid_centers(size)
    steps = np.diff(np.unique(centers[:, 0]))
    np.testing.assert_allclose(steps, bin_width(torch.from_numpy(centers)), rtol=1e-9)


def test_at_five_by_five_nothing_is_other_than_at_four_tenths():
    """Bit by bit, in both precisions."""
    for centers in (CENTERS, CENTERS.float()):
        assert torch.equal(gaussian_targets(centers), gaussian_targets(centers, 0.4))
    assert ProtoKD()(batch()).item() == ProtoKD(sigma=0.4)(batch()).item()


@pytest.mark.parametrize(("size", "peak"), [(3, 0.20418), (5, 0.1621), (7, 0.15924), (9, 0.15916)])
def test_a_target_spreads_over_as_many_cells_at_every_size(size, peak):
    """Neutral (0, 0) is the centre of the middle cell, its neighbour one width away.

    The weights are exp(-1/2), exp(-4/2), exp(-9/2) and so on, on either side and on both axes.
    """
    neutral = gaussian_targets(torch.from_numpy(grid_centers(size)))[0].numpy()
    middle, reach = size * size // 2, size // 2
    whole = 1 + 2 * sum(math.exp(-(step**2) / 2) for step in range(1, reach + 1))
    assert neutral[middle] == pytest.approx(whole**-2, rel=1e-9) == pytest.approx(peak, abs=6e-6)
    assert neutral[middle + 1] == pytest.approx(neutral[middle] * math.exp(-1 / 2), rel=1e-9)
    assert neutral[middle + size] == pytest.approx(neutral[middle] * math.exp(-1 / 2), rel=1e-9)


def test_a_given_width_stays_as_given():
    """SciPy's densities on the 49 centres of a 7x7 grid, for a width of 0.4."""
    centers = grid_centers(7)
    density = np.array([multivariate_normal(place, 0.4**2).pdf(centers) for place in anchors()])
    density /= density.sum(axis=1, keepdims=True)
    prototypes = torch.nn.functional.normalize(torch.randn(49, 12, dtype=torch.float64), dim=1)
    places = {"prototypes": prototypes, "centers": torch.from_numpy(centers)}
    seen = batch(n=6, dtype=torch.float64, **places)
    cosine = torch.nn.functional.cosine_similarity(seen.embedding[:, None], prototypes, dim=2)
    student = torch.softmax(cosine / 0.9, 1).detach().numpy()
    expected = entropy(density[seen.label.numpy()], student, axis=1).mean()
    assert ProtoKD(sigma=0.4)(seen).item() == pytest.approx(expected, rel=1e-6)
    assert ProtoKD()(seen).item() != pytest.approx(expected, rel=1e-3)


def test_a_checkpoint_keeps_the_width_it_was_trained_with(tiny_run, tmp_path):
    """One from before widths followed the grid says 0.4."""
    content = torch.load(tiny_run.run / "student" / "last.ckpt", weights_only=True)
    proto = content["hyper_parameters"]["loss"]["init_args"]["proto"]["init_args"]
    assert proto["sigma"] is None
    proto["sigma"] = 0.4
    torch.save(content, tmp_path / "x.ckpt")
    assert load_student(tmp_path / "x.ckpt").loss.proto.sigma == 0.4
    assert load_student(tiny_run.run / "student" / "last.ckpt").loss.proto.sigma is None


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


FOUR = torch.eye(4)
"""Prototypes of a 2x2 grid: valence and arousal each below or above 0."""


def four_cells(name, embedding):
    """One image of an emotion, on a grid of four orthogonal prototypes."""
    centers = torch.from_numpy(grid_centers(2))
    seen = batch(labels=[EMOTIONS.index(name)], prototypes=FOUR, centers=centers)
    seen.embedding = torch.tensor([embedding])
    return seen


def test_orthogonal_prototypes_by_hand():
    """Happiness lies in the last of four cells: cosines and target cosines are both 0, 0, 0, 1."""
    e = math.exp(1 / 0.9)
    same = four_cells("happiness", [0.0, 0.0, 0.0, 3.0])
    assert ProtoKD(target="row_softmax")(same).item() == pytest.approx(0.0, abs=1e-7)

    # cosines 0, 0, .6, .8: q_stu is exp(0), exp(0), exp(2/3), exp(8/9) over their sum
    leaning = four_cells("happiness", [0.0, 0.0, 3.0, 4.0])
    q = [1 / (3 + e), 1 / (3 + e), 1 / (3 + e), e / (3 + e)]
    student = [1.0, 1.0, math.exp(2 / 3), math.exp(8 / 9)]
    expected = sum(a * math.log(a / (b / sum(student))) for a, b in zip(q, student, strict=True))
    assert expected == pytest.approx(0.05654, abs=2e-5)
    assert ProtoKD(target="row_softmax")(leaning).item() == pytest.approx(expected, rel=1e-5)

    # the other reading: five times the cosines, the target as it was
    student = [1.0, 1.0, math.exp(10 / 3), math.exp(40 / 9)]
    expected = sum(a * math.log(a / (b / sum(student))) for a, b in zip(q, student, strict=True))
    assert expected == pytest.approx(0.71932, abs=2e-5)
    term = ProtoKD(target="row_softmax", logit_scale=5.0)
    assert term(leaning).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("scale", "rounded"), [(1.0, 0.07801), (5.0, 1.41580)])
def test_gaussian_target_by_hand(scale, rounded):
    """Neutral (0, 0) is as far from all four centres: its target is a quarter each.

    KL(uniform || q) = -log 4 - mean log q = log(sum_k exp(l_k) / 4) - mean l_k.
    """
    seen = four_cells("neutral", [0.0, 0.0, 3.0, 4.0])
    logits = [0.0, 0.0, scale * 2 / 3, scale * 8 / 9]
    expected = math.log(sum(map(math.exp, logits)) / 4) - sum(logits) / 4
    assert expected == pytest.approx(rounded, abs=2e-5)
    assert ProtoKD(logit_scale=scale)(seen).item() == pytest.approx(expected, rel=1e-5)


def test_sharpest_student_at_cosines_of_one_and_zero():
    """`softmax(5/.9)` puts .9885 on the cell that `softmax(1/.9)` gives .5033."""
    for scale, share in ((1.0, 0.5033), (5.0, 0.9885)):
        seen = four_cells("happiness", [0.0, 0.0, 0.0, 1.0])
        seen.centers = 100.0 * seen.centers  # the target is all in the nearest cell
        assert ProtoKD(logit_scale=scale)(seen).item() == pytest.approx(-math.log(share), abs=1e-3)


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


@pytest.mark.parametrize("value", [0.0, -0.9, math.nan, math.inf])
@pytest.mark.parametrize("name", ["tau", "sigma"])
def test_a_temperature_or_width_that_is_none_is_told(name, value):
    with pytest.raises(InputError, match=rf"loss\.proto\.{name}: is {value}"):
        ProtoKD(**{name: value})
