"""Open set: areas and rates as scikit-learn gives them, doubts as SciPy does."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.metrics import roc_auc_score, roc_curve

from neurogaze.errors import InputError
from neurogaze.evaluation import openset


def random_case(seed: int, n: int = 400, ties: bool = False):
    generator = np.random.default_rng(seed)
    unknown = generator.random(n) < 0.2
    doubt = generator.normal(0, 1, n) + 0.8 * unknown
    return unknown, np.round(doubt, 1) if ties else doubt


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_both_measures_equal_scikit_learn(seed, ties):
    unknown, doubt = random_case(seed, ties=ties)
    assert openset.auroc(unknown, doubt) == pytest.approx(roc_auc_score(unknown, doubt))
    fpr, tpr, _ = roc_curve(~unknown, -doubt, drop_intermediate=False)
    expected = fpr[np.flatnonzero(tpr >= 0.95)[0]]
    assert openset.fpr_at_tpr(unknown, doubt) == pytest.approx(expected)


@pytest.mark.parametrize("n_known", [1, 19, 20, 21, 100])
def test_the_threshold_keeps_95_per_cent_and_no_row_more(n_known):
    doubt = np.concatenate([np.arange(n_known), np.arange(n_known) + 0.5])
    unknown = np.arange(2 * n_known) >= n_known
    kept = int(np.ceil(19 * n_known / 20))
    assert openset.fpr_at_tpr(unknown, doubt) == pytest.approx((kept - 1) / n_known)


def test_doubts_grow_with_flatness():
    logits = np.random.default_rng(0).normal(0, 2, (50, 8))
    found = openset.doubts(logits)
    chances = softmax(logits, axis=1)
    np.testing.assert_allclose(found["entropy"], entropy(chances, axis=1))
    np.testing.assert_allclose(found["max_probability"], -chances.max(axis=1))
    np.testing.assert_allclose(found["energy"], -np.log(np.exp(logits).sum(axis=1)))
    sharp, flat = np.eye(8)[[0]] * 9, np.zeros((1, 8))
    for name, doubt in openset.doubts(np.concatenate([sharp, flat])).items():
        assert doubt[1] > doubt[0], name


def test_a_class_that_is_doubted_throughout_is_told_apart():
    generator = np.random.default_rng(1)
    unknown = np.arange(60) < 20
    logits = generator.normal(0, 0.1, (60, 8))
    logits[~unknown, 0] += 8
    scores = openset.open_set_scores(unknown, logits, None, seed=0)
    assert set(scores) == {
        f"open_{m}_{d}"
        for m in ("auroc", "fpr95")
        for d in ("max_probability", "entropy", "energy")
    }
    for name, score in scores.items():
        assert (score.value, score.low, score.high) == ((1, 1, 1) if "auroc" in name else (0, 0, 0))
        assert score.n == 20


def test_chance_is_inside_the_interval_of_noise():
    unknown = np.arange(300) % 3 == 0
    logits = np.random.default_rng(2).normal(0, 1, (300, 8))
    score = openset.open_set_scores(unknown, logits, None, seed=0)["open_auroc_entropy"]
    assert score.low < 0.5 < score.high
    assert score.low < score.value < score.high


@pytest.mark.parametrize("unknown", [np.zeros(4, bool), np.ones(4, bool)])
def test_one_kind_alone_is_refused(unknown):
    with pytest.raises(InputError, match="left out"):
        openset.open_set_scores(unknown, np.zeros((4, 8)), None, 0)


def test_one_person_has_no_interval():
    unknown = np.arange(30) % 3 == 0
    logits = np.random.default_rng(2).normal(0, 1, (30, 8))
    scores = openset.open_set_scores(unknown, logits, np.zeros(30, int), seed=0)
    assert {(score.low, score.high) for score in scores.values()} == {(None, None)}
