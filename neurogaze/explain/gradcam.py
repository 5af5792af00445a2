"""Grad-CAM: which part of a face raises the score of an expression.

With the feature maps `A_k` of the last convolutional stage and the logit `y_c` of a class,

    alpha_k = mean over positions of d y_c / d A_k,    map = ReLU(sum_k alpha_k A_k)

(Selvaraju et al. 2017, arXiv 1610.02391, equations 1 and 2). The map is as coarse as the stage: a
ResNet-18 with a pooled stem sees 44 pixels as 3 x 3 places.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from einops import rearrange, reduce
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from neurogaze.errors import InputError
from neurogaze.faces.reading import FACE_SIZE
from neurogaze.models.student import Student

INSTEAD = "use the occlusion map, which asks nothing of the network"


def last_stage(backbone: nn.Module, name: str = "backbone") -> tuple[str, int]:
    """Name and number of channels of the last convolutional stage of a timm network.

    Every timm network lists its stages as `feature_info`, each with the module that ends it.

    Args:
        backbone: the network.
        name: what to call it in an error.

    Raises:
        InputError: for a network that lists none.
    """
    stages: Any = getattr(backbone, "feature_info", None)
    if not stages:
        raise InputError(name, "does not say which of its stages is the last", INSTEAD)
    return str(stages[-1]["module"]), int(stages[-1]["num_chs"])


def grad_cam(student: Student, images: Tensor, classes: Tensor) -> Tensor:
    """Grad-CAM of each image for a class of its own.

    Each map is divided by its largest value; one without any evidence for the class is 0
    everywhere. The student is left as it was.

    Args:
        student: a network of convolutions.
        images: prepared, `[N, channels, H, W]`; see `faces.preprocessing.to_input`.
        classes: the class to explain of each image, `int64 [N]`.

    Returns:
        `float32 [N, H, W]` in 0..1, on the device of the images.

    Raises:
        InputError: for a network whose last stage makes no map, such as a vision transformer.
    """
    name = f"backbone {student.recipe.name!r}"
    module, channels = last_stage(student.backbone, name)
    with _evaluating(student), torch.enable_grad(), _caught(student.backbone, module) as caught:
        logits = student(images.detach().clone().requires_grad_(True)).logits
        features = caught[0]
        score = logits.gather(1, rearrange(classes.to(logits.device), "n -> n 1")).sum()
        (gradient,) = torch.autograd.grad(score, features)
    maps, slopes = (_channels_first(x.detach(), channels, name) for x in (features, gradient))
    weights = reduce(slopes, "n c h w -> n c 1 1", "mean")
    found = reduce(weights * maps, "n c h w -> n 1 h w", "sum").relu()
    return unit_maps(_enlarged(found.float(), (images.shape[-2], images.shape[-1])))


def on_template(maps: Tensor, size: int = FACE_SIZE) -> Tensor:
    """Maps over network inputs laid back on the stored faces, `[N, H, W]` to `[N, size, size]`.

    The inverse of what `faces.preprocessing.centred` does: a smaller input was cut out of the
    middle, and what lay outside it is 0; a larger one is the whole face enlarged.

    Args:
        maps: square.
        size: height and width of stored faces, pixels.
    """
    side = maps.shape[-1]
    if side > size:
        return rearrange(
            interpolate(rearrange(maps, "n h w -> n 1 h w"), size=(size, size), mode="area"),
            "n 1 h w -> n h w",
        )
    before = (size - side) // 2
    after = size - side - before
    return pad(maps, (before, after, before, after))


def unit_maps(maps: Tensor) -> Tensor:
    """Maps divided by their largest value, `[N, H, W]`; those that are 0 stay 0."""
    highest = reduce(maps, "n h w -> n 1 1", "max")
    return maps / torch.where(highest > 0, highest, torch.ones_like(highest))


def _enlarged(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps at the size of the images, `[N, 1, h, w]` to `[N, H, W]`."""
    large = interpolate(maps, size=size, mode="bilinear", align_corners=False)
    return rearrange(large, "n 1 h w -> n h w")


def _channels_first(features: Tensor, channels: int, name: str) -> Tensor:
    """What a stage gave as `[N, C, h, w]`.

    Raises:
        InputError: where it is a list of tokens, or a single place.
    """
    if features.ndim != 4:
        found = f"ends in tokens of shape {tuple(features.shape[1:])}, of which its head reads one"
        raise InputError(name, found, INSTEAD)
    if features.shape[1] != channels and features.shape[3] == channels:
        features = rearrange(features, "n h w c -> n c h w")
    if features.shape[2] * features.shape[3] < 2:
        raise InputError(name, "sees the picture as a single place at its end", INSTEAD)
    return features


@contextmanager
def _caught(backbone: nn.Module, module: str) -> Iterator[list[Tensor]]:
    """What a module gives while the block runs, the first call first."""
    caught: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Tensor) -> None:
        caught.append(output)

    handle = backbone.get_submodule(module).register_forward_hook(keep)
    try:
        yield caught
    finally:
        handle.remove()


@contextmanager
def _evaluating(student: Student) -> Iterator[None]:
    """Have batch norms and dropout as in use, and put them back."""
    training = student.training
    student.eval()
    try:
        yield
    finally:
        student.train(training)
