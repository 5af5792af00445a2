import numpy as np
import pytest

from neurogaze.eeg.mirror import mirror_features, mirror_index
from neurogaze.eeg.recordings import EPOC
from neurogaze.eeg.topomap import interpolation_matrix
from neurogaze.errors import InputError

NAMES = ("F3", "Fz", "F4", "T3", "T8", "Oz")


def features(channels, seed=0):
    return np.random.default_rng(seed).normal(size=(5, 2, len(channels), 4)).astype(np.float32)


def test_index_swaps_odd_and_even_and_keeps_the_midline():
    index = mirror_index(NAMES)
    assert index.dtype == np.int64
    assert [NAMES[i] for i in index] == ["F4", "Fz", "F3", "T8", "T3", "Oz"]
    assert [EPOC[i] for i in mirror_index(EPOC)] == list(EPOC[::-1])


@pytest.mark.parametrize("channels", [NAMES, EPOC])
def test_twice_is_nothing_and_once_is_a_copy(channels):
    x = features(channels)
    once = mirror_features(x, channels)
    assert once.dtype == x.dtype
    assert not np.array_equal(once, x)
    assert not np.shares_memory(once, x)
    np.testing.assert_array_equal(mirror_features(once, channels), x)


def test_midline_stays_and_asymmetry_turns_over():
    x = features(NAMES)
    y = mirror_features(x, NAMES)
    np.testing.assert_array_equal(y[..., [1, 5], :], x[..., [1, 5], :])
    np.testing.assert_array_equal(y[..., 0, :] - y[..., 2, :], x[..., 2, :] - x[..., 0, :])


@pytest.mark.parametrize("mode", ["hull", "head"])
def test_picture_of_the_mirrored_features_is_the_mirrored_picture(mode):
    matrix, _ = interpolation_matrix(EPOC, 32, mode, symmetric=True)
    x = features(EPOC)
    picture, mirrored = (
        np.einsum("pc,...ck->...kp", matrix, e).reshape(5, 2, 4, 32, 32)
        for e in (x, mirror_features(x, EPOC))
    )
    np.testing.assert_allclose(mirrored, picture[..., ::-1], atol=1e-5)


def test_an_electrode_without_its_partner_is_refused():
    with pytest.raises(InputError, match="F4"):
        mirror_index(("F3", "Fz"))
