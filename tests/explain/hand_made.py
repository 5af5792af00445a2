"""Students whose reasons are known, because they were made by hand."""

from types import SimpleNamespace

import torch
from einops import reduce
from torch import nn

from neurogaze.models.student import StudentOutput


class Bars(nn.Module):
    """Two feature maps: bright pixels, and dark ones; nothing is learnt."""

    feature_info = ({"module": "conv", "num_chs": 2},)

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.conv.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)

    def forward(self, images):
        return reduce(self.conv(images).relu(), "b c h w -> b c", "mean")


class Small(nn.Module):
    """A network small enough to learn in a test: two feature maps from two convolutions."""

    feature_info = ({"module": "last", "num_chs": 2},)

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 6, 3, padding=1)
        self.last = nn.Sequential(nn.Conv2d(6, 2, 3, padding=1), nn.ReLU())

    def forward(self, images):
        return reduce(self.last(self.first(images).relu()), "b c h w -> b c", "mean")


class HandMade(nn.Module):
    """Class 1 is how much is bright, class 2 how much is dark; the rest are 0."""

    def __init__(self, backbone: nn.Module | None = None) -> None:
        super().__init__()
        self.recipe = SimpleNamespace(name="hand made")
        self.backbone = Bars() if backbone is None else backbone
        self.classify = nn.Linear(2, 8, bias=False)
        self.classify.weight.data.zero_()
        self.classify.weight.data[1, 0] = self.classify.weight.data[2, 1] = 1.0

    def forward(self, images):
        features = self.backbone(images)
        return StudentOutput(self.classify(features), features)


def lit(where, value=1.0, size=48):
    """One picture, 0 but for a patch."""
    image = torch.zeros(1, 1, size, size)
    image[..., where[0], where[1]] = value
    return image
