"""Region scores: points by hand, intervals over groups."""

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.evaluation.statistics import bootstrap_interval
from neurogaze.explain.agreement import agreement
from neurogaze.explain.region_scores import region_scores
from neurogaze.explain.regions import emotion_masks

MASKS = emotion_masks().astype(float)
HAPPY, SAD = EMOTIONS.index("happiness"), EMOTIONS.index("sadness")


def world(n=30, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, HAPPY, SAD], n)
    return MASKS[labels] * 0.4 + rng.random((n, 48, 48)), labels, rng.integers(0, 12, n)


def test_points_and_intervals():
    maps, labels, groups = world()
    scores = region_scores(maps, labels, groups, seed=3)
    found = agreement(maps, labels)
    own = labels[found.rows]
    means = [found.iou[own == label].mean() for label in (HAPPY, SAD)]
    assert scores["region_iou_happiness"].value == pytest.approx(means[0])
    assert scores["region_iou"].value == pytest.approx(np.mean(means))
    assert scores["region_iou_sadness"].n == (labels == SAD).sum()
    assert scores["region_iou"].n == (labels > 0).sum()
    assert "region_iou_fear" not in scores
    assert "region_iou_neutral" not in scores

    def both(index):
        return np.mean([found.iou[index][own[index] == c].mean() for c in (HAPPY, SAD)])

    expected = bootstrap_interval(both, len(own), groups[found.rows], seed=3)
    assert (scores["region_iou"].low, scores["region_iou"].high) == pytest.approx(expected)
    for name in ("region_mean_map", "region_chance", "region_others_sadness"):
        assert scores[name].low <= scores[name].high
    assert scores["region_mean_map"].value > scores["region_iou"].value  # noise averages out
    assert scores["region_iou"].value > scores["region_chance"].value


def test_neutral_faces_alone_have_no_score():
    assert region_scores(np.ones((3, 48, 48)), np.zeros(3, int), None, 0) == {}


def test_what_a_draw_does_not_hold_is_no_part_of_an_interval():
    """Chance is the same for every face of an emotion, however few there are."""
    labels = np.repeat(np.arange(8), 3)
    maps = MASKS[labels] + np.random.default_rng(0).random((24, 48, 48))
    scores = region_scores(maps, labels, None, seed=0)
    for name in ("happiness", "contempt"):
        chance = scores[f"region_chance_{name}"]
        assert (chance.low, chance.high) == pytest.approx((chance.value, chance.value))
    assert scores["region_mean_map_fear"].low > 0
