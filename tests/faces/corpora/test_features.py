"""The band of rows a part is painted on."""

import numpy as np

from neurogaze.faces.corpora.features import Frame


def upright(size=20):
    axis = ((np.arange(size) + 0.5) / size * 2 - 1).astype(np.float32)
    across, down = axis[None, None, :], axis[None, :, None]
    x, y = across + 0 * down, down + 0 * across
    return Frame(across, down, x, y, x, np.abs(x), np.zeros((1, 1, 1), np.float32))


def test_band_holds_exactly_the_rows_asked_for():
    rows, band = upright().band(-0.5, 0.3)  # row centres at -0.95, -0.85, ...
    assert rows == slice(5, 13)
    np.testing.assert_allclose(band.y[0, :, 0], np.arange(-0.45, 0.3, 0.1), atol=1e-6)
    assert band.x.shape == band.mirrored.shape == (1, 8, 20)


def test_band_outside_the_picture_is_empty():
    rows, band = upright().band(2.0, 3.0)
    assert rows == slice(0, 0)
    assert band.y.size == 0
