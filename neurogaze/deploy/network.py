"""The network that is deployed: a student, and its cosines with the prototypes of its grid."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import linear

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import FacePreprocessing, to_input
from neurogaze.models.student import Student
from neurogaze.tasks.student import StudentTask

OUTPUTS = ("logits", "embedding", "cosines")
"""Names of what it returns, in order; the last is empty or left out without a grid."""

SHORTEST = 1e-12
"""Length below which an embedding has no direction; its cosines are 0."""


EXPORT_AGAIN = "export it again: neurogaze export"


class Outputs(NamedTuple):
    """What a network says of prepared images.

    Attributes:
        logits: `float32 [N, 8]`.
        embedding: `float32 [N, D]`.
        cosines: `float32 [N, K]` with the prototypes; K is 0 without a grid.
    """

    logits: NDArray[np.float32]
    embedding: NDArray[np.float32]
    cosines: NDArray[np.float32]


class DeployedNetwork(nn.Module):
    """A student whose output is a plain tuple, which another program understands without us.

    Args:
        student: the network.
        prototypes: `float32 [K, D]`, unit rows; K is 0 without a grid.
    """

    prototypes: Tensor

    def __init__(self, student: Student, prototypes: Tensor) -> None:
        super().__init__()
        self.student = student
        self.register_buffer("prototypes", prototypes.detach().clone())

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits `[B, 8]`, embedding `[B, D]` and cosines `[B, K]` of prepared images."""
        out = self.student(images)
        length = out.embedding.norm(dim=-1, keepdim=True).clamp_min(SHORTEST)
        cosines = linear(out.embedding / length, self.prototypes)
        return out.logits, out.embedding, cosines


class WithoutGrid(nn.Module):
    """The same without cosines: no file can name an output that has no columns.

    Args:
        network: with the student.
    """

    def __init__(self, network: DeployedNetwork) -> None:
        super().__init__()
        self.student = network.student

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits `[B, 8]` and embedding `[B, D]` of prepared images."""
        out = self.student(images)
        return out.logits, out.embedding


def network_of(task: StudentTask) -> DeployedNetwork:
    """The deployed network of a loaded student, in evaluation mode, for its eight logits."""
    return DeployedNetwork(task.deployed, task.prototypes).eval()


def exportable(network: DeployedNetwork) -> nn.Module:
    """What to write to a file: all three outputs, or two where there is no grid."""
    return network if len(network.prototypes) else WithoutGrid(network).eval()


def prepared(faces: NDArray[np.uint8], prep: FacePreprocessing) -> NDArray[np.float32]:
    """Grey pictures, `uint8 [N, H, W]`, as a network wants them: `float32 [N, C, S, S]`."""
    images = to_input(torch.tensor(faces), prep)  # a copy: what comes from a store is read-only
    return np.ascontiguousarray(images.numpy())


def as_outputs(parts: Sequence[NDArray[np.float32]]) -> Outputs:
    """Outputs of an exported network, in the order of `OUTPUTS`, which may lack the cosines."""
    none = np.zeros((len(parts[0]), 0), dtype=np.float32)
    return Outputs(parts[0], parts[1], parts[2] if len(parts) > len(OUTPUTS) - 1 else none)


def ask(network: nn.Module, images: NDArray[np.float32]) -> Outputs:
    """Run a network of torch on prepared images, `float32 [N, C, S, S]`."""
    given = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        return as_outputs([part.numpy() for part in network(given)])


def check_shapes(outputs: Outputs, n: int, cells: int, where: Path) -> Outputs:
    """Refuse what is not one row of `float32` a picture, with eight logits and a cosine a cell.

    Args:
        outputs: of a network that was asked about `n` pictures.
        n: pictures.
        cells: of the grid; 0 without one.
        where: the file of the network, for errors.

    Returns:
        The same outputs.

    Raises:
        InputError: naming the file and the output.
    """
    for name, width in (("logits", len(EMOTIONS)), ("embedding", None), ("cosines", cells)):
        part: object = getattr(outputs, name)
        if not isinstance(part, np.ndarray):
            raise InputError(where, f"gives {name} of type {type(part).__name__}", EXPORT_AGAIN)
        fits = part.ndim == 2 and len(part) == n and width in (None, part.shape[1])
        if not fits or part.dtype != np.float32:
            wanted = f"float32 [{n}, {'D' if width is None else width}]"
            found = f"gives {name} of {part.dtype} {list(part.shape)}, not {wanted}"
            raise InputError(where, found, EXPORT_AGAIN)
    return outputs


def check_finite(outputs: Sequence[NDArray[np.floating]], where: Path) -> None:
    """Refuse answers that are no numbers: of them the first emotion would become the label.

    Raises:
        InputError: naming the file.
    """
    if not all(np.isfinite(part).all() for part in outputs):
        raise InputError(where, "gives answers that are no numbers", "look for a diverged run")
