"""Damage is what its name says, and the same for the same seed."""

import numpy as np
import pytest

from tests.fuzz.damage import DAMAGES, cut, damaged, digit, double, flip, place, zero

CONTENT = np.random.default_rng(0).integers(1, 256, 5000, dtype=np.uint8).tobytes()


def rngs(n=200):
    return [np.random.default_rng(seed) for seed in range(n)]


def differing(a, b):
    return np.unpackbits(np.frombuffer(a, np.uint8) ^ np.frombuffer(b, np.uint8)).sum()


def test_places_are_near_the_ends_more_often_than_not():
    rng = np.random.default_rng(0)
    places = np.array([place(1_000_000, rng) for _ in range(2000)])
    assert places.min() == 0
    assert places.max() == 999_999
    # a third is drawn with a uniform logarithm, half of which lies below a thousand of a million
    assert (places < 1000).mean() == pytest.approx(1 / 6, abs=0.03)
    assert (places >= 999_000).mean() == pytest.approx(1 / 6, abs=0.03)


def test_cut_keeps_a_beginning():
    for rng in rngs():
        short = cut(CONTENT, rng)
        assert len(short) < len(CONTENT)
        assert CONTENT.startswith(short)


def test_flip_turns_at_most_eight_bits():
    for rng in rngs():
        assert 0 <= differing(flip(CONTENT, rng), CONTENT) <= 8


def test_zero_is_one_block():
    for rng in rngs():
        changed = np.frombuffer(zero(CONTENT, rng), np.uint8)
        zeros = np.flatnonzero(changed == 0)
        assert np.array_equal(zeros, np.arange(zeros[0], zeros[-1] + 1))
        assert len(changed) == len(CONTENT)


def test_double_repeats_a_block():
    for rng in rngs():
        longer = double(CONTENT, rng)
        extra = len(longer) - len(CONTENT)
        assert extra > 0
        assert any(longer[:i] + longer[i + extra :] == CONTENT for i in range(len(CONTENT)))


def test_digit_exchanges_a_digit():
    text = b"128 of 4096 samples at 7"  # with a digit after every place
    for rng in rngs():
        changed = digit(text, rng)
        places = [i for i, (a, b) in enumerate(zip(changed, text, strict=True)) if a != b]
        assert len(places) <= 1
        assert all(chr(changed[i]).isdecimal() for i in places)


@pytest.mark.parametrize("content", [CONTENT, b"a", b"\0" * 100])
def test_damage_always_shows_and_follows_the_seed(content):
    for seed in range(100):
        changed = damaged(content, np.random.default_rng(seed))
        assert changed != content
        assert changed == damaged(content, np.random.default_rng(seed))


def test_every_kind_of_damage_is_dealt():
    assert len(set(DAMAGES)) == 5
