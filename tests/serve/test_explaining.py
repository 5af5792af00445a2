"""Which way of explaining a file gets, and what is said of the map."""

import numpy as np

from neurogaze.serve.explaining import by_occlusion, open_explainer
from tests.serve.pretend import desk


def test_the_note_of_an_occlusion_map_says_how_much_is_lost():
    """White everywhere: a grey patch is the mean itself, so nothing is lost."""
    explainer = by_occlusion(desk().recogniser)
    assert "Nothing" in explainer.heat(np.full((48, 48), 255, dtype=np.uint8), 1).note
    face = np.zeros((48, 48), dtype=np.uint8)
    face[16:32, 16:32] = 255
    heat = explainer.heat(face, 1)
    assert heat.map.max() == 1.0
    assert heat.map.min() >= 0.0
    assert float(heat.note.split(" points")[0].split()[-1]) > 1


def test_a_file_without_gradients_is_explained_by_occlusion():
    assert open_explainer(desk().recogniser).name == "occlusion map"
