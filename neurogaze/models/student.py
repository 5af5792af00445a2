"""The image-only student: any timm backbone, a 256-d embedding and eight logits."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import timm
from timm.models.resnet import BasicBlock, Bottleneck
from torch import Tensor, nn

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.models.small_maps import ready_small_maps

Stem = Literal["imagenet", "small", "small_pool"]


class StudentOutput(NamedTuple):
    """What the student says of a batch.

    Attributes:
        logits: `[B, 8]`, in the order of `EMOTIONS`.
        embedding: `[B, D]`, not normalised.
    """

    logits: Tensor
    embedding: Tensor


@dataclass(frozen=True)
class BackboneRecipe:
    """What a backbone was built from: weights fit another one only when all of it is equal.

    Args:
        name: of the timm model.
        stem: what was made of its first layers.
        in_chans: image channels.
        img_size: height and width of its images, pixels; None where any size will do.
    """

    name: str
    stem: Stem
    in_chans: int
    img_size: int | None


def make_backbone(name: str, in_chans: int, img_size: int | None = None) -> nn.Module:
    """Build an untrained timm network without its classifier.

    Args:
        name: of the timm model.
        in_chans: image channels.
        img_size: for one with a fixed number of positions, such as a vision transformer.

    Raises:
        InputError: for a name that timm does not know, with the names that come close; or for an
            image size that is missing, not asked for, or does not divide into patches.
    """
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=3)
        raise InputError(f"backbone {name!r}", "is no timm model", f"close names are {near}")
    settings = timm.get_pretrained_cfg(name, allow_unregistered=True)
    if settings is not None and settings.fixed_input_size:
        if img_size is None:
            remedy = "give model.student.img_size, the size of data.preprocessing"
            raise InputError(f"backbone {name!r}", "takes images of one size only", remedy)
        return _sized_backbone(name, in_chans, img_size)
    if img_size is not None:
        found = f"is {img_size}, but backbone {name!r} takes images of any size"
        raise InputError("model.student.img_size", found, "set it to null")
    backbone = timm.create_model(name, pretrained=False, num_classes=0, in_chans=in_chans)
    open_residuals(backbone)
    return backbone


def _sized_backbone(name: str, in_chans: int, img_size: int) -> nn.Module:
    """Build a network for images of one size; some of timm refuse theirs by an assertion."""
    if img_size < 1:
        raise InputError("model.student.img_size", f"is {img_size}", "give the pixels of an edge")
    try:
        network: nn.Module = timm.create_model(
            name, pretrained=False, num_classes=0, in_chans=in_chans, img_size=img_size
        )
    except AssertionError as error:
        found = f"cannot be built for images of {img_size} pixels ({error})"
        remedy = "use another size, here and in data.preprocessing.size"
        raise InputError(f"backbone {name!r}", found, remedy) from error
    _check_patches(network, name, img_size)
    return network


def open_residuals(backbone: nn.Module) -> None:
    """Let the residual branches of a ResNet speak from the first step, in place.

    timm starts the last norm of each branch at 0, which suits large batches and long warm-ups
    (Goyal et al. 2017, arXiv 1706.02677, section 5.1). Over the few thousand steps of a small face
    set such a network stays at the class frequencies for epochs before it begins to learn.
    """
    for module in backbone.modules():
        if isinstance(module, BasicBlock):
            nn.init.ones_(cast(Tensor, module.bn2.weight))
        elif isinstance(module, Bottleneck):
            nn.init.ones_(cast(Tensor, module.bn3.weight))


def _check_patches(backbone: nn.Module, name: str, img_size: int) -> None:
    """Refuse images whose border would fall off the last patch."""
    size = getattr(getattr(backbone, "patch_embed", None), "patch_size", 1)
    patch = size if isinstance(size, int) else size[0]  # timm has either, by network
    if img_size % patch:
        found = f"cuts images of {img_size} pixels into patches of {patch}"
        remedy = f"use a multiple of {patch}, here and in data.preprocessing.size"
        raise InputError(f"backbone {name!r}", found, remedy)


def small_stem(backbone: nn.Module, name: str, keep_pool: bool) -> None:
    """Let the stem of a network keep the resolution of the image, in place.

    The 7x7 stride-2 convolution of a residual network becomes a 3x3 one of stride 1. That of a
    MobileNet or EfficientNet is 3x3 already and only loses its stride.

    Args:
        backbone: network with `conv1` and `maxpool`, or with `conv_stem` and no pool.
        name: what to call it in an error.
        keep_pool: keep the max-pool after it; without it the maps are four times as large.

    Raises:
        InputError: for a network whose stem is not one convolution, or has no pool to keep.
    """
    conv = getattr(backbone, "conv1", None)
    if isinstance(conv, nn.Conv2d) and hasattr(backbone, "maxpool"):
        backbone.conv1 = _three_by_three(conv)
        if not keep_pool:
            backbone.maxpool = nn.Identity()
        return
    conv = getattr(backbone, "conv_stem", None)
    if not isinstance(conv, nn.Conv2d):
        raise InputError(
            f"backbone {name!r}",
            "has no single stem convolution to replace",
            "use stem: imagenet, or a ResNet",
        )
    if keep_pool:
        remedy = "use stem: small, or stem: imagenet"
        raise InputError(f"backbone {name!r}", "has no max-pool after its stem", remedy)
    conv.stride = (1, 1)


def _three_by_three(conv: nn.Conv2d) -> nn.Conv2d:
    """A fresh 3x3 convolution of stride 1 with the channels of another."""
    stem = nn.Conv2d(conv.in_channels, conv.out_channels, 3, padding=1, bias=conv.bias is not None)
    nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
    return stem


def feature_width(backbone: nn.Module) -> int:
    """Width of what a timm network without its classifier returns."""
    plain = getattr(backbone, "num_features", None)
    return int(getattr(backbone, "head_hidden_size", None) or plain or 0)


class Student(nn.Module):
    """Backbone, linear embedding, dropout and linear classifier over the eight emotions.

    Args:
        backbone: name of a timm model, built without downloaded weights.
        embedding_dim: width of the embedding; that of the prototype grid when one is used.
        in_chans: image channels, 1 or 3.
        stem: `imagenet` keeps the stem of the backbone; `small_pool` makes it a 3x3 convolution of
            stride 1 (residual networks); `small` removes the max-pool as well, where there is one.
        dropout: probability of dropping an embedding unit before the classifier.
        img_size: height and width of the images, pixels, for a backbone that takes one size only.

    Raises:
        InputError: for an unknown backbone, one whose stem cannot be replaced, or one that needs
            an image size; or for a dropout outside [0, 1).
    """

    def __init__(
        self,
        backbone: str = "resnet18",
        embedding_dim: int = 256,
        in_chans: int = 1,
        stem: Stem = "small_pool",
        dropout: float = 0.0,
        img_size: int | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            found = f"is {dropout}"
            raise InputError("model.student.dropout", found, "use 0 or more, and less than 1")
        self.recipe = BackboneRecipe(backbone, stem, in_chans, img_size)
        self.backbone = make_backbone(backbone, in_chans, img_size)
        if stem != "imagenet":
            small_stem(self.backbone, backbone, keep_pool=stem == "small_pool")
        ready_small_maps(self.backbone)
        self.embed = nn.Linear(feature_width(self.backbone), embedding_dim)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(embedding_dim, len(EMOTIONS))

    def forward(self, images: Tensor) -> StudentOutput:
        """Classify images, `[B, in_chans, H, W]`, already normalised."""
        embedding = self.embed(self.backbone(images))
        return StudentOutput(self.classify(self.dropout(embedding)), embedding)
