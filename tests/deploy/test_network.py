"""The deployed network: cosines by hand, and two outputs where there is no grid."""

import numpy as np
import pytest
import torch

from neurogaze.deploy.network import (
    DeployedNetwork,
    Outputs,
    as_outputs,
    ask,
    check_finite,
    check_shapes,
    exportable,
    network_of,
    prepared,
)
from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import FacePreprocessing
from tests.tasks.small import small_student


def test_cosines_are_those_of_the_embedding_with_the_prototypes(student):
    images = torch.randn(3, 1, 44, 44, generator=torch.Generator().manual_seed(0))
    found = ask(network_of(student), images.numpy())
    embedding, prototypes = found.embedding.astype(float), student.prototypes.numpy()
    lengths = np.linalg.norm(embedding, axis=1)[:, None] * np.linalg.norm(prototypes, axis=1)
    np.testing.assert_allclose(found.cosines, embedding @ prototypes.T / lengths, atol=1e-6)
    assert found.cosines.shape == (3, 25)


def test_without_a_grid_there_are_no_cosines():
    network = DeployedNetwork(small_student(), torch.zeros(0, 8)).eval()
    images = np.zeros((2, 1, 44, 44), np.float32)
    assert ask(network, images).cosines.shape == (2, 0)
    with torch.inference_mode():
        assert len(exportable(network)(torch.from_numpy(images))) == 2
    two = as_outputs([np.zeros((2, 8), np.float32), np.zeros((2, 4), np.float32)])
    assert two.cosines.shape == (2, 0)


def test_a_picture_is_prepared_by_hand():
    """The middle of the picture, in 0..1, minus mean, over deviation, a channel each."""
    face = np.arange(48 * 48).reshape(1, 48, 48).astype(np.uint8)
    face.flags.writeable = False
    found = prepared(face, FacePreprocessing(size=44, channels=3, mean=0.4, std=0.2))
    assert found.shape == (1, 3, 44, 44)
    for channel in found[0]:
        np.testing.assert_allclose(channel, (face[0, 2:46, 2:46] / 255 - 0.4) / 0.2, atol=1e-6)


WELL = {"logits": (3, 8), "embedding": (3, 5), "cosines": (3, 4)}


def outputs(dtype=np.float32, **shapes):
    return Outputs(**{name: np.zeros(shape, dtype) for name, shape in (WELL | shapes).items()})


def test_shapes_that_fit_pass():
    assert check_shapes(outputs(), 3, 4, "a.onnx")
    assert check_shapes(outputs(cosines=(3, 0)), 3, 0, "a.onnx")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (outputs(logits=(2, 8)), "gives logits"),
        (outputs(logits=(3, 9)), "gives logits"),
        (outputs(logits=(3,)), "gives logits"),
        (outputs(embedding=(3,)), "gives embedding .*not float32 .3, D."),
        (outputs(embedding=(1, 5)), "gives embedding"),
        (outputs(cosines=(3, 5)), "gives cosines"),
        (outputs(cosines=(3, 0)), "gives cosines"),
        (outputs(np.float64), "gives logits of float64"),
        (outputs()._replace(embedding=[1]), "gives embedding of type list"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(wrong, words):
    with pytest.raises(InputError, match=rf"a\.onnx: {words}"):
        check_shapes(wrong, 3, 4, "a.onnx")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", list(WELL))
def test_what_is_no_number_is_refused(name, value):
    found = outputs()
    check_finite(found, "a.onnx")
    getattr(found, name)[2, 1] = value
    with pytest.raises(InputError, match=r"a\.onnx: gives answers that are no numbers"):
        check_finite(found, "a.onnx")
