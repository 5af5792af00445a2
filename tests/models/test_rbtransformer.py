"""The RBTransformer and its ablations have the right sizes, and each lacks what it says."""

import pytest
import torch

from neurogaze.errors import InputError
from neurogaze.models.rbtransformer import RBTransformer

WIDTH, INNER = 128, 6 * 32
ATTENTION = 2 * WIDTH + WIDTH * 3 * INNER + INNER * WIDTH + WIDTH  # norm, qkv, out
FEED_FORWARD = 2 * WIDTH + 2 * (WIDTH * WIDTH + WIDTH)  # norm, two layers


def n_parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("channels", "classes", "expected"),
    [
        pytest.param(14, 2, 662_530, id="DREAMER binary"),
        pytest.param(14, 5, 662_917, id="DREAMER 5 classes"),
        pytest.param(32, 2, 664_834, id="DEAP binary"),
        pytest.param(32, 9, 665_737, id="DEAP 9 classes"),
        pytest.param(62, 3, 668_803, id="SEED"),
    ],
)
def test_published_sizes(channels, classes, expected):
    model = RBTransformer(channels, classes)
    assert n_parameters(model) == expected
    assert model(torch.zeros(2, channels, 4)).shape == (2, classes)


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"blocks": "feed_forward"}, 4 * ATTENTION),
        ({"blocks": "none"}, 4 * (ATTENTION + FEED_FORWARD)),
        ({"identity": False}, 14 * WIDTH),
        ({"dropout": 0.0}, 0),
    ],
)
def test_an_ablation_lacks_what_it_says(changes, missing):
    assert ATTENTION + FEED_FORWARD == 131_968, "the published size of a block"
    assert n_parameters(RBTransformer(**changes)) == 662_530 - missing


def moved_between_electrodes(**changes):
    """Logits of windows, and of the same with each band's values moved to other electrodes."""
    torch.manual_seed(0)
    model = RBTransformer(**changes).eval()
    features = torch.randn(3, 14, 4)
    moved = features.clone()
    for band in range(4):
        moved[:, :, band] = features[:, torch.randperm(14), band]
    with torch.no_grad():
        return model(features), model(moved)


def test_the_published_ablation_sees_no_more_than_the_mean_over_electrodes():
    plain, moved = moved_between_electrodes(blocks="none")
    torch.testing.assert_close(plain, moved, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("blocks", ["feed_forward", "attention"])
def test_the_fair_ablation_still_sees_electrodes(blocks):
    plain, moved = moved_between_electrodes(blocks=blocks)
    assert (plain - moved).abs().max() > 1e-3


def test_without_identity_electrodes_are_a_set():
    torch.manual_seed(0)
    model = RBTransformer(identity=False).eval()
    features = torch.randn(3, 14, 4)
    torch.testing.assert_close(model(features), model(features[:, torch.randperm(14)]))


def test_the_fair_ablation_never_mixes_electrodes():
    """Its encoding, before the norm, is a sum of functions of one electrode each."""
    torch.manual_seed(0)
    encoder = RBTransformer(blocks="feed_forward").encoder.eval()
    encoder.norm = torch.nn.Identity()
    one, two = torch.randn(2, 1, 14, 4)
    both, neither = one.clone(), two.clone()
    both[:, 7:], neither[:, 7:] = two[:, 7:], one[:, 7:]
    with torch.no_grad():
        torch.testing.assert_close(encoder(one) + encoder(two), encoder(both) + encoder(neither))


def test_unknown_blocks_are_refused():
    with pytest.raises(InputError, match="'mlp' is unknown"):
        RBTransformer(blocks="mlp")
