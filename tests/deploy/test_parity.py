"""Parity: pictures that spread a network's answers, and differences that are really the largest."""

import numpy as np
import pytest

from neurogaze.deploy.network import Outputs
from neurogaze.deploy.parity import TOLERANCE, checked, compare, drawn_pictures, kept_if_alike
from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import FacePreprocessing


def outputs(n=3, **changes) -> Outputs:
    rng = np.random.default_rng(0)
    shapes = {"logits": 8, "embedding": 4, "cosines": 9}
    drawn = {k: rng.standard_normal((60, v)).astype(np.float32)[:n] for k, v in shapes.items()}
    return Outputs(**drawn | changes)


def test_pictures_are_noise_and_smooth_in_turn():
    pictures = drawn_pictures(90)
    assert pictures.shape == (90, 48, 48)
    assert pictures.dtype == np.uint8
    np.testing.assert_array_equal(pictures[:30], drawn_pictures(90)[:30])
    rough = np.abs(np.diff(pictures.astype(float), axis=2)).mean(axis=(1, 2))
    rough /= pictures.std(axis=(1, 2))
    assert rough[1::3].max() < rough[0::3].min()  # smooth below noise, whatever the contrast
    levels = pictures.mean(axis=(1, 2))
    assert levels.max() - levels.min() > 50


def test_they_spread_the_answers_of_the_student(student):
    import torch

    from neurogaze.faces.preprocessing import to_input

    images = to_input(torch.from_numpy(drawn_pictures(60)), FacePreprocessing())
    with torch.no_grad():
        logits = student(images).logits
    assert float(logits.std(dim=0).min()) > 100 * TOLERANCE


def test_the_largest_difference_is_found():
    one = outputs()
    other = outputs(
        logits=one.logits + np.float32(0.25) * (np.arange(24) == 13).reshape(3, 8),
        embedding=one.embedding - np.float32(0.5) * (np.arange(12) == 7).reshape(3, 4),
        cosines=one.cosines + np.float32(0.125),
    )
    found = compare(one, other)
    assert found.images == 3
    assert found.logits == pytest.approx(0.25, abs=1e-6)
    assert found.embedding == pytest.approx(0.5 / np.abs(one.embedding).max(), abs=1e-6)
    assert found.cosines == pytest.approx(0.125, abs=1e-6)
    assert not found.holds
    assert compare(one, one).holds


def test_one_other_label_breaks_it():
    logits = np.zeros((4, 8), np.float32)
    logits[:, 2] = 5e-5
    other = logits.copy()
    other[3, 2], other[3, 6] = 0, 4e-5
    found = compare(outputs(4, logits=logits), outputs(4, logits=other))
    assert found.logits < TOLERANCE
    assert found.same == 0.75
    assert not found.holds


@pytest.mark.parametrize("name", Outputs._fields)
def test_what_is_no_number_breaks_it(name):
    broken = getattr(outputs(), name).copy()
    broken[1, 1] = np.nan
    assert not compare(outputs(), outputs(**{name: broken})).holds
    assert not compare(outputs(), outputs(**{name: broken[:, :1]})).holds


def test_a_network_that_errs_on_a_single_picture_only_is_refused(tmp_path):
    """A graph can be right for many pictures at once and wrong for one."""

    def right(images):
        return outputs(len(images))

    def alone(images):
        return outputs(len(images)) if len(images) > 1 else outputs(1, logits=np.ones((1, 8)))

    prep = FacePreprocessing()
    assert checked(tmp_path / "a", right, right, prep, n=4, progress=False).holds
    with pytest.raises(InputError, match="does not say what its student says"):
        checked(tmp_path / "a", right, alone, prep, n=4, progress=False)


def test_a_student_that_says_nothing_is_not_exported(tmp_path):
    def lost(images):
        return outputs(len(images), logits=np.full((len(images), 8), np.nan, np.float32))

    with pytest.raises(InputError, match="answers that are no numbers"):
        checked(tmp_path / "a", lost, lost, FacePreprocessing(), n=4, progress=False)


@pytest.mark.parametrize("alike", [True, False])
def test_a_file_is_kept_only_if_it_is_alike(tmp_path, alike):
    path = tmp_path / "a.onnx"
    path.write_bytes(b"before")

    def opened(aside):
        assert aside.read_bytes() == b"after"
        return lambda images: outputs(len(images), logits=said(len(images)) + (not alike))

    def said(n):
        return np.zeros((n, 8), np.float32)

    def student(images):
        return outputs(len(images), logits=said(len(images)))

    given = (path, b"after", opened, student, FacePreprocessing(), 4, False)
    if alike:
        assert kept_if_alike(*given).holds
    else:
        with pytest.raises(InputError, match="does not say"):
            kept_if_alike(*given)
    assert path.read_bytes() == (b"after" if alike else b"before")
    assert len([*tmp_path.iterdir()]) == 1
