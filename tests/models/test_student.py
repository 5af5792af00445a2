"""The student's backbone has the published size, and its stems have the stated strides."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from neurogaze.errors import InputError
from neurogaze.models.student import Student


def test_resnet18_has_the_published_size():
    """11,689,512 with the 1000-way classifier of ImageNet, which holds 513,000."""
    backbone = Student("resnet18", in_chans=3, stem="imagenet").backbone
    n = sum(p.numel() for p in backbone.parameters())
    assert n == 11_176_512
    assert n + 512 * 1000 + 1000 == 11_689_512


def test_head_size():
    student = Student()
    heads = [*student.embed.parameters(), *student.classify.parameters()]
    assert sum(p.numel() for p in heads) == 512 * 256 + 256 + 256 * 8 + 8


@pytest.mark.parametrize(("stem", "stride"), [("imagenet", 4), ("small_pool", 2), ("small", 1)])
def test_stem_strides(stem, stride):
    backbone = Student(stem=stem).backbone.eval()
    maps = []
    backbone.layer1.register_forward_hook(lambda *seen: maps.append(seen[2]))
    backbone(torch.zeros(1, 1, 48, 48))
    assert maps[0].shape[-2:] == (48 // stride, 48 // stride)


@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_head(channels):
    student = Student(in_chans=channels, embedding_dim=64).eval()
    out = student(torch.randn(2, channels, 44, 44))
    assert out.embedding.shape == (2, 64)
    expected = out.embedding @ student.classify.weight.T + student.classify.bias
    torch.testing.assert_close(out.logits, expected)


def test_dropout_touches_only_the_classifier():
    student = Student(dropout=0.9).eval()
    student.dropout.train()
    images = torch.randn(2, 1, 44, 44)
    first, second = student(images), student(images)
    torch.testing.assert_close(first.embedding, second.embedding)
    assert not torch.allclose(first.logits, second.logits)


def test_a_backbone_without_conv1_keeps_its_stem():
    out = Student("mobilenetv3_small_050", stem="imagenet").eval()(torch.zeros(1, 1, 64, 64))
    assert out.logits.shape == (1, 8)
    with pytest.raises(InputError, match="stem: imagenet"):
        Student("mobilenetv3_small_050", stem="small")


def test_a_deep_stem_is_not_replaced_by_half():
    """ResNet-18d has a `conv1` of three convolutions."""
    with pytest.raises(InputError, match="no single stem convolution"):
        Student("resnet18d", stem="small_pool")


def test_unknown_backbone_names_close_ones():
    with pytest.raises(InputError, match="resnet18"):
        Student("resnet-18")


def test_a_conv_bias_is_kept_out():
    stem = Student().backbone.conv1
    assert isinstance(stem, nn.Conv2d)
    assert stem.bias is None
    assert stem.kernel_size == (3, 3)


def test_import_needs_no_mne():
    code = "import sys, neurogaze.models.student; assert 'mne' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
