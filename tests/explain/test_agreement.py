"""Agreement with regions: IoU by hand and by scikit-learn, chance by simulation."""

import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.explain.agreement import (
    acting_emotions,
    agreement,
    chance_iou,
    iou,
    mean_map_iou,
    top_pixels,
)
from neurogaze.explain.regions import EMOTION_UNITS, emotion_masks

MASKS = emotion_masks().astype(float)


def test_iou_is_the_jaccard_index():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 9, 9)) < 0.4
    assert float(iou(a, b)) == pytest.approx(jaccard_score(a.ravel(), b.ravel()))
    assert float(iou(np.zeros((3, 3), bool), np.zeros((3, 3), bool))) == 0


def test_only_the_highest_pixels_above_zero_count():
    maps = np.array([[[0.5, 0.0, 0.1], [0.9, 0.0, 0.2]]])
    assert top_pixels(maps, 2).tolist() == [[[True, False, False], [True, False, False]]]
    assert top_pixels(maps, 6).sum() == 4
    assert top_pixels(np.zeros((1, 2, 2)), 3).sum() == 0


@pytest.mark.parametrize(("drawn", "mask"), [(30, 30), (5, 60), (90, 20)])
def test_chance_is_that_of_blind_pixels(drawn, mask):
    rng, hidden = np.random.default_rng(1), np.arange(100) < mask
    found = []
    for _ in range(1500):
        blind = np.zeros(100, bool)
        blind[rng.choice(100, drawn, replace=False)] = True
        found.append(float(iou(blind[None], hidden[None])))
    assert chance_iou(drawn, mask, 100) == pytest.approx(np.mean(found), abs=0.004)


def test_a_map_that_is_the_mask_agrees_wholly():
    labels = np.arange(8)
    found = agreement(MASKS, labels)
    assert found.rows.tolist() == [i for i in range(8) if EMOTIONS[i] != "neutral"]
    np.testing.assert_allclose(found.iou, 1.0)
    assert (found.others < 0.5).all()
    shares = MASKS[1:].mean(axis=(1, 2))
    # blind pixels of area share a: about a / (2 - a)
    np.testing.assert_allclose(found.chance, shares / (2 - shares), rtol=0.01)


def test_a_map_of_the_opposite_does_not_agree():
    found = agreement(1 - MASKS, np.arange(8))
    np.testing.assert_allclose(found.iou, 0.0)


def test_blind_maps_reach_chance_and_no_more():
    labels = np.tile(np.arange(8), 6)
    found = agreement(np.random.default_rng(2).random((48, 48, 48)), labels)
    assert found.iou.mean() == pytest.approx(found.chance.mean(), abs=0.01)
    assert found.others.mean() == pytest.approx(found.chance.mean(), abs=0.02)


def test_the_masks_of_others_by_hand():
    names = list(EMOTION_UNITS)
    maps = MASKS[[EMOTIONS.index("contempt")]]
    found = agreement(maps, np.array([EMOTIONS.index("contempt")]))
    by_hand = [
        float(
            iou(
                top_pixels(maps, int(MASKS[EMOTIONS.index(name)].sum())),
                MASKS[EMOTIONS.index(name)] > 0,
            )[0]
        )
        for name in names
        if name != "contempt"
    ]
    assert found.others[0] == pytest.approx(np.mean(by_hand))


def test_a_mean_map_may_agree_where_single_ones_do_not():
    mask = MASKS[EMOTIONS.index("happiness")]
    left, right = mask.copy(), mask.copy()
    left[:, 24:], right[:, :24] = 0, 0
    both = np.stack([left, right])
    assert mean_map_iou(both, "happiness") == 1.0
    halves = agreement(both, np.full(2, EMOTIONS.index("happiness")))
    np.testing.assert_allclose(halves.iou, 0.5)


def test_what_cannot_be_compared():
    assert agreement(MASKS[:1], np.array([0])).iou.shape == (0,)
    assert acting_emotions(np.array([0, 3, 3])) == ["sadness"]
    with pytest.raises(InputError, match="48"):
        agreement(np.zeros((2, 44, 44)), np.zeros(2, int))


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_map_that_is_not_finite_is_refused(broken):
    maps = MASKS.copy()
    maps[3, 5, 5] = broken
    with pytest.raises(InputError, match="1 of 7 are not finite, the first is number 2"):
        agreement(maps, np.arange(8))
    with pytest.raises(InputError, match="not finite"):
        top_pixels(np.full((2, 4, 4), broken), 3)
    with pytest.raises(InputError, match="not finite"):
        mean_map_iou(maps, "sadness")
    neutral = np.full((1, 48, 48), broken)
    assert agreement(neutral, np.array([0])).iou.shape == (0,)  # it is compared with nothing
