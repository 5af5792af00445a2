"""Mixed pictures hold what their shares say, pixel by pixel, and follow the seed alone."""

import numpy as np
import pytest
import torch
from scipy.stats import beta, kstest

from neurogaze.errors import InputError
from neurogaze.faces.mixing import (
    Mix,
    MixSettings,
    draw_mix,
    mixed_images,
    mixed_rows,
    pasted_box,
)

ALWAYS = {"probability": 1.0}
SIZE = 44


def pictures(n):
    """Picture `i` is grey level `i` all over."""
    return torch.arange(n).float()[:, None, None, None].expand(n, 1, SIZE, SIZE).contiguous()


@pytest.mark.parametrize("kind", ["mixup", "cutmix", "either"])
def test_the_share_is_that_of_the_pixels(kind):
    """The mean grey level is lam * own + (1 - lam) * partner's, whatever way they are blended."""
    mix = draw_mix(64, SIZE, MixSettings(kind, **ALWAYS), seed=3)
    seen = mixed_images(pictures(64), mix).mean(dim=(1, 2, 3))
    own, other = torch.arange(64).float(), mix.partner.float()
    torch.testing.assert_close(seen, mix.lam * own + (1 - mix.lam) * other)
    assert (mix.lam < 1).float().mean() > 0.9


def test_mixup_by_hand():
    mix = Mix(torch.tensor([1, 0]), torch.tensor([0.75, 1.0]), torch.zeros(2, 4, dtype=torch.int64))
    seen = mixed_images(pictures(2), mix)
    assert torch.equal(seen[0], torch.full((1, SIZE, SIZE), 0.25))
    assert torch.equal(seen[1], torch.ones(1, SIZE, SIZE))


def test_cutmix_pastes_one_rectangle_and_nothing_else():
    mix = draw_mix(64, SIZE, MixSettings("cutmix", **ALWAYS), seed=1)
    images = torch.rand(64, 1, SIZE, SIZE)
    seen = mixed_images(images, mix)
    for i in range(64):
        top, bottom, left, right = mix.box[i].tolist()
        expected = images[i].clone()
        expected[:, top:bottom, left:right] = images[mix.partner[i], :, top:bottom, left:right]
        assert torch.equal(seen[i], expected)
        area = (bottom - top) * (right - left)
        assert float(mix.lam[i]) == np.float32(1 - area / SIZE**2)


def test_a_box_within_the_picture_has_the_area_asked_for():
    """Sides of floor(size * sqrt(1 - lam)): a share of 0.75 at 44 pixels leaves 22 x 22."""
    top, bottom, left, right = pasted_box(np.array([0.75]), np.array([[0.5, 0.5]]), SIZE)[0]
    assert (bottom - top, right - left) == (22, 22)
    assert (top, left) == (11, 11)
    whole = pasted_box(np.array([0.0]), np.array([[0.5, 0.5]]), SIZE)[0]
    assert whole.tolist() == [0, 44, 0, 44]
    assert np.ptp(pasted_box(np.array([1.0]), np.array([[0.0, 0.99]]), SIZE)[0][:2]) == 0


def test_boxes_are_cut_off_at_the_border():
    rng = np.random.default_rng(0)
    box = pasted_box(rng.random(1000), rng.random((1000, 2)), SIZE)
    assert box.min() == 0
    assert box.max() == SIZE
    assert (box[:, 1] >= box[:, 0]).all()
    assert (box[:, 3] >= box[:, 2]).all()


def test_shares_are_beta_and_as_often_as_asked():
    shares = [draw_mix(500, SIZE, MixSettings("mixup", 0.4, 0.5), seed=s).lam for s in range(8)]
    lam = torch.cat(shares).numpy()
    mixed = lam[lam < 1]
    assert abs(len(mixed) / len(lam) - 0.5) < 0.04
    assert kstest(mixed, beta(0.4, 0.4).cdf).pvalue > 0.01


def test_either_is_half_of_each():
    mix = draw_mix(2000, SIZE, MixSettings("either", **ALWAYS), seed=0)
    pasted = (mix.box[:, 1] > mix.box[:, 0]).float().mean()
    assert 0.4 < float(pasted) < 0.55


def test_partners_are_a_permutation_and_nobody_mixes_with_himself():
    for seed in range(20):
        mix = draw_mix(6, SIZE, MixSettings("either", **ALWAYS), seed=seed)
        assert sorted(mix.partner.tolist()) == list(range(6))
        alone = mix.partner == torch.arange(6)
        assert (mix.lam[alone] == 1).all()


def test_unmixed_pictures_are_untouched():
    images = torch.rand(64, 1, SIZE, SIZE)
    mix = draw_mix(64, SIZE, MixSettings("either", probability=0.3), seed=5)
    plain = mix.lam == 1
    assert 0 < int(plain.sum()) < 64
    assert torch.equal(mixed_images(images, mix)[plain], images[plain])
    assert draw_mix(64, SIZE, MixSettings("none"), seed=5) is None


def test_everything_comes_from_the_seed():
    settings = MixSettings("either")
    first, again, other = (draw_mix(32, SIZE, settings, seed=s) for s in (7, 7, 8))
    assert all(torch.equal(getattr(first, n), getattr(again, n)) for n in ("partner", "lam", "box"))
    assert not torch.equal(first.partner, other.partner)


def test_targets_by_hand():
    rows = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.0, 0.0, 1.0]])
    mixed = mixed_rows(rows, torch.tensor([1, 2, 0]), torch.tensor([0.5, 0.25, 1.0]))
    expected = torch.tensor([[0.5, 0.25, 0.25], [0.0, 0.125, 0.875], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(mixed, expected)


@pytest.mark.parametrize("bad", [{"kind": "blend"}, {"alpha": 0.0}, {"probability": 1.5}])
def test_settings_out_of_range(bad):
    with pytest.raises(InputError, match=next(iter(bad))):
        MixSettings(**bad)
