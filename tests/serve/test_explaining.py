"""Maps lie on the pixels that they speak of."""

import numpy as np
import pytest
import torch

from neurogaze.faces.preprocessing import FacePreprocessing, centred
from neurogaze.serve.explaining import by_occlusion, open_explainer, over_face
from tests.serve.pretend import desk


@pytest.mark.parametrize("size", [48, 44, 43, 20])
def test_a_map_lies_where_its_input_was_cut(size):
    """Whatever picture is cut: laid back, it equals the picture there and is 0 around."""
    picture = torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(size))
    cut = centred(picture, size)
    back = over_face(cut[0], FacePreprocessing(size=size))
    assert back.shape == (48, 48)
    seen = back > 0
    assert int(seen.sum()) == size * size
    torch.testing.assert_close(back[seen], picture[0, 0][seen])


def test_a_map_of_an_enlarged_face_is_brought_back():
    maps = torch.arange(4.0).reshape(1, 2, 2).repeat_interleave(48, 1).repeat_interleave(48, 2)
    back = over_face(maps, FacePreprocessing(size=96))
    assert back[:24, :24].eq(0).all()
    assert back[24:, 24:].eq(3).all()


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
