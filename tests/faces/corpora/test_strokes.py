"""Shapes cover the area that geometry says."""

import numpy as np
import pytest

from neurogaze.faces.corpora.strokes import between, bump, coverage, ellipse, line, paint

AXIS = ((np.arange(400) + 0.5) / 200 - 1).astype(np.float32)
Y, X = (grid[None] for grid in np.meshgrid(AXIS, AXIS, indexing="ij"))
PIXEL_AREA = (2 / 400) ** 2


def area(distance):
    return float(coverage(distance, 0.01).sum()) * PIXEL_AREA


def test_areas():
    assert area(ellipse(X, Y, 0.5, 0.3)) == pytest.approx(np.pi * 0.5 * 0.3, rel=0.01)
    assert area(line(X, Y, 0.4, 0.05)) == pytest.approx(0.8 * 0.1, rel=0.02)
    assert area(between(Y, -0.2, 0.3)) == pytest.approx(2 * 0.5, rel=0.01)


def test_edge_is_half_covered():
    distance = np.array([-1.0, -0.05, 0.0, 0.05, 1.0], dtype=np.float32)
    np.testing.assert_allclose(coverage(distance, 0.1), [1, 1, 0.5, 0, 0], atol=1e-6)


def test_bump():
    np.testing.assert_allclose(bump(np.array([-2.0, -1.0, 0.0, 0.5])), [0, 0, 1, 0.75])


def test_paint_blends_in_place():
    canvas = np.full((1, 1, 3), 0.2, dtype=np.float32)
    paint(canvas, np.array([[[0.0, 0.5, 1.0]]], dtype=np.float32), 0.8)
    np.testing.assert_allclose(canvas, [[[0.2, 0.5, 0.8]]], atol=1e-6)
