"""Attention weights give back what the layer computes, whatever kernel it uses."""

import pytest
import torch
from einops import rearrange
from torch.nn import functional as F

from neurogaze.models.attention_maps import attention_weights, layer_weights, query_key_value
from neurogaze.models.electrode_transformer import ElectrodeAttention, ElectrodeEncoder
from neurogaze.models.teacher import Teacher


def test_weights_times_values_are_the_output_of_the_layer():
    torch.manual_seed(0)
    layer = ElectrodeAttention().eval()
    tokens = torch.randn(3, 14, 128)
    weights = layer_weights(layer, tokens)
    _, _, value = query_key_value(layer, tokens)
    mixed = rearrange(weights @ value, "b h c d -> b c (h d)")
    torch.testing.assert_close(layer.out(mixed), layer(tokens), atol=1e-5, rtol=1e-5)


def test_weights_are_those_of_torch():
    """The reference kernel applied to unit vectors as values returns its weights."""
    torch.manual_seed(1)
    layer = ElectrodeAttention(width=24, heads=2, head_dim=8).eval()
    tokens = 3 * torch.randn(2, 5, 24)
    query, key, _ = query_key_value(layer, tokens)
    unit = torch.eye(5).expand(2, 2, 5, 5)
    expected = F.scaled_dot_product_attention(query, key, unit)
    torch.testing.assert_close(layer_weights(layer, tokens), expected, atol=1e-6, rtol=1e-5)


def test_every_block_of_an_encoder_is_seen_in_order():
    torch.manual_seed(2)
    encoder = ElectrodeEncoder(n_channels=6).eval()
    features = torch.randn(4, 6, 4)
    before = encoder(features)
    weights = attention_weights(encoder, features)
    assert weights.shape == (4, 4, 6, 6, 6)
    torch.testing.assert_close(weights.sum(-1), torch.ones(4, 4, 6, 6))
    layers = [m for m in encoder.modules() if isinstance(m, ElectrodeAttention)]
    tokens = encoder.project(features) + encoder.identity
    first = layer_weights(layers[0], encoder.blocks[0].attention[0](tokens))
    torch.testing.assert_close(weights[0], first)
    assert not any(layer._forward_pre_hooks for layer in layers)
    torch.testing.assert_close(encoder(features), before)


@pytest.mark.parametrize(("branches", "layers"), [("electrodes", 4), ("both", 4), ("topomap", 0)])
def test_a_teacher_has_attention_in_its_electrode_branch_only(branches, layers):
    teacher = Teacher(("AF3", "T7", "O1", "AF4"), 2, branches=branches, map_size=8).eval()
    weights = attention_weights(teacher, torch.randn(3, 4, 2))
    assert weights.shape == (layers, 3, 6 if layers else 0, 4, 4)


def test_hooks_go_when_the_network_fails():
    encoder = ElectrodeEncoder(n_channels=6)
    with pytest.raises(RuntimeError):
        attention_weights(encoder, torch.randn(4, 6, 3))
    layers = [m for m in encoder.modules() if isinstance(m, ElectrodeAttention)]
    assert not any(layer._forward_pre_hooks for layer in layers)
