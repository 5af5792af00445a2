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


def test_channels_last_changes_the_layout_and_no_value():
    """Against plain convolutions of maps that are written out pixel by pixel."""
    torch.manual_seed(0)
    matrix, mask = layout()
    encoder = TopomapEncoder(matrix, mask).eval()
    features = torch.randn(5, 3, 4)
    maps = torch.zeros(5, 5, 8, 8)
    for pixel in range(64):
        if mask[pixel]:
            maps[:, :4, pixel // 8, pixel % 8] = (matrix[pixel][:, None] * features).sum(1)
            maps[:, 4, pixel // 8, pixel % 8] = 1
    drawn = draw_maps(features, matrix, mask)
    assert drawn.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(drawn, maps)
    expected = maps
    for convolve, norm, *rest in encoder.stages:
        weight = convolve.weight.detach().contiguous()
        expected = torch.nn.functional.conv2d(expected, weight, padding=1).contiguous()
        expected = norm(expected)
        for layer in rest:
            expected = layer(expected)
    torch.testing.assert_close(encoder(features), expected.mean((2, 3)), atol=1e-5, rtol=1e-5)


def test_layout_is_saved_with_the_weights():
    matrix, mask = layout()
    state = TopomapEncoder(matrix, mask).state_dict()
    assert torch.equal(state["matrix"], matrix)
    assert torch.equal(state["mask"], mask)


@pytest.mark.parametrize("size", [4, 7])
def test_a_map_too_small_to_pool_is_refused(size):
    with pytest.raises(InputError, match="at least 8 points"):
        TopomapEncoder(*layout(size))
