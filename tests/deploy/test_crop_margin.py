"""The benchmark of the crop finds what was planted."""

from pathlib import Path

import numpy as np
import pytest

from neurogaze.deploy.boxes import Box
from neurogaze.faces.corpora.synthetic import SyntheticFaces

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def margin(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import crop_margin

    return crop_margin


class Planted:
    """Sees a face of 0.8 sides, 0.05 sides above the middle and 0.02 right of it; and a texture."""

    name = "planted"

    def detect(self, rgb):
        total = rgb.shape[0]
        side = total / 2
        x, y = total / 2 + 0.02 * side, total / 2 - 0.05 * side
        eyes = ((x - 0.16 * side, y - 0.08 * side), (x + 0.16 * side, y - 0.08 * side))
        texture = Box(0, 0, side, side, 9.0)
        return [texture, Box(x - 0.4 * side, y - 0.4 * side, 0.8 * side, 0.8 * side, 1.0, eyes)]


def test_planted_boxes_give_their_margin_and_drop(margin):
    faces = SyntheticFaces(n_train=8, n_valid=8).load("train")
    seen = margin.search(faces, 8, Planted())
    value = {figure.name: figure.value for figure in margin.figures_of(faces, 8, seen)}
    assert value["found, share of pictures"] == 1
    assert value["margin"] == pytest.approx(1 / 0.8, abs=0.01)
    assert value["drop"] == pytest.approx(0.05 / 0.8, abs=0.01)
    assert value["aside"] == pytest.approx(-0.02 / 0.8, abs=0.01)
    assert value["eyes, distance"] == pytest.approx(0.4)
    assert value["eyes, height"] == pytest.approx(0.4)
    assert value["error, medians"] < 0.5 * value["error, bare box"]


def test_pictures_without_a_face_are_counted_as_such(margin):
    class Blind:
        name = "blind"

        def detect(self, rgb):
            return []

    faces = SyntheticFaces(n_train=8, n_valid=8).load("train")
    seen = margin.search(faces, 8, Blind())
    figures = margin.figures_of(faces, 8, seen)
    assert figures[0].value == 0
    assert all(np.isfinite(figure.value) for figure in figures)
    assert margin.spreads(seen) == "no face was found"
