"""People differ as people do, and their affect moves what the literature says it moves."""

import numpy as np
import pytest

from neurogaze.eeg.corpora.people import RHYTHMS, modulation, person
from neurogaze.eeg.recordings import EPOC


def place(below):
    return [rhythm.below for rhythm in RHYTHMS].index(below)


def test_valence_turns_alpha_to_the_right():
    pleased = modulation(np.array([1.0, 0.0]))
    assert pleased[place("F3")] < 0 < pleased[place("F4")]


def test_arousal_raises_fast_rhythms_and_lowers_posterior_alpha():
    roused = modulation(np.array([0.0, 1.0]))
    fast = [i for i, r in enumerate(RHYTHMS) if r.low >= 13 and r.below[0] == "F"]
    assert len(fast) == 4
    assert (roused[fast] > 0).all()
    assert roused[place("POz")] < 0


def test_neutral_affect_moves_nothing():
    np.testing.assert_array_equal(modulation(np.zeros(2)), 0.0)


def test_affect_is_not_read_off_by_a_plane_alone():
    a, b = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert np.abs(modulation(a + b) - modulation(a) - modulation(b)).max() > 0.3


def test_one_person_is_always_the_same_and_two_never():
    person.cache_clear()
    first = person(3, 1)
    person.cache_clear()
    np.testing.assert_array_equal(first.rhythm_gain, person(3, 1).rhythm_gain)
    for other in (person(3, 2), person(4, 1)):
        assert np.abs(first.rhythm_gain - other.rhythm_gain).max() > 0.1


@pytest.mark.parametrize(("below", "nearest"), [("F3", "F3"), ("F4", "F4"), ("FT7", "T7")])
def test_rhythm_is_loudest_near_its_place(below, nearest):
    gain = np.mean([person(0, n).rhythm_gain[:, place(below)] for n in range(8)], axis=0)
    top = np.argsort(np.abs(gain))[-3:]
    assert EPOC.index(nearest) in top


def test_blinks_are_frontal():
    gain = np.abs(person(0, 0).eye_gain)
    frontal = [EPOC.index(n) for n in ("AF3", "AF4", "F7", "F8")]
    assert gain[frontal].min() > 3 * gain[[EPOC.index("O1"), EPOC.index("O2")]].max()


def test_background_is_shared_by_neighbours():
    gain = np.mean([person(0, n).background_gain @ person(0, n).background_gain.T
                    for n in range(8)], axis=0)  # fmt: skip
    spread = np.sqrt(np.diag(gain))
    correlation = gain / np.outer(spread, spread)
    neighbours = correlation[EPOC.index("O1"), EPOC.index("O2")]
    assert neighbours > 0.3
    assert np.sqrt(np.trace(gain) / len(EPOC)) == pytest.approx(9.0, rel=0.3)
