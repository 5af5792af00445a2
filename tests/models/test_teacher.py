"""The teacher standardises inside, finds electrodes by name, and refuses what it cannot read."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from neurogaze.eeg.recordings import EPOC
from neurogaze.eeg.topomap import interpolation_matrix
from neurogaze.errors import InputError
from neurogaze.models.electrode_transformer import ELECTRODES, electrode_ids
from neurogaze.models.teacher import Teacher

BRANCHES = ("both", "topomap", "electrodes")


@pytest.fixture(params=BRANCHES)
def teacher(request):
    torch.manual_seed(0)
    return Teacher(branches=request.param, map_size=16).eval()


def test_shapes(teacher):
    out = teacher(torch.randn(3, 14, 4))
    assert out.embedding.shape == (3, 256)
    assert out.va.shape == (3, 2)
    assert out.embedding.min().item() > -0.17, "GELU never falls below -0.17"


def test_head_is_linear_in_the_embedding(teacher):
    out = teacher(torch.randn(3, 14, 4))
    expected = out.embedding @ teacher.head.weight.T + teacher.head.bias
    torch.testing.assert_close(out.va, expected)


def test_standardisation_happens_inside(teacher):
    features = torch.randn(3, 14, 4)
    plain = teacher(features).va
    mean, std = torch.randn(14, 4), torch.rand(14, 4) + 0.5
    teacher.set_statistics(mean.numpy(), std.numpy())
    torch.testing.assert_close(teacher(features * std + mean).va, plain, atol=1e-4, rtol=1e-4)


def test_electrodes_are_found_by_name_in_a_larger_montage(teacher):
    features = torch.randn(3, 14, 4)
    order = torch.randperm(len(ELECTRODES), generator=torch.Generator().manual_seed(1))
    large = torch.full((3, len(ELECTRODES), 4), float("nan"))
    large[:, torch.from_numpy(electrode_ids(EPOC))] = features
    found = teacher(large[:, order], order)
    torch.testing.assert_close(found.embedding, teacher(features).embedding)


def test_a_missing_electrode_is_named(teacher):
    ids = torch.from_numpy(electrode_ids(EPOC))
    with pytest.raises(InputError, match=r"\['F7'\]"):
        teacher(torch.zeros(2, 13, 4), ids[ids != ELECTRODES.index("F7")])


@pytest.mark.parametrize("shape", [(2, 13, 4), (2, 14, 5)])
def test_another_montage_or_band_set_without_ids_is_refused(teacher, shape):
    with pytest.raises(InputError, match="was trained with"):
        teacher(torch.zeros(shape))


def test_an_electrode_named_twice_is_refused():
    with pytest.raises(InputError, match="twice"):
        Teacher(channels=("T3", "T7"), branches="electrodes")


@pytest.mark.parametrize(
    ("mean", "std", "match"),
    [
        (np.zeros((14, 5)), np.ones((14, 5)), "mean"),
        (np.full((14, 4), np.nan), np.ones((14, 4)), "mean"),
        (np.zeros((14, 4)), np.diag(np.ones(14))[:, :4], "never change"),
    ],
)
def test_statistics_are_checked(mean, std, match):
    with pytest.raises(InputError, match=match):
        Teacher(branches="electrodes").set_statistics(mean, std)


def test_state_survives_and_holds_the_layout():
    torch.manual_seed(0)
    first, second = Teacher(map_size=16).eval(), Teacher(map_size=16).eval()
    first.set_statistics(np.full((14, 4), 2.0), np.full((14, 4), 3.0))
    second.load_state_dict(first.state_dict())
    features = torch.randn(2, 14, 4)
    torch.testing.assert_close(second(features).va, first(features).va)
    assert {"encoders.0.matrix", "encoders.0.mask", "feature_mean"} <= set(first.state_dict())


def test_every_parameter_learns(teacher):
    teacher.train()
    out = teacher(torch.randn(8, 14, 4))
    out.va.square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in teacher.parameters())


def test_mne_is_only_needed_for_maps():
    code = (
        "import sys; from neurogaze.models.teacher import Teacher; Teacher(branches='electrodes');"
        "assert 'mne' not in sys.modules; Teacher(map_size=8); assert 'mne' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_dominance_is_a_third_output():
    torch.manual_seed(0)
    teacher = Teacher(branches="electrodes", n_outputs=3).eval()
    out = teacher(torch.randn(3, 14, 4))
    expected = out.embedding @ teacher.head.weight.T + teacher.head.bias
    assert out.va.shape == (3, 2)
    torch.testing.assert_close(torch.cat([out.va, out.dominance[:, None]], 1), expected)
    assert Teacher(branches="electrodes")(torch.randn(3, 14, 4)).dominance is None
    with pytest.raises(InputError, match="n_outputs"):
        Teacher(n_outputs=4)


@pytest.mark.parametrize(("mode", "method"), [("head", "cubic"), ("hull", "linear")])
def test_maps_are_drawn_as_asked(mode, method):
    teacher = Teacher(branches="topomap", map_size=16, map_mode=mode, map_method=method)
    matrix, mask = interpolation_matrix(EPOC, 16, mode, method)
    np.testing.assert_allclose(teacher.encoders[0].matrix, matrix, atol=1e-6)
    np.testing.assert_array_equal(teacher.encoders[0].mask, mask)
    plain = Teacher(branches="topomap", map_size=16).encoders[0].matrix
    assert not torch.allclose(plain, teacher.encoders[0].matrix)
