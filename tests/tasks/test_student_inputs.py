"""Inputs of a student: fit together, and are opened, or an error says what does not fit."""

from types import SimpleNamespace

import numpy as np
import pytest
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.models.student import BackboneRecipe
from neurogaze.tasks.student_inputs import (
    check_classes,
    check_pictures,
    check_preparation,
    check_selection,
    open_grid,
    open_logits,
)
from tests.tasks.small import pinned_grid, pinned_logits

IDS = np.array(["a", "b"])
CORPUS = "synthetic_faces"


def test_classes():
    check_classes(EMOTIONS, 8)
    with pytest.raises(InputError, match="have the class order"):
        check_classes(EMOTIONS[::-1], 8)
    with pytest.raises(InputError, match="has 7 logits, not 8"):
        check_classes(EMOTIONS, 7)


@pytest.mark.parametrize(
    ("in_chans", "img_size", "fits"),
    [(1, None, True), (1, 44, True), (3, None, False), (1, 48, False), (3, 44, False)],
)
def test_pictures(in_chans, img_size, fits):
    recipe = BackboneRecipe("x", "imagenet", in_chans, img_size)
    if fits:
        check_pictures(recipe, FacePreprocessing())
        return
    with pytest.raises(InputError, match=r"makes 1 channels of 44 pixels, the student is .*x"):
        check_pictures(recipe, FacePreprocessing())


def test_preparation():
    check_preparation(None, {"size": 44})
    check_preparation({"size": 44}, {"size": 44})
    with pytest.raises(InputError, match=r"is .*44.*trained with .*48"):
        check_preparation({"size": 48}, {"size": 44})


def test_selection(tmp_path):
    """Only a moving average and a score together are refused."""
    last = ModelCheckpoint(dirpath=tmp_path)
    best = ModelCheckpoint(dirpath=tmp_path, monitor="val/accuracy")
    check_selection(0.9, [last])
    check_selection(0.0, [best, EarlyStopping("val/accuracy")])
    for watching, name in ((best, "ModelCheckpoint"), (EarlyStopping("val/f"), "EarlyStopping")):
        with pytest.raises(InputError, match=rf"ema_decay: is 0\.9, and {name}\.monitor") as told:
            check_selection(0.9, [last, watching])
        assert "last epoch" in told.value.remedy
        assert "ema_decay to 0" in told.value.remedy


def test_a_grid_is_checked_even_where_no_term_needs_it(tmp_path):
    pin = pinned_grid(tmp_path)
    assert open_grid(pin, needed=True, dim=8).sha256 == pin.sha256
    assert open_grid(pin, needed=False, dim=8) is None
    with pytest.raises(InputError, match="16"):
        open_grid(pin, needed=False, dim=16)


def test_no_grid():
    assert open_grid(None, needed=False, dim=8) is None
    with pytest.raises(InputError, match=r"model\.grid: is null"):
        open_grid(None, needed=True, dim=8)


def pictures(ids=IDS, dataset=CORPUS):
    return SimpleNamespace(ids=ids, dataset=dataset, groups=np.char.add("pixels of ", ids))


def test_logits(tmp_path):
    values = np.arange(16, dtype=np.float32).reshape(2, 8)
    pin = pinned_logits(tmp_path, IDS, values)
    np.testing.assert_array_equal(open_logits(pin, pictures(IDS[::-1]), None), values[::-1])
    with pytest.raises(InputError, match="would tell of fear"):
        open_logits(pin, pictures(), "fear")
    with pytest.raises(InputError, match="training is on 'ferplus'"):
        open_logits(pin, pictures(dataset="ferplus"), None)
    with pytest.raises(InputError, match=r"teacher_logits: is null"):
        open_logits(None, pictures(), None)
