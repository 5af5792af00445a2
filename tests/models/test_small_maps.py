"""Convolutions tap by tap are PyTorch's convolutions, forward and backward, and nothing else."""

import copy
from itertools import product

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from neurogaze.models import small_maps
from neurogaze.models.small_maps import SmallMapConv2d, TapByTap, fits, ready_small_maps, taps
from neurogaze.models.student import Student, make_backbone

SHAPES = [
    (kernel, size, stride, padding)
    for kernel, size, stride, padding in product((1, 2, 3, 5), (1, 2, 3), (1, 2), (0, 1, 2))
    if size + 2 * padding >= kernel
]


def drawn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("kernel", "size", "stride", "padding"), SHAPES)
def test_equals_the_library(kernel, size, stride, padding):
    image = drawn(4, 3, size, size).requires_grad_()
    weight = drawn(5, 3, kernel, kernel, seed=1).requires_grad_()
    found = TapByTap.apply(image, weight, stride, padding)
    wanted = F.conv2d(image, weight, stride=stride, padding=padding)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)
    pull = drawn(*wanted.shape, seed=2)
    for ours, theirs in zip(
        torch.autograd.grad(found, (image, weight), pull),
        torch.autograd.grad(wanted, (image, weight), pull),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_maps_need_not_be_square():
    image, weight = drawn(2, 3, 1, 3), drawn(4, 3, 3, 3, seed=1)
    torch.testing.assert_close(
        TapByTap.apply(image, weight, 1, 1), F.conv2d(image, weight, padding=1)
    )


def test_gradients_are_those_of_finite_differences():
    image, weight = drawn(2, 2, 3, 3).requires_grad_(), drawn(3, 2, 3, 3, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda i, w: TapByTap.apply(i, w, 2, 1), (image, weight))


@pytest.mark.parametrize(("size", "pairs"), [(1, 1), (2, 16), (3, 49)])
def test_padding_is_never_multiplied(size, pairs):
    """A 3x3 kernel joins `(3n - 2)^2` pairs of pixels of an n x n map, of `9n^2` with padding."""
    joined = 0
    for tap in taps(3, (size, size), 1, 1):
        rows, columns = (len(range(*part.indices(size))) for part in tap.made)
        joined += rows * columns
    assert joined == pairs == (3 * size - 2) ** 2


def both(size, backbone="resnet18"):
    """One network as it is used and as timm built it."""
    torch.manual_seed(0)
    ours = Student(backbone, stem="imagenet")
    theirs = copy.deepcopy(ours)
    for module in theirs.modules():
        if isinstance(module, SmallMapConv2d):
            module.__class__ = nn.Conv2d
    images = drawn(8, 1, size, size, seed=3).float()
    return ours, theirs, images


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_a_network_learns_the_same(backbone):
    steps = []
    *networks, images = both(48, backbone)
    for network in networks:
        network.double()(images.double()).logits.square().sum().backward()
        steps.append([p.grad for p in network.parameters()])
    for ours, theirs in zip(*steps, strict=True):
        assert (ours - theirs).norm() <= 1e-9 * (1 + theirs.norm())


def test_weights_of_a_seed_are_those_of_timm():
    """Readying a network draws nothing, so a seed means what it meant."""
    built = []
    for ready in (False, True):
        torch.manual_seed(0)
        network = make_backbone("resnet18", 1)
        if ready:
            ready_small_maps(network)
        built.append({**network.state_dict(), "next": torch.rand(3)})
    assert built[0].keys() == built[1].keys()
    assert all(torch.equal(built[0][name], built[1][name]) for name in built[0])


@pytest.fixture
def counted(monkeypatch):
    """How often a convolution goes tap by tap."""
    calls, apply = [], TapByTap.apply
    monkeypatch.setattr(TapByTap, "apply", lambda *a: calls.append(a[0].shape) or apply(*a))
    return calls


def test_small_maps_alone_go_tap_by_tap(counted):
    ours, _, images = both(48)
    ours(images)
    assert {shape[-1] for shape in counted} == {2, 3}
    assert len(counted) == 7, "three of the third stage, and the four of the last"


def test_half_precision_and_export_are_left_to_the_library(counted):
    ours, _, images = both(32)
    with torch.autocast("cpu", torch.bfloat16):
        ours(images)
    exported = torch.export.export(ours.eval(), (images,))
    names = [str(node.target) for node in exported.graph.nodes]
    assert sum("conv2d" in name for name in names) == 20
    assert counted == []


def test_only_plain_square_convolutions_are_taken():
    taken = nn.Conv2d(2, 2, 3, padding=1, bias=False)
    assert fits(taken)
    ready_small_maps(nn.Sequential(taken))
    assert not fits(taken), "once is enough"
    others = [
        nn.Conv2d(2, 2, 1, bias=False),
        nn.Conv2d(2, 2, 3, padding=1),
        nn.Conv2d(2, 2, 3, padding=1, groups=2, bias=False),
        nn.Conv2d(2, 2, 3, dilation=2, bias=False),
        nn.Conv2d(2, 2, (3, 1), bias=False),
        nn.Conv2d(2, 2, 3, stride=(1, 2), bias=False),
        nn.Conv2d(2, 2, 3, padding="same", bias=False),
        nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect", bias=False),
        nn.Linear(2, 2),
    ]
    assert not any(map(fits, others))


def test_what_needs_no_gradient_gets_none():
    image, weight = drawn(2, 3, 2, 2), drawn(4, 3, 3, 3, seed=1).requires_grad_()
    TapByTap.apply(image, weight, 1, 1).sum().backward()
    assert image.grad is None
    assert weight.grad is not None


def test_a_saved_network_is_read_back(tmp_path):
    ours, theirs, images = both(32)
    torch.save(ours.state_dict(), tmp_path / "weights.pt")
    theirs.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    with torch.no_grad():
        torch.testing.assert_close(ours(images).logits, theirs(images).logits, atol=1e-5, rtol=1e-4)


def test_the_limit_is_a_map_of_three_by_three():
    assert small_maps.worth_it(torch.zeros(1, 1, 3, 3))
    assert not small_maps.worth_it(torch.zeros(1, 1, 4, 4))
    assert not small_maps.worth_it(torch.zeros(1, 1, 3, 3, dtype=torch.bfloat16))
