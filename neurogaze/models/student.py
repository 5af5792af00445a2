"""The image-only student: any timm backbone, a 256-d embedding and eight logits."""

from __future__ import annotations

import difflib
from typing import Literal, NamedTuple

import timm
from torch import Tensor, nn

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError

Stem = Literal["imagenet", "small", "small_pool"]


class StudentOutput(NamedTuple):
    """What the student says of a batch.

    Attributes:
        logits: `[B, 8]`, in the order of `EMOTIONS`.
        embedding: `[B, D]`, not normalised.
    """

    logits: Tensor
    embedding: Tensor


def make_backbone(name: str, in_chans: int) -> nn.Module:
    """Build an untrained timm network without its classifier.

    Raises:
        InputError: for a name that timm does not know, with the names that come close.
    """
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=3)
        raise InputError(f"backbone {name!r}", "is no timm model", f"close names are {near}")
    return timm.create_model(name, pretrained=False, num_classes=0, in_chans=in_chans)


def small_stem(backbone: nn.Module, name: str, keep_pool: bool) -> None:
    """Replace the 7x7 stride-2 stem of a residual network by a 3x3 stride-1 one, in place.

    Args:
        backbone: network with `conv1` and `maxpool`.
        name: what to call it in an error.
        keep_pool: keep the max-pool after it; without it the maps are four times as large.

    Raises:
        InputError: for a network whose stem is not one convolution and a pool.
    """
    conv = getattr(backbone, "conv1", None)
    if not isinstance(conv, nn.Conv2d) or not hasattr(backbone, "maxpool"):
        raise InputError(
            f"backbone {name!r}",
            "has no single stem convolution to replace",
            "use stem: imagenet, or a ResNet",
        )
    stem = nn.Conv2d(conv.in_channels, conv.out_channels, 3, padding=1, bias=conv.bias is not None)
    nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
    backbone.conv1 = stem
    if not keep_pool:
        backbone.maxpool = nn.Identity()


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
            stride 1; `small` removes the max-pool as well.
        dropout: probability of dropping an embedding unit before the classifier.

    Raises:
        InputError: for an unknown backbone, or one whose stem cannot be replaced.
    """

    def __init__(
        self,
        backbone: str = "resnet18",
        embedding_dim: int = 256,
        in_chans: int = 1,
        stem: Stem = "small_pool",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.backbone = make_backbone(backbone, in_chans)
        if stem != "imagenet":
            small_stem(self.backbone, backbone, keep_pool=stem == "small_pool")
        self.embed = nn.Linear(feature_width(self.backbone), embedding_dim)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(embedding_dim, len(EMOTIONS))

    def forward(self, images: Tensor) -> StudentOutput:
        """Classify images, `[B, in_chans, H, W]`, already normalised."""
        embedding = self.embed(self.backbone(images))
        return StudentOutput(self.classify(self.dropout(embedding)), embedding)
