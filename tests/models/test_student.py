"""The student's backbone has the published size, and its stems have the stated strides."""

import pytest
import torch
from torch import nn

from neurogaze.errors import InputError
from neurogaze.models.student import BackboneRecipe, Student


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


PUBLISHED = {
    "resnet18": (11_689_512, 512, 64 * 49, None),
    "resnet50": (25_557_032, 2048, 64 * 49, None),
    "mobilenetv3_small_100": (2_542_856, 1024, 16 * 9, None),
    "tf_efficientnet_b0": (5_288_548, 1280, 32 * 9, None),
    "vit_tiny_patch16_224": (5_717_416, 192, 192 * 256, 224),
}
"""Parameters with 1000 classes and three channels, width of the features, weights of the stem that
see one channel, and the image size those parameters are for."""


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("channels", [1, 3])
def test_backbones_have_the_published_sizes(name, channels):
    """Less the classifier, and less what the stem does not need for grey pictures."""
    total, width, per_channel, size = PUBLISHED[name]
    student = Student(name, in_chans=channels, stem="imagenet", img_size=size)
    expected = total - (width * 1000 + 1000) - (3 - channels) * per_channel
    assert sum(p.numel() for p in student.backbone.parameters()) == expected
    assert student.embed.in_features == width


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", [*PUBLISHED, "convnext_atto"])
def test_any_backbone_takes_small_pictures(name, channels):
    size = 48 if name.startswith("vit") else None
    student = Student(name, in_chans=channels, stem="imagenet", img_size=size).eval()
    with torch.no_grad():
        out = student(torch.randn(2, channels, 48, 48, generator=torch.Generator().manual_seed(0)))
    assert out.embedding.shape == (2, 256)
    assert out.logits.shape == (2, 8)
    assert not torch.allclose(out.embedding[0], out.embedding[1])


@pytest.mark.parametrize("name", ["xcit_nano_12_p16_224", "efficientvit_m0"])
def test_patches_whose_size_is_one_number(name):
    """timm tells the patch size of these networks as a number, and of others as a pair."""
    student = Student(name, stem="imagenet", img_size=64).eval()
    with torch.no_grad():
        assert student(torch.randn(2, 1, 64, 64)).logits.shape == (2, 8)
    with pytest.raises(InputError, match=r"72 pixels.*data\.preprocessing\.size"):
        Student(name, stem="imagenet", img_size=72)


def test_a_transformer_needs_the_size_of_its_pictures():
    with pytest.raises(InputError, match=r"one size only.*img_size"):
        Student("vit_tiny_patch16_224", stem="imagenet")
    with pytest.raises(InputError, match=r"44 pixels into patches of 16.*multiple of 16"):
        Student("vit_tiny_patch16_224", stem="imagenet", img_size=44)
    with pytest.raises(InputError, match=r"img_size: is 0.*pixels of an edge"):
        Student("vit_tiny_patch16_224", stem="imagenet", img_size=0)
    with pytest.raises(InputError, match=r"img_size: is 44, but .*any size"):
        Student("resnet18", img_size=44)
    positions = Student("vit_tiny_patch16_224", stem="imagenet", img_size=48).backbone.pos_embed
    assert positions.shape == (1, 3 * 3 + 1, 192)


@pytest.mark.parametrize("name", ["mobilenetv3_small_050", "tf_efficientnet_b0"])
def test_a_stem_without_pool_loses_its_stride(name):
    """Not a weight changes; the maps are those of an image twice as wide."""
    torch.manual_seed(0)
    small = Student(name, stem="small").backbone.eval()
    torch.manual_seed(0)
    plain = Student(name, stem="imagenet").backbone.eval()
    assert small.state_dict().keys() == plain.state_dict().keys()
    image = torch.randn(1, 1, 44, 44)
    maps, strided = small.conv_stem(image), plain.conv_stem(image)
    assert maps.shape[-2:] == (44, 44)
    assert strided.shape[-2:] == (22, 22)
    offset = 1 if name.startswith("tf") else 0  # TensorFlow pads at the end
    torch.testing.assert_close(maps[..., offset::2, offset::2], strided)


def test_stems_that_cannot_be_replaced():
    with pytest.raises(InputError, match=r"no max-pool.*stem: small"):
        Student("mobilenetv3_small_050", stem="small_pool")
    for stem in ("small", "small_pool"):
        with pytest.raises(InputError, match=r"no single stem convolution.*stem: imagenet"):
            Student("convnext_atto", stem=stem)


@pytest.mark.parametrize(("name", "last"), [("resnet18", "bn2"), ("resnet50", "bn3")])
def test_residual_branches_start_open(name, last):
    """An image changes what a block adds to its shortcut, before any training."""
    block = Student(name, stem="imagenet").backbone.eval().layer1[1]
    assert torch.equal(getattr(block, last).weight, torch.ones_like(getattr(block, last).weight))
    width = getattr(block, last).num_features
    maps = torch.rand(1, width, 6, 6)
    assert not torch.allclose(block(maps), maps.relu())


def test_the_recipe_says_what_was_built():
    assert Student().recipe == BackboneRecipe("resnet18", "small_pool", 1, None)
    transformer = Student("vit_tiny_patch16_224", stem="imagenet", img_size=48, in_chans=3)
    assert transformer.recipe == BackboneRecipe("vit_tiny_patch16_224", "imagenet", 3, 48)


def test_a_deep_stem_is_not_replaced_by_half():
    """ResNet-18d has a `conv1` of three convolutions."""
    with pytest.raises(InputError, match="no single stem convolution"):
        Student("resnet18d", stem="small_pool")


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 1.5, float("nan")])
def test_dropout_leaves_something_to_classify(dropout):
    with pytest.raises(InputError, match=r"model\.student\.dropout: is"):
        Student("test_resnet", stem="imagenet", dropout=dropout)


def test_unknown_backbone_names_close_ones():
    with pytest.raises(InputError, match="resnet18"):
        Student("resnet-18")


def test_a_conv_bias_is_kept_out():
    stem = Student().backbone.conv1
    assert isinstance(stem, nn.Conv2d)
    assert stem.bias is None
    assert stem.kernel_size == (3, 3)
