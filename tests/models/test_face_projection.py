"""The expander has the layers of the paper, and its middle is normalised."""

import torch

from neurogaze.models.face_projection import Expander


def test_size_by_hand():
    """Two linear layers with batch norm, and a third."""
    expander = Expander(512, 1024)
    linear = (512 * 1024 + 1024) + 2 * (1024 * 1024 + 1024)
    assert sum(p.numel() for p in expander.parameters()) == linear + 2 * 2 * 1024


def test_outputs_do_not_depend_on_the_scale_of_the_features():
    """Batch norm after the first layer takes it away."""
    torch.manual_seed(0)
    expander, features = Expander(6, 16).train(), torch.randn(32, 6)
    out = expander(features)
    assert out.shape == (32, 16)
    assert (out < 0).any(), "no ReLU after the last layer"
    torch.testing.assert_close(expander(100 * features), out, rtol=1e-2, atol=1e-2)
