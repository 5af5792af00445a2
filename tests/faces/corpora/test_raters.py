"""Simulated raters: they agree on clear faces and confuse neighbours."""

import numpy as np

from neurogaze.affect import EMOTIONS
from neurogaze.faces.corpora.drawing import ACTIONS
from neurogaze.faces.corpora.raters import prototypes, sample_actions, simulate_votes


def votes_on(emotion, strength, n=2000):
    actions = np.tile(prototypes()[EMOTIONS.index(emotion)] * strength, (n, 1))
    return simulate_votes(actions.astype(np.float32), np.random.default_rng(0)).sum(axis=0) / (
        10 * n
    )


def test_ten_raters_vote():
    actions = sample_actions(np.arange(8).repeat(20), np.random.default_rng(0))
    votes = simulate_votes(actions, np.random.default_rng(1))
    assert votes.shape == (160, 10)
    assert (votes.sum(axis=1) == 10).all()


def test_clear_faces_are_named_by_most():
    for i, emotion in enumerate(EMOTIONS):
        shares = votes_on(emotion, 0.9)
        assert shares.argmax() == i
        assert shares[i] > 0.6


def test_weak_expressions_pass_for_neutral():
    assert votes_on("happiness", 0.2)[EMOTIONS.index("neutral")] > 0.6


def test_neighbours_are_confused_more_than_strangers():
    anger = votes_on("anger", 0.7)
    fear = votes_on("fear", 0.7)
    assert anger[EMOTIONS.index("disgust")] > 3 * anger[EMOTIONS.index("happiness")]
    assert fear[EMOTIONS.index("surprise")] > 3 * fear[EMOTIONS.index("happiness")]


def test_lapses_are_rare():
    shares = votes_on("neutral", 1.0)
    assert 0.01 < shares[8] < 0.03
    assert shares[9] < 0.005


def test_actions_stay_in_range():
    actions = sample_actions(np.arange(8).repeat(500), np.random.default_rng(0))
    signed = np.isin(ACTIONS, ["lid", "lip_corner"])
    assert actions[:, ~signed].min() == 0.0
    assert -1.0 <= actions[:, signed].min() < -0.8
    assert actions.max() <= 1.3
