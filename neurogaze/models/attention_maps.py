"""Which electrodes look at which: the attention weights that the fused kernel keeps to itself."""

from __future__ import annotations

import torch
from einops import einsum, rearrange
from torch import Tensor, nn

from neurogaze.models.electrode_transformer import ElectrodeAttention


def query_key_value(attention: ElectrodeAttention, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys and values of a layer, each `[B, heads, C, head_dim]`.

    Args:
        attention: the layer.
        tokens: what goes into it, `[B, C, width]`.
    """
    joined = attention.qkv(tokens)
    query, key, value = rearrange(
        joined, "b c (three h d) -> three b h c d", three=3, h=attention.heads
    )
    return query, key, value


def layer_weights(attention: ElectrodeAttention, tokens: Tensor) -> Tensor:
    """Weights of a layer without dropout, `softmax(Q K^T / sqrt(head_dim))`.

    Args:
        attention: the layer.
        tokens: what goes into it, `[B, C, width]`.

    Returns:
        `[B, heads, C, C]`: how much the electrode of the row takes from that of the column; rows
        sum to 1.
    """
    query, key, _ = query_key_value(attention, tokens)
    scores = einsum(query, key, "b h q d, b h k d -> b h q k")
    return torch.softmax(scores / query.shape[-1] ** 0.5, dim=-1)


@torch.no_grad()
def attention_weights(network: nn.Module, features: Tensor) -> Tensor:
    """Attention weights of every layer of a network, in the order in which they run.

    Args:
        network: holds `ElectrodeAttention` layers, such as `ElectrodeEncoder` or `Teacher`; put it
            in evaluation mode.
        features: what goes into the network, `[B, C, K]`.

    Returns:
        `[layers, B, heads, C, C]`; no layers, `[0, B, 0, C, C]`, where it has no attention.
    """
    seen: list[Tensor] = []

    def keep(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, ElectrodeAttention)
        seen.append(layer_weights(layer, given[0]))

    layers = [m for m in network.modules() if isinstance(m, ElectrodeAttention)]
    hooks = [layer.register_forward_pre_hook(keep) for layer in layers]
    try:
        network(features)
    finally:
        for hook in hooks:
            hook.remove()
    n, c = features.shape[:2]
    return torch.stack(seen) if seen else features.new_zeros(0, n, 0, c, c)
