"""The networks whose speed is compared, untrained, and what is published of their accuracy.

Published figures are of other people's trained networks with these backbones; "init" says what
those were trained from. Ours are read from the result rows of this repository.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.utils.flop_counter import FlopCounterMode

from neurogaze.affect import EMOTIONS
from neurogaze.deploy.network import DeployedNetwork
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.models.student import Stem, Student, StudentOutput

ARTEFACTS = Path(__file__).parents[1] / "experiments" / "artefacts"
FLOPS_OF_A_MAC = 2
CELLS = 25
"""Of the grid whose prototypes our deployed network compares with."""


@dataclass(frozen=True)
class Published:
    """What is known of the accuracy on FERPlus, 8 classes unless said otherwise.

    Args:
        accuracy: in words, per cent.
        part: of FERPlus.
        init: what the weights were trained from.
    """

    accuracy: str = "none found"
    part: str = ""
    init: str = ""


class Peer(nn.Module):
    """A plain timm network with eight classes that returns what a student returns.

    Args:
        backbone: timm name.
    """

    def __init__(self, backbone: str) -> None:
        super().__init__()
        self.network = timm.create_model(backbone, pretrained=False, num_classes=len(EMOTIONS))

    def forward(self, images: Tensor) -> StudentOutput:
        """Classify images, `[B, 3, H, W]`; the embedding is what the classifier is given."""
        maps = self.network.forward_features(images)
        embedding = self.network.forward_head(maps, pre_logits=True)
        return StudentOutput(self.network.get_classifier()(embedding), embedding)


@dataclass(frozen=True)
class Network:
    """One line of the comparison.

    Args:
        name: short, as the ratios call it.
        stands_for: whose backbone it is.
        backbone: timm name.
        pixels: side of its input.
        stem: of our student; None for a plain timm network on RGB.
        published: accuracy of a trained one.
    """

    name: str
    stands_for: str
    backbone: str
    pixels: int
    stem: Stem | None = None
    published: Published = Published()

    @property
    def prep(self) -> FacePreprocessing:
        """Ours take grey pictures, the others RGB."""
        return FacePreprocessing(self.pixels, 3 if self.stem is None else 1)

    def images(self, n: int) -> Tensor:
        """Random input, `float32 [n, channels, pixels, pixels]`."""
        draw = torch.Generator().manual_seed(n)
        return torch.randn(n, self.prep.channels, self.pixels, self.pixels, generator=draw)

    def build(self) -> DeployedNetwork:
        """The untrained network as it is deployed: ours with the prototypes of a grid."""
        torch.manual_seed(0)
        if self.stem is None:
            return DeployedNetwork(Peer(self.backbone), torch.zeros(0, 1)).eval()
        student = Student(self.backbone, stem=self.stem)
        grid = normalize(torch.randn(CELLS, student.embed.out_features), dim=1)
        return DeployedNetwork(student, grid).eval()


def own(experiment: str, arm: str) -> str:
    """Accuracy of an arm on FERPlus validation, with its interval, from our result rows.

    Raises:
        LookupError: where no row says it.
    """
    rows = (ARTEFACTS / experiment / "results.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, rows):
        if (row["arm"], row["split"], row["metric"]) == (arm, "valid", "accuracy"):
            value, low, high = (100 * row[key] for key in ("value", "low", "high"))
            return f"{value:.1f} ({low:.1f} to {high:.1f})"
    raise LookupError(f"{experiment} has no accuracy of {arm!r}")


def networks() -> tuple[Network, ...]:
    """Ours first, then those of the peers."""
    strong = own("ferplus_strong", "student")
    mirrored = own("ferplus_strong", "student (image and mirror)")
    scratch = f"{strong}; {mirrored} with its mirror, at twice the time"
    paper = own("ferplus_faithful", "B0 (CE)")
    return (
        Network("ours", "neurogaze student", "resnet18", 44, "small_pool",
                Published(scratch, "valid, measured", "scratch")),
        Network("ours, 7x7 stem", "neurogaze student of the paper's recipe, 48 px", "resnet18", 48,
                "imagenet", Published(paper, "valid, measured", "scratch")),
        Network("ResNet-18", "SCN, EAC, D3FER", "resnet18", 224, None,
                Published("88.0 to 89.9", "test, mixed label rules", "MS-Celeb-1M faces")),
        Network("ResNet-50", "VGGFace2 baseline", "resnet50", 224, None,
                Published("86.5", "test", "VGGFace2 faces")),
        Network("EfficientNet-B0", "EmotiEffLib enet_b0", "tf_efficientnet_b0", 224, None,
                Published(init="VGGFace2 faces")),
        Network("MobileNetV3-L", "EmotiEffLib, mobile class", "mobilenetv3_large_100", 224, None,
                Published(init="VGGFace2 faces")),
        Network("DeiT3-M/16", "a ViT of the size of POSTER", "deit3_medium_patch16_224", 224, None,
                Published("91.6 (POSTER)", "test", "face pre-training")),
    )  # fmt: skip


QUICK = (
    Network("ours", "a small student", "resnet10t", 32, "imagenet"),
    Network("EfficientNet-B0", "a small network in its place", "resnet10t", 64),
)
"""To see that all runs: other networks under the names of the real ones."""


def millions_of_parameters(module: nn.Module) -> float:
    """How large a network is."""
    return sum(parameter.numel() for parameter in module.parameters()) / 1e6


def giga_macs(module: nn.Module, images: Tensor) -> float:
    """Multiply-accumulates of one picture, 10^9, as PyTorch counts them."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(images[:1])
    return counter.get_total_flops() / FLOPS_OF_A_MAC / 1e9
