"""Maps are matrix products, empty outside the mask, and the mask is the last channel."""

import pytest
import torch

from neurogaze.errors import InputError
from neurogaze.models.topomap_encoder import TopomapEncoder, draw_maps


def layout(size=8, channels=3):
    matrix = torch.rand(size * size, channels, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(size * size) % 3 > 0
    return matrix, mask


def test_map_values_by_hand():
    matrix = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [9.0, 9.0]])
    mask = torch.tensor([True, True, True, False])
    maps = draw_maps(torch.tensor([[[2.0], [4.0]]]), matrix, mask)
    assert maps.tolist() == [[[[2.0, 3.0], [4.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]]]]


def test_nan_outside_the_mask_does_not_leak():
    matrix, mask = layout()
    matrix[~mask] = float("nan")
    assert torch.isfinite(draw_maps(torch.randn(2, 3, 4), matrix, mask)).all()


def test_shape_and_size():
    matrix, mask = layout()
    encoder = TopomapEncoder(matrix, mask, n_bands=4)
    assert encoder(torch.randn(5, 3, 4)).shape == (5, 128)
    convolutions = 9 * (5 * 32 + 32 * 64 + 64 * 128)
    assert sum(p.numel() for p in encoder.parameters()) == convolutions + 2 * (32 + 64 + 128)


def test_layout_is_saved_with_the_weights():
    matrix, mask = layout()
    state = TopomapEncoder(matrix, mask).state_dict()
    assert torch.equal(state["matrix"], matrix)
    assert torch.equal(state["mask"], mask)


@pytest.mark.parametrize("size", [4, 7])
def test_a_map_too_small_to_pool_is_refused(size):
    with pytest.raises(InputError, match="at least 8 points"):
        TopomapEncoder(*layout(size))
