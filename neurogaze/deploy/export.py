"""Export a student as a `torch.export` program that carries its contract.

The program runs with torch alone. Class order, preprocessing and provenance travel inside it, and
the export fails when the program and the student disagree.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import written_aside
from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.models.student import Student
from neurogaze.tasks.student import StudentTask

CONTRACT = "neurogaze.json"
TOLERANCE = 1e-4


class PlainTuple(nn.Module):
    """A student whose output is a plain tuple; a named one would need this package to be loaded.

    Args:
        student: the network.
    """

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and embedding of prepared images."""
        out = self.student(images)
        return out.logits, out.embedding


def contract(task: StudentTask) -> dict[str, Any]:
    """What a user of the weights must know: class order, input, and where they come from."""
    return {
        "labels": list(EMOTIONS),
        "preprocessing": task.provenance["preprocessing"],
        "input": "float32 [batch, channels, size, size]: grey in 0..1, minus mean, over std",
        "output": "logits [batch, 8] of the perceived expression, embedding [batch, d]",
        "provenance": task.provenance,
    }


def export_student(task: StudentTask, path: Path) -> float:
    """Write the deployed network of a student, and check it against the student.

    Args:
        task: a loaded student.
        path: `.pt2` file to write.

    Returns:
        Largest difference of a logit between program and student, over batches of 1 and 3.

    Raises:
        InputError: when the difference exceeds `TOLERANCE`; nothing is left behind.
    """
    network = PlainTuple(task.deployed).eval()
    shape = FacePreprocessing(**task.provenance["preprocessing"])
    images = torch.rand(3, shape.channels, shape.size, shape.size)
    batch = torch.export.Dim("batch", min=1, max=4096)
    program = torch.export.export(network, (images,), dynamic_shapes=({0: batch},))
    with written_aside(path) as aside:
        record = json.dumps(contract(task))
        torch.export.save(program, aside, extra_files={CONTRACT: record})
        difference = _difference(aside, network, images)
        if difference > TOLERANCE:
            raise InputError(path, f"logits differ by {difference:.2e}", "report the backbone")
    return difference


def _difference(path: Path, network: nn.Module, images: Tensor) -> float:
    exported = torch.export.load(path).module()
    with torch.inference_mode():
        return max(
            float((exported(part)[0] - network(part)[0]).abs().max())
            for part in (images, images[:1])
        )


def read_contract(path: Path) -> dict[str, Any]:
    """Read the contract of an exported program."""
    extra = {CONTRACT: ""}
    torch.export.load(path, extra_files=extra)
    return json.loads(extra[CONTRACT])
