import subprocess
import sys

import numpy as np
import pytest
from scipy.interpolate import CloughTocher2DInterpolator, griddata
from scipy.spatial import ConvexHull

from neurogaze.eeg.montage import partners
from neurogaze.eeg.recordings import EPOC
from neurogaze.eeg.topomap import (
    EXTENT,
    electrode_positions,
    grid_points,
    interpolation_matrix,
    node_weights,
    project,
)
from neurogaze.errors import InputError
from neurogaze.models.teacher import Teacher

GELLER = (
    "Fp1", "AF3", "F3", "F7", "FC5", "FC1", "C3", "T7", "CP5", "CP1", "P3", "P7", "PO3", "O1",
    "Oz", "Pz", "Fp2", "AF4", "Fz", "F4", "F8", "FC6", "FC2", "Cz", "C4", "T8", "CP6", "CP2",
    "P4", "P8", "PO4", "O2",
)  # fmt: skip
MONTAGES = pytest.mark.parametrize("channels", [EPOC, GELLER], ids=["epoc", "32"])
EVERY = pytest.mark.parametrize(
    ("mode", "method", "symmetric"),
    [(m, k, s) for m in ("hull", "head") for k in ("cubic", "linear") for s in (False, True)],
)


def values(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 5))


@MONTAGES
@pytest.mark.parametrize("method", ["cubic", "linear"])
def test_matrix_equals_scipy_on_the_values(channels, method):
    nodes, v = project(electrode_positions(channels)), values(len(channels))
    matrix, mask = interpolation_matrix(channels, method=method)
    direct = griddata(nodes, v, grid_points(32), method=method)
    np.testing.assert_array_equal(mask, np.isfinite(direct[:, 0]))
    difference = np.abs(matrix @ v - direct)[mask].max()
    assert difference / np.abs(direct[mask]).max() <= 1e-6


@MONTAGES
def test_matrix_equals_scipy_at_a_tight_tolerance(channels):
    """`griddata` stops its gradients at 1e-6 of their size; the scheme itself agrees further."""
    nodes, v = project(electrode_positions(channels)), values(len(channels))
    matrix, mask = interpolation_matrix(channels)
    direct = CloughTocher2DInterpolator(nodes, v, tol=1e-13, maxiter=10_000)(grid_points(32))
    difference = np.abs(matrix @ v - direct)[mask].max()
    assert difference / np.abs(direct[mask]).max() <= 1e-10


@MONTAGES
@EVERY
def test_constants_stay_constant_and_the_rest_is_zero(channels, mode, method, symmetric):
    matrix, mask = interpolation_matrix(channels, 32, mode, method, symmetric)
    assert matrix.shape == (1024, len(channels))
    np.testing.assert_allclose(matrix[mask].sum(axis=1), 1, atol=1e-10)
    assert (matrix[~mask] == 0).all()
    assert 0.3 < mask.mean() < 1
    assert np.linalg.matrix_rank(matrix) == len(channels)
    if method == "linear":
        assert matrix.min() >= -1e-12


@MONTAGES
@pytest.mark.parametrize("mode", ["hull", "head"])
@pytest.mark.parametrize("method", ["cubic", "linear"])
def test_electrodes_are_recovered(channels, mode, method):
    nodes = project(electrode_positions(channels))
    inwards = nodes.mean(axis=0) + (nodes - nodes.mean(axis=0)) * (1 - 1e-9)
    weights = node_weights(nodes, inwards, mode, method)
    np.testing.assert_allclose(weights, np.eye(len(channels)), atol=1e-6)


