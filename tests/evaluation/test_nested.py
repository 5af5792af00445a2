"""Contrasts where every seed has faces of its own."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from neurogaze.errors import InputError
from neurogaze.evaluation.equivalence import no_claim
from neurogaze.evaluation.nested import nested_contrasts
from tests.evaluation.test_contrasts import N, arm, frame

FEW = {"metric": "accuracy", "seed": 0, "n_resamples": 100}


def own_faces(by_seed):
    """The same predictions of faces that no other seed has."""
    return {
        s: f.assign(id=[f"{s}-{i}" for i in f["id"]], group=[f"{s}-{i}" for i in f["group"]])
        for s, f in by_seed.items()
    }


def two_arms(n_seeds=10, better=0.65, base=0.5):
    return {
        "better": own_faces(arm(better, n_seeds)),
        "base": own_faces(arm(base, n_seeds, start=1)),
    }


def test_the_effect_is_the_mean_over_seeds_and_t_is_scipys():
    (found,) = nested_contrasts(two_arms(), ("better", "base"), [], **FEW)
    t = stats.ttest_1samp(found.differences, 0.0)
    assert found.effect == pytest.approx(np.mean(found.differences))
    assert found.p == pytest.approx(t.pvalue)
    assert (found.t_low, found.t_high) == pytest.approx(tuple(t.confidence_interval()))
    assert found.primary
    assert (found.n_seeds, found.n_images, found.n_units) == (10, N, N)
    assert found.verdict == "different"
    assert "other faces each seed" in found.split


def test_the_interval_is_that_of_means_of_seeds():
    """The faces of a seed are in what it says already; they are not drawn a second time."""
    (found,) = nested_contrasts(two_arms(), ("better", "base"), [], **(FEW | {"n_resamples": 4000}))
    t = stats.ttest_1samp(found.differences, 0.0).confidence_interval()
    assert found.high - found.low == pytest.approx(t.high - t.low, rel=0.08)
    assert found.low < 0.15 < found.high


def test_one_seed_has_the_interval_of_its_faces():
    """Two independent binomials."""
    arms = two_arms(n_seeds=1)
    (found,) = nested_contrasts(arms, ("better", "base"), [], **(FEW | {"n_resamples": 4000}))
    error = np.sqrt((0.65 * 0.35 + 0.5 * 0.5) / N)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_holm_counts_all_but_the_primary():
    arms = two_arms() | {"third": own_faces(arm(0.55, 10, start=2))}
    pairs = [("better", "third"), ("third", "base")]
    found = nested_contrasts(arms, ("better", "base"), pairs, **FEW)
    assert [c.primary for c in found] == [True, False, False]
    assert found[0].p_holm is None
    assert max(c.p_holm for c in found[1:]) == pytest.approx(max(c.p for c in found[1:]))


def test_pairs_without_a_seed_so_far_count_as_if_they_showed_nothing():
    """Nor does a secondary contrast take the place of a primary one that is to come."""
    arms = two_arms()
    (alone,) = nested_contrasts(arms, None, [("better", "base")], **FEW)
    (waiting,) = nested_contrasts(arms, None, [("better", "base")], **FEW, family=6)
    assert not alone.primary
    assert alone.p_holm == pytest.approx(alone.p)
    assert waiting.p_holm == pytest.approx(6 * alone.p)


def test_only_shared_seeds_count():
    arms = two_arms()
    del arms["base"][3]
    (found,) = nested_contrasts(arms, ("better", "base"), [], **FEW)
    assert found.n_seeds == 9
    assert found.verdict == no_claim(9)
    with pytest.raises(KeyError, match="share no seed"):
        nested_contrasts({"a": {0: frame(np.ones(N, bool))}, "b": {}}, ("a", "b"), [], **FEW)


def test_arms_of_a_seed_are_judged_on_the_same_faces():
    arms = two_arms(n_seeds=2)
    arms["base"][1] = own_faces({7: frame(np.ones(N, bool))})[7]
    with pytest.raises(InputError, match="same faces"):
        nested_contrasts(arms, ("better", "base"), [], **FEW)


def test_one_seed_claims_nothing():
    (found,) = nested_contrasts(two_arms(n_seeds=1), ("better", "base"), [], **FEW)
    assert (found.p, found.t_low, found.p_equivalent) == (None, None, None)
    assert replace(found, primary=False).effect == found.differences[0]
