"""A block has the published size, attention is the published formula, electrodes have names."""

import math

import numpy as np
import pytest
import torch

from neurogaze.eeg.montage import electrode_positions
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError
from neurogaze.models.electrode_transformer import (
    ELECTRODES,
    Block,
    ElectrodeAttention,
    ElectrodeEncoder,
    electrode_ids,
)


def n_parameters(module):
    return sum(p.numel() for p in module.parameters())


def test_block_has_the_published_size():
    assert n_parameters(Block()) == 131_968


def test_attention_is_softmax_of_scaled_products():
    torch.manual_seed(0)
    attend = ElectrodeAttention().double().eval()
    tokens = torch.randn(2, 5, 128, dtype=torch.float64)
    query, key, value = (tokens @ attend.qkv.weight.T).split(192, dim=-1)
    heads = []
    for h in range(6):
        part = slice(32 * h, 32 * (h + 1))
        score = query[..., part] @ key[..., part].transpose(1, 2) / math.sqrt(32)
        heads.append(torch.softmax(score, -1) @ value[..., part])
    linear = attend.out[0]
    expected = torch.cat(heads, -1) @ linear.weight.T + linear.bias
    torch.testing.assert_close(attend(tokens), expected)


def test_identity_tells_electrodes_apart():
    """Without it the mean over electrodes would not see a swap of two of them."""
    torch.manual_seed(0)
    encoder = ElectrodeEncoder(4).eval()
    features = torch.randn(1, 4, 4)
    swapped = features[:, [1, 0, 2, 3]]
    assert not torch.allclose(encoder(features), encoder(swapped), atol=1e-3)
    with torch.no_grad():
        encoder.identity.zero_()
    torch.testing.assert_close(encoder(features), encoder(swapped))


def test_identity_starts_standard_normal():
    torch.manual_seed(0)
    identity = ElectrodeEncoder(62).identity
    assert identity.std().item() == pytest.approx(1.0, abs=0.03)


def test_encoding_is_layer_normalised():
    encoded = ElectrodeEncoder(14).eval()(torch.randn(3, 14, 4))
    torch.testing.assert_close(encoded.mean(1), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(encoded.var(1, unbiased=False), torch.ones(3), atol=1e-3, rtol=0)


def test_names_are_those_of_the_standard_montage():
    assert ELECTRODES[-2:] == ("CB1", "CB2")
    assert electrode_positions(ELECTRODES[:-2]).shape == (len(ELECTRODES) - 2, 3)
    assert len(set(ELECTRODES)) == len(ELECTRODES)


def test_ids_take_old_names_and_any_case():
    assert electrode_ids(["t3", "T4", "T5", "T6"]).tolist() == [
        ELECTRODES.index(n) for n in ("T7", "T8", "P7", "P8")
    ]
    assert [ELECTRODES[i] for i in electrode_ids(EPOC)] == list(EPOC)
    assert electrode_ids(["FPZ"]).dtype == np.int64


def test_unknown_electrode_is_named():
    with pytest.raises(InputError, match=r"'AF33'.*close ones are.*AF3"):
        electrode_ids(["AF3", "AF33"])
