"""Export a student as a `torch.export` program that carries its contract.

The program runs with torch alone, and returns logits, embedding and, where there is a grid,
cosines. `torch.export.load` can run code that a file brings (see `neurogaze.deploy.recogniser`), so
the package writes such files, but never opens one of somebody else.
"""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import torch

from neurogaze.deploy.contract import Contract, to_json
from neurogaze.deploy.network import ask, exportable, network_of
from neurogaze.deploy.parity import N_IMAGES, Parity, Run, kept_if_alike
from neurogaze.tasks.student import StudentTask

CONTRACT = "neurogaze.json"
"""Name of the contract among the program's extra files."""

EXAMPLES = 3
LARGEST_BATCH = 4096
TRACES = ("stack_trace", "nn_module_stack", "source_fn_stack", "from_node", "torch_fn")
"""Notes of torch on each step of a program that quote source files of this machine."""


def export_program(
    task: StudentTask,
    contract: Contract,
    path: Path,
    n: int = N_IMAGES,
    progress: bool = True,
) -> Parity:
    """Write the deployed network of a student, and check it against the student.

    Args:
        task: a loaded student.
        contract: of it.
        path: `.pt2` file to write.
        n: pictures on which file and student are compared.
        progress: show a bar.

    Returns:
        How far the file is from the student.

    Raises:
        InputError: when they disagree; nothing is left behind, and a file that was there stays.
    """
    network, prep = network_of(task), contract.preprocessing
    program = _program(exportable(network), prep.channels, prep.size)
    content = io.BytesIO()  # a file's name would enter its content
    torch.export.save(program, content, extra_files={CONTRACT: to_json(contract)})
    student = partial(ask, network)
    return kept_if_alike(path, content.getvalue(), _opened, student, prep, n, progress)


def _opened(path: Path) -> Run:
    """Our own file, a moment old; no other is ever loaded."""
    return partial(ask, torch.export.load(path).module())


def _program(network: torch.nn.Module, channels: int, size: int) -> torch.export.ExportedProgram:
    """The program of a network for any number of pictures, without traces of where it was made."""
    images = torch.zeros(EXAMPLES, channels, size, size)
    batch = torch.export.Dim("batch", min=1, max=LARGEST_BATCH)
    program = torch.export.export(network, (images,), dynamic_shapes=({0: batch},))
    for node in program.graph.nodes:
        for name in TRACES:
            node.meta.pop(name, None)
    return program
