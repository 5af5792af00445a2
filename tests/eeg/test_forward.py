"""The forward model against the exact potential of a dipole in concentric shells."""

import numpy as np
import pytest
from scipy.special import eval_legendre

from neurogaze.eeg.corpora.forward import (
    BRAIN_RADIUS,
    HEAD_RADIUS,
    SHELL_CONDUCTIVITY,
    SHELL_RADII,
    directions,
    lead_field,
)
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError


def surface_term(degree):
    """Surface potential of the field `r ** -(degree + 1)` once four shells surround its source.

    In shell j the potential is A_j r^l + B_j r^-(l+1), with B_1 = 1 given. Potential and current
    are continuous at the inner borders and no current leaves the outermost.
    """
    radii, sigma = np.array(SHELL_RADII) * HEAD_RADIUS, SHELL_CONDUCTIVITY
    unit = radii[-1]  # lengths in units of the head keep the system well conditioned
    radii = radii / unit
    n = len(radii)
    grow, fall = (lambda r: r**degree), (lambda r: r ** -(degree + 1.0))

    def grow_slope(r):
        return degree * r ** (degree - 1.0)

    def fall_slope(r):
        return -(degree + 1.0) * r ** -(degree + 2.0)

    matrix, right = np.zeros((2 * n, 2 * n)), np.zeros(2 * n)
    matrix[0, n], right[0] = 1.0, 1.0
    for j, r in enumerate(radii[:-1]):
        matrix[1 + 2 * j, [j, n + j, j + 1, n + j + 1]] = grow(r), fall(r), -grow(r), -fall(r)
        matrix[2 + 2 * j, [j, n + j]] = sigma[j] * grow_slope(r), sigma[j] * fall_slope(r)
        matrix[2 + 2 * j, [j + 1, n + j + 1]] = (
            -sigma[j + 1] * grow_slope(r),
            -sigma[j + 1] * fall_slope(r),
        )
    matrix[-1, [n - 1, 2 * n - 1]] = grow_slope(1.0), fall_slope(1.0)
    solution = np.linalg.solve(matrix, right)
    return solution[n - 1] + solution[2 * n - 1]


def exact(offset, rays):
    """Potential of a radial unit dipole at distance `offset` along z, at surface rays `[n, 3]`."""
    b = offset / HEAD_RADIUS
    degrees = np.arange(1, 80)
    terms = degrees * b ** (degrees - 1.0) * np.array([surface_term(d) for d in degrees])
    waves = np.array([eval_legendre(d, rays[:, 2]) for d in degrees])
    return terms @ waves / (4 * np.pi * SHELL_CONDUCTIVITY[0] * HEAD_RADIUS**2)


def test_dipole_at_the_centre_makes_a_cosine():
    rays = directions(EPOC)
    field = lead_field(EPOC, np.full((3, 3), 1e-7), np.eye(3))
    level = surface_term(1) / (4 * np.pi * SHELL_CONDUCTIVITY[0] * HEAD_RADIUS**2)
    np.testing.assert_allclose(field, rays * level, rtol=0.02, atol=0.02 * level)


@pytest.mark.parametrize("depth", [0.3, 0.6, 0.78])
def test_radial_dipole_below_the_vertex(depth):
    names = ["Cz", "C2", "C4", "Fz", "Oz", *EPOC]
    up = np.array([[0.0, 0.0, 1.0]])
    truth = exact(depth * HEAD_RADIUS, directions(names))
    ours = lead_field(names, depth * HEAD_RADIUS * up, up)[:, 0]
    # three fitted dipoles stand in for the series; MNE's fit is good to a few per cent
    np.testing.assert_allclose(ours, truth, atol=0.03 * np.abs(truth).max())


def test_potential_falls_with_the_square_of_the_head():
    rng = np.random.default_rng(0)
    places = 0.03 * rng.uniform(-1, 1, (5, 3))
    moments = rng.standard_normal((5, 3))
    small = lead_field(EPOC, places, moments)
    np.testing.assert_allclose(lead_field(EPOC, places, moments, 1.25), small / 1.25**2, rtol=1e-4)


def test_fields_add_up():
    place = np.array([[0.02, -0.03, 0.04]])
    x, y = np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0]])
    both = lead_field(EPOC, place, 2 * x - 3 * y)
    apart = 2 * lead_field(EPOC, place, x) - 3 * lead_field(EPOC, place, y)
    np.testing.assert_allclose(both, apart, rtol=1e-9, atol=1e-9)


def test_electrodes_lie_where_their_names_say():
    x, y, z = directions(["T8", "Fpz", "Cz"])
    assert np.argmax(x) == 0
    assert np.argmax(y) == 1
    assert np.argmax(z) == 2
    np.testing.assert_allclose(np.linalg.norm(directions(EPOC), axis=1), 1.0)


def test_dipole_outside_the_brain():
    with pytest.raises(InputError, match=r"dipole: lies 0\.0950 m from the centre"):
        lead_field(EPOC, np.array([[0.0, 0.0, HEAD_RADIUS]]), np.eye(3)[2:])
    assert BRAIN_RADIUS < HEAD_RADIUS


def test_unknown_electrode():
    with pytest.raises(InputError, match=r"channels \['A99'\]: are not in the 10-05 system"):
        directions(["Cz", "A99"])
