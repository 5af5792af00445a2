"""Contrasts of whole benches: known effects, the family of Holm, and what is claimed."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import canonical
from neurogaze.errors import InputError
from neurogaze.evaluation import metrics
from neurogaze.evaluation.contrasts import contrasts, corrected
from neurogaze.evaluation.paired import holm
from neurogaze.evaluation.predictions import PROBABILITY_COLUMNS, face_arrays

N = 160
FEW = {"metric": "accuracy", "seed": 0, "n_resamples": 200}


def frame(right):
    """Predictions that name the true class where `right` says so, and the next class elsewhere."""
    truth = np.arange(len(right)) % 8
    called = np.where(right, truth, (truth + 1) % 8)
    chances = 0.6 * np.eye(8)[called] + 0.05
    text = {
        "id": [f"{i:04d}" for i in range(len(right))],
        "dataset": "toy",
        "split": "valid",
        "label": np.array(EMOTIONS)[truth],
        "group": [f"{i:04d}" for i in range(len(right))],
        "twin": np.arange(len(right)) >= 120,
    }
    return pd.DataFrame(text | dict(zip(PROBABILITY_COLUMNS, chances.T, strict=True)))


def arm(share, n_seeds=10, start=0):
    """Each seed gets its own faces right, each with this chance."""
    return {s: frame(np.random.default_rng([start, s]).random(N) < share) for s in range(n_seeds)}


def shifted(by, n_seeds=10):
    """Two arms: in every seed, the first is right on `by` faces more."""
    base = {s: np.random.default_rng(s).permutation(N) < 80 for s in range(n_seeds)}
    more = {s: right.copy() for s, right in base.items()}
    for right in more.values():
        right[np.flatnonzero(~right)[:by]] = True
    return {
        "more": {s: frame(right) for s, right in more.items()},
        "base": {s: frame(right) for s, right in base.items()},
    }


def test_a_constant_shift_is_found_as_it_is():
    (found,) = contrasts(shifted(16), ("more", "base"), [], **FEW)
    assert found.effect == pytest.approx(0.1)
    assert found.differences == pytest.approx([0.1] * 10)
    assert (found.t_low, found.t_high) == pytest.approx((0.1, 0.1))
    assert found.p == pytest.approx(0, abs=1e-9)
    assert 0 < found.low < 0.1 < found.high
    assert found.verdict == "different"
    # 16 faces decide, all for the first.
    assert found.mcnemar_median == pytest.approx(2 / 2**16)
    assert (found.first, found.second, found.primary) == ("more", "base", True)
    assert (found.dataset, found.split, found.metric) == ("toy", "valid", "accuracy")
    assert (found.n_seeds, found.n_images, found.n_units) == (10, N, N)


def test_turned_round_it_has_the_other_sign():
    arms = {"a": arm(0.6, start=1), "b": arm(0.5, start=2)}
    (one,) = contrasts(arms, ("a", "b"), [], **FEW)
    (other,) = contrasts(arms, ("b", "a"), [], **FEW)
    assert (other.effect, other.low, other.high) == pytest.approx(
        (-one.effect, -one.high, -one.low)
    )
    assert (other.t_low, other.p) == pytest.approx((-one.t_high, one.p))
    assert other.mcnemar_median == one.mcnemar_median


def test_an_arm_against_itself_is_equivalent():
    (found,) = contrasts({"a": arm(0.5)}, ("a", "a"), [], **FEW)
    assert (found.effect, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    assert (found.p_equivalent, found.mcnemar_median) == (0.0, 1.0)
    assert found.verdict == "equivalent"


def test_numbers_are_those_of_scores_and_scipy():
    arms = {"a": arm(0.6, start=1), "b": arm(0.5, start=2)}
    (found,) = contrasts(arms, ("a", "b"), [], "macro_f1_8way", 0, n_resamples=100)
    a, b = (
        [metrics.face_scores(*face_arrays(f))["macro_f1_8way"] for f in arms[name].values()]
        for name in "ab"
    )
    np.testing.assert_allclose(found.differences, np.subtract(a, b), atol=1e-12)
    theirs = stats.ttest_rel(a, b)
    interval = theirs.confidence_interval()
    expected = (theirs.pvalue, interval.low, interval.high)
    assert (found.p, found.t_low, found.t_high) == pytest.approx(expected)


def test_twin_free_judges_the_other_faces_only():
    # The arms differ on faces from 120 on, which are the twins of training.
    base = np.arange(N) % 2 == 0
    more = base | (np.arange(N) >= 120)
    arms = {"more": {s: frame(more) for s in range(2)}, "base": {s: frame(base) for s in range(2)}}
    (full,) = contrasts(arms, ("more", "base"), [], **FEW)
    (free,) = contrasts(arms, ("more", "base"), [], twin_free=True, **FEW)
    assert full.effect == pytest.approx(20 / 160)
    assert (free.effect, free.low, free.high, free.n_images) == (0.0, 0.0, 0.0, 120)
    assert free.split == "valid, twin-free"


def ladder(n_seeds=10):
    shares = {"ce": 0.5, "kd": 0.52, "geo": 0.53, "proto": 0.8}
    return {name: arm(share, n_seeds, k) for k, (name, share) in enumerate(shares.items())}


def test_the_primary_contrast_is_first_and_alone_the_others_are_a_family():
    pairs = [("kd", "ce"), ("geo", "ce"), ("geo", "kd")]
    found = contrasts(ladder(), ("proto", "ce"), pairs, **FEW)
    assert [(c.first, c.second) for c in found] == [("proto", "ce"), *pairs]
    assert [c.primary for c in found] == [True, False, False, False]
    assert found[0].p_holm is None
    assert found[0].verdict == "different"
    expected = holm([c.p for c in found[1:]])
    np.testing.assert_allclose([c.p_holm for c in found[1:]], expected)
    smallest = min(c.p for c in found[1:])
    assert min(expected) == pytest.approx(3 * smallest)


def test_a_verdict_uses_the_corrected_p():
    pairs = [("kd", "ce"), ("geo", "ce"), ("geo", "kd")]
    (alone,) = contrasts(shifted(8), ("more", "base"), [], **FEW)
    noisy = contrasts(ladder(), ("proto", "ce"), pairs, **FEW)[1:]
    weak = replace(alone, primary=False, differences=tuple(np.linspace(0, 0.1, 10)), p=0.04)
    assert corrected([weak])[0].verdict == "different"
    again = corrected([weak, *(replace(c, p=0.9) for c in noisy)])
    assert again[0].p_holm == pytest.approx(0.16)
    assert again[0].verdict == "undecided"


def swapped(by, n_seeds=10):
    """Two arms, every seed alike: each is right on as many faces that the other gets wrong."""
    one, other = np.arange(N) < 80, np.arange(N) < 80
    one[80 : 80 + by], one[:by] = True, False
    return {
        "one": {s: frame(one) for s in range(n_seeds)},
        "other": {s: frame(other) for s in range(n_seeds)},
    }


def test_seeds_that_agree_on_few_faces_are_not_equivalence():
    """Every seed says exactly 0, and 20 faces a side decide it: 40 coins of 160 faces."""
    (found,) = contrasts(swapped(20), ("one", "other"), [], **(FEW | {"n_resamples": 2000}))
    assert (found.effect, found.p_equivalent) == (0.0, 0.0)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(40) / N, rel=0.1)
    assert found.verdict == "undecided"
    (sure,) = contrasts(swapped(20), ("one", "other"), [], margin=0.1, **FEW)
    assert sure.verdict == "equivalent"


def test_equivalence_is_corrected_as_difference_is():
    found = contrasts(
        ladder(), ("proto", "ce"), [("kd", "ce"), ("geo", "ce"), ("geo", "kd")], **FEW
    )
    expected = holm([c.p_equivalent for c in found[1:]])
    np.testing.assert_allclose([c.p_equivalent_holm for c in found[1:]], expected)
    assert found[0].p_equivalent_holm is None
    close = replace(found[1], p=0.6, p_equivalent=0.02, low=-0.003, high=0.003)
    others = [replace(c, p_equivalent=0.9) for c in found[2:]]
    assert corrected([close])[0].verdict == "equivalent"
    (again, *_) = corrected([close, *others])
    assert again.p_equivalent_holm == pytest.approx(0.06)
    assert again.verdict == "undecided"
    (waiting,) = corrected([close], family=4)
    assert waiting.p_equivalent_holm == pytest.approx(0.08)
    assert corrected([replace(close, primary=True), *others])[0].verdict == "equivalent"


def test_contrasts_of_two_calls_are_corrected_as_one_family():
    arms = ladder()
    whole = contrasts(arms, ("proto", "ce"), [("kd", "ce"), ("geo", "ce")], **FEW)
    first = contrasts(arms, ("proto", "ce"), [("kd", "ce")], **FEW)
    second = contrasts(arms, ("proto", "ce"), [("geo", "ce")], **FEW)
    assert corrected([*first, second[1]]) == whole


def test_draws_are_the_same_whichever_arms_are_compared():
    arms = ladder(3)
    whole = contrasts(arms, ("kd", "ce"), [("proto", "ce")], **FEW)[0]
    alone = contrasts(arms, ("kd", "ce"), [], **FEW)[0]
    assert alone == whole


def test_few_seeds_claim_nothing_and_one_seed_has_no_p():
    (three,) = contrasts(shifted(16, 3), ("more", "base"), [], **FEW)
    assert three.verdict == "no claim: 3 seeds, 10 are needed"
    assert three.p is not None
    both = contrasts(shifted(16, 1), ("more", "base"), [("base", "more")], **FEW)
    for one in both:
        assert one.verdict == "no claim: 1 seed, 10 are needed"
        assert one.t_low is one.t_high is one.p is one.p_holm is one.p_equivalent is None
        assert one.p_equivalent_holm is None
        assert one.low < one.effect < one.high


def test_a_contrast_can_be_stored():
    (found,) = contrasts(shifted(16), ("more", "base"), [], **FEW)
    stored = json.loads(json.dumps(canonical(found), allow_nan=False))
    assert stored["effect"] == found.effect
    assert stored["differences"] == list(found.differences)


def test_arms_that_cannot_be_compared_are_refused():
    arms = {"a": arm(0.5, 3), "b": arm(0.5, 2), "c": arm(0.5, 3)}
    with pytest.raises(InputError, match="compare arms over the seeds"):
        contrasts(arms, ("a", "b"), [], **FEW)
    assert contrasts(arms, ("a", "c"), [], **FEW)[0].n_seeds == 3
    with pytest.raises(InputError, match="d is no arm"):
        contrasts(arms, ("a", "d"), [], **FEW)