@MONTAGES
@pytest.mark.parametrize("mode", ["hull", "head"])
def test_electrodes_themselves_are_exact(channels, mode):
    """Where the hull, whose corners they are, does not lose them to rounding."""
    nodes = project(electrode_positions(channels))
    weights = node_weights(nodes, nodes, mode, "cubic")
    there = np.isfinite(weights).all(axis=1)
    assert there.sum() >= (len(channels) if mode == "head" else len(channels) // 2)
    np.testing.assert_allclose(weights[there], np.eye(len(channels))[there], atol=1e-12)


@pytest.mark.parametrize("method", ["cubic", "linear"])
def test_a_plane_is_recovered(method):
    nodes = project(electrode_positions(GELLER))
    plane = nodes @ [0.3, -0.7] + 0.1
    matrix, mask = interpolation_matrix(GELLER, method=method)
    expected = grid_points(32) @ [0.3, -0.7] + 0.1
    np.testing.assert_allclose((matrix @ plane)[mask], expected[mask], atol=1e-9)


def test_hull_covers_what_the_hull_covers():
    nodes = project(electrode_positions(EPOC))
    _, mask = interpolation_matrix(EPOC, size=128)
    assert mask.mean() * (2 * EXTENT) ** 2 == pytest.approx(ConvexHull(nodes).volume, rel=0.03)


def test_head_covers_the_circle_whatever_the_montage():
    circle = np.hypot(*grid_points(32).T) <= EXTENT
    for channels in (EPOC, GELLER, ("F3", "F4", "Cz")):
        _, mask = interpolation_matrix(channels, mode="head")
        np.testing.assert_array_equal(mask, circle)


def test_rows_run_from_front_to_back_and_columns_from_left_to_right():
    matrix, _ = interpolation_matrix(GELLER)
    image = matrix.reshape(32, 32, -1)
    rows, columns = np.indices((32, 32))
    for name, (up, left) in {"F7": (1, 1), "F8": (1, 0), "P7": (0, 1), "P8": (0, 0)}.items():
        weight = np.abs(image[:, :, GELLER.index(name)])
        assert ((weight * rows).sum() / weight.sum() < 15.5) == up
        assert ((weight * columns).sum() / weight.sum() < 15.5) == left


def test_an_electrode_peaks_at_the_same_pixel_in_every_montage():
    for name in ("T7", "O2", "F3"):
        peaks = []
        for channels in (EPOC, GELLER):
            matrix, _ = interpolation_matrix(channels, method="linear")
            peaks.append(divmod(int(matrix[:, channels.index(name)].argmax()), 32))
        row, column = np.array(peaks).T
        assert np.ptp(row) <= 1
        assert np.ptp(column) <= 1


@MONTAGES
@pytest.mark.parametrize("mode", ["hull", "head"])
@pytest.mark.parametrize("method", ["cubic", "linear"])
def test_mirrored_values_give_the_mirrored_picture(channels, mode, method):
    matrix, mask = interpolation_matrix(channels, 32, mode, method, symmetric=True)
    v = values(len(channels))
    picture = (matrix @ v).reshape(32, 32, -1)
    mirrored = (matrix @ v[partners(channels)]).reshape(32, 32, -1)
    np.testing.assert_allclose(mirrored, picture[:, ::-1], atol=1e-12)
    np.testing.assert_array_equal(mask.reshape(32, 32), mask.reshape(32, 32)[:, ::-1])


def test_plain_map_is_not_its_mirror_image():
    """Why the option exists: the triangulation takes one of two diagonals."""
    matrix, _ = interpolation_matrix(EPOC)
    image = matrix.reshape(32, 32, -1)
    assert np.abs(image[:, ::-1][:, :, partners(EPOC)] - image).max() > 0.05


def test_electrodes_that_cannot_be_placed_are_refused():
    with pytest.raises(InputError, match=r"'AF33'.*AF3"):
        electrode_positions(("AF3", "AF33"))
    with pytest.raises(InputError, match="same place twice"):
        interpolation_matrix(("T3", "T7", "O1", "O2"))


MIDLINE = ("Fz", "FCz", "Cz", "CPz", "Pz", "POz", "Oz")


@pytest.mark.parametrize("mode", ["hull", "head"])
@pytest.mark.parametrize("method", ["cubic", "linear"])
@pytest.mark.parametrize("channels", [(), ("Cz",), ("F3", "F4"), MIDLINE[:3], MIDLINE])
def test_electrodes_without_an_area_are_refused(channels, method, mode):
    told = f"{len(channels)} electrodes span no area.*three or more, not on one line"
    with pytest.raises(InputError, match=told):
        interpolation_matrix(channels, mode=mode, method=method)


def test_the_narrowest_montage_is_none_without_an_area():
    """No electrode off the midline lies nearer to it than POO2h."""
    assert interpolation_matrix((*MIDLINE, "POO2h"), size=128)[1].any()


@pytest.mark.parametrize("size", [0, -1])
def test_a_picture_has_a_pixel(size):
    with pytest.raises(InputError, match=f"size: {size} pixels a side"):
        interpolation_matrix(EPOC, size=size)


@pytest.mark.parametrize("size", [0, -1])
def test_the_map_of_a_teacher_has_a_point(size):
    with pytest.raises(InputError, match=f"map_size: {size} points a side"):
        Teacher(map_size=size)


def test_an_unknown_mode_is_refused():
    with pytest.raises(InputError, match="mode: 'face' is unknown"):
        interpolation_matrix(EPOC, mode="face")


def test_a_caller_may_write_into_its_matrix():
    first, mask = interpolation_matrix(EPOC)
    kept = first.copy()
    first[:], mask[:] = 0, False
    np.testing.assert_array_equal(interpolation_matrix(EPOC)[0], kept)
    assert interpolation_matrix(list(EPOC))[1].any()


def test_importing_does_not_load_mne():
    code = "import sys, neurogaze.eeg.topomap; sys.exit('mne' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
