"""A teacher on another montage: its own electrodes stay as they are, others are means of those."""

import warnings

import numpy as np
import pytest
import torch

from neurogaze.eeg.montage import electrode_positions
from neurogaze.eeg.recordings import EPOC
from neurogaze.eeg.topomap import interpolation_matrix
from neurogaze.errors import InputError
from neurogaze.models.electrode_transformer import electrode_ids
from neurogaze.models.montages import interpolate_electrodes, neighbour_weights
from neurogaze.models.teacher import Teacher

BIOSEMI = (
    "Fp1", "AF3", "F3", "F7", "FC5", "FC1", "C3", "T7", "CP5", "CP1", "P3", "P7", "PO3", "O1",
    "Oz", "Pz", "Fp2", "AF4", "Fz", "F4", "F8", "FC6", "FC2", "Cz", "C4", "T8", "CP6", "CP2",
    "P4", "P8", "PO4", "O2",
)  # fmt: skip
SHARED = [BIOSEMI.index(name) for name in EPOC]


def trained(branches="both", **changes):
    torch.manual_seed(0)
    teacher = Teacher(branches=branches, map_size=16, **changes)
    draw = np.random.default_rng(0)
    teacher.set_statistics(draw.normal(size=(14, 4)), draw.uniform(0.5, 2, size=(14, 4)))
    return teacher.eval()


def identity(teacher):
    return teacher.encoders[-1].identity.detach()


@pytest.mark.parametrize("branches", ["both", "topomap", "electrodes"])
def test_the_same_montage_gives_the_same_teacher(branches):
    teacher = trained(branches)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other = interpolate_electrodes(teacher, EPOC)
    for name, value in teacher.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    features = torch.randn(3, 14, 4)
    assert torch.equal(other(features).va, teacher(features).va)


def test_the_same_electrodes_in_another_order_read_the_same():
    teacher = trained()
    order = torch.randperm(14)
    other = interpolate_electrodes(teacher, [EPOC[i] for i in order])
    features = torch.randn(3, 14, 4)
    torch.testing.assert_close(other(features[:, order]).va, teacher(features).va)


def test_from_14_to_32_electrodes():
    teacher = trained()
    with pytest.warns(UserWarning, match="18 of 32 electrodes are interpolated.*'Fp1'"):
        other = interpolate_electrodes(teacher, BIOSEMI)
    assert torch.equal(identity(other)[SHARED], identity(teacher))
    assert torch.equal(other.feature_mean[SHARED], teacher.feature_mean)
    assert torch.equal(other.feature_std[SHARED], teacher.feature_std)
    features = torch.randn(3, 32, 4)
    assert torch.isfinite(other(features).va).all()
    assert torch.isfinite(other(features).embedding).all()
    ids = torch.from_numpy(electrode_ids(BIOSEMI))
    torch.testing.assert_close(other(features, ids).va, other(features).va)
    matrix, mask = interpolation_matrix(BIOSEMI, size=16)
    np.testing.assert_allclose(other.encoders[0].matrix, matrix, atol=1e-6)
    np.testing.assert_array_equal(other.encoders[0].mask, mask)


def test_picking_from_32_electrodes_is_the_result_on_14():
    teacher = trained()
    features = torch.randn(3, 32, 4)
    picked = teacher(features, torch.from_numpy(electrode_ids(BIOSEMI)))
    torch.testing.assert_close(picked.va, teacher(features[:, SHARED]).va)


def test_an_unseen_electrode_is_the_gaussian_mean_of_the_trained_ones():
    """Written out with loops."""
    teacher = trained("electrodes")
    with pytest.warns(UserWarning, match="1 of 2"):
        other = interpolate_electrodes(teacher, ["Fz", "F3"])
    here, places = electrode_positions(["Fz"])[0], electrode_positions(EPOC)
    share = [np.exp(-sum((here - place) ** 2) / (2 * 0.04**2)) for place in places]
    for mine, theirs in (
        (identity(other), identity(teacher)),
        (other.feature_mean, teacher.feature_mean),
        (other.feature_std, teacher.feature_std),
    ):
        expected = sum(s * row for s, row in zip(share, theirs.numpy(), strict=True)) / sum(share)
        np.testing.assert_allclose(mine[0], expected, rtol=1e-5, atol=1e-6)


def test_weights_sum_to_one_however_far_the_neighbours_are():
    weights = neighbour_weights(["O1", "O2"], BIOSEMI, sigma=0.002)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert weights[BIOSEMI.index("PO3")].argmax() == 0
    assert weights[BIOSEMI.index("O2")].tolist() == [0, 1]


def test_the_given_teacher_and_the_draws_of_others_stay_as_they_are():
    teacher = trained()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    state = torch.get_rng_state()
    with pytest.warns(UserWarning, match="interpolated"):
        other = interpolate_electrodes(teacher, BIOSEMI)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1)
    assert torch.equal(torch.get_rng_state(), state)
    assert teacher.channels == EPOC
    for name, value in teacher.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize(
    ("channels", "match"),
    [(("T3", "T7"), "twice"), (("AF3", "CB1"), "'CB1'"), (("AF3", "X9"), "'X9'")],
)
def test_montages_without_meaning_are_refused(channels, match):
    with pytest.raises(InputError, match=match):
        interpolate_electrodes(trained("electrodes"), channels)
