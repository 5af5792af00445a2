import numpy as np
import pytest

from neurogaze.eeg.bands import band_filter
from neurogaze.eeg.windows import band_variance, cut


@pytest.mark.parametrize(("length", "hop"), [(128, 128), (512, 256), (512, 117), (100, 250)])
def test_windows_are_slices_and_their_variance_numpys(length, hop):
    draw = np.random.default_rng(0)
    x = np.stack([band_filter(draw.normal(0, 1e-5, 3000), 128.0, *b) for b in ((4, 8), (30, 45))])
    windows = cut(x, length, hop)
    starts = range(0, 3000 - length + 1, hop)
    assert windows.shape == (2, len(starts), length)
    direct = np.stack([x[:, s : s + length].var(axis=1) for s in starts], axis=1)
    np.testing.assert_allclose(band_variance(windows), direct, rtol=1e-9)


def test_a_window_as_quiet_as_a_millionth_of_its_neighbour_keeps_its_variance():
    x = band_filter(np.random.default_rng(0).normal(0, 1e-5, 4096), 128.0, 8, 13)
    x[:2048] *= 1e6
    windows = cut(x, 512, 117)
    np.testing.assert_allclose(band_variance(windows), windows.var(axis=-1), rtol=1e-9)


def test_sixty_seconds_hold_62_windows_of_512_samples_every_117():
    """Kumar et al. (arXiv:2511.13954) count 62 windows in a trial of DEAP."""
    assert len(cut(np.zeros(60 * 128), 512, 117)) == 62
