"""Sheets hold every face once, show the map that they were given, and carry the stamp."""

import io

import numpy as np
from PIL import Image

from neurogaze.affect import EMOTIONS, grid_centers
from neurogaze.explain import sheets

RNG = np.random.default_rng(0)
FACES = RNG.integers(0, 255, (3, 48, 48), dtype=np.uint8)
MAPS = RNG.random((3, 48, 48))
TITLES = ["fear 40 %", "anger 90 %", "neutral 20 %"]


def images(figure):
    return [np.asarray(i.get_array()) for axes in figure.axes for i in axes.get_images()]


def test_a_gradcam_sheet():
    figure = sheets.gradcam_sheet(FACES, MAPS, TITLES, "fear: Grad-CAM", "meaningless on people")
    drawn = images(figure)
    for face, found in zip(FACES, MAPS, strict=True):
        assert sum(np.array_equal(image, face) for image in drawn) == 2
        assert sum(np.array_equal(image, found) for image in drawn) == 1
    assert [axes.get_title() for axes in figure.axes[:3]] == TITLES
    assert "MEANINGLESS ON PEOPLE" in figure._suptitle.get_text()
    png = sheets.figure_png(figure)
    assert Image.open(io.BytesIO(png)).format == "PNG"
    again = sheets.gradcam_sheet(FACES, MAPS, TITLES, "fear: Grad-CAM", "meaningless on people")
    assert sheets.figure_png(again) == png


def test_an_occlusion_sheet_has_one_scale():
    figure = sheets.occlusion_sheet(FACES, MAPS - 0.8, TITLES, "fear")
    limits = {image.get_clim() for axes in figure.axes[3:6] for image in axes.get_images()}
    low, high = limits.pop()
    assert not limits
    assert low == -high
    assert high == np.abs(MAPS - 0.8).max()
    flat = sheets.occlusion_sheet(FACES[:1], np.zeros((1, 48, 48)), ["x"], "fear")
    assert sheets.figure_png(flat)[:4] == b"\x89PNG"


def test_the_plane_has_low_arousal_below():
    shares = np.zeros(25)
    shares[4] = 1.0  # low arousal, high valence
    figure = sheets.plane_figure(grid_centers(5), shares, "plane")
    (image,) = figure.axes[0].get_images()
    assert image.origin == "lower"
    assert np.asarray(image.get_array())[0].tolist() == [0, 0, 0, 0, 1]
    assert {*EMOTIONS, "100 %"} <= {text.get_text() for text in figure.axes[0].texts}
    assert "prototype-space" in figure.axes[0].get_xlabel()


def test_points_are_drawn_only_where_they_are_shown():
    points, labels = np.array([[0.5, 0.4], [-0.4, 0.1]]), np.array([1, 3])
    shown = sheets.plane_figure(grid_centers(5), np.zeros(25), "plane", points, labels)
    drawn = {c.get_label(): c.get_offsets().tolist() for c in shown.axes[0].collections}
    assert drawn == {"happiness": [[0.5, 0.4]], "sadness": [[-0.4, 0.1]]}
    assert not sheets.plane_figure(grid_centers(5), np.zeros(25), "plane").axes[0].collections
