"""A whole training on a GPU: how long it takes and how busy the GPU is meanwhile."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from face_loops import student_task, trainer
from figures import Figure, plain

from neurogaze.faces.datamodule import FaceDataModule

EVERY_MS = 200
QUERY = ("--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0")


@contextmanager
def watched(shares: list[float]) -> Iterator[None]:
    """Add what `nvidia-smi` says of the first GPU, per cent, while the block runs."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        yield
        return
    command = [tool, *QUERY, f"--loop-ms={EVERY_MS}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield
        finally:
            process.terminate()
            shares += percentages(process.communicate()[0])


def percentages(text: str) -> list[float]:
    """Numbers of a column of text; other lines are passed over."""
    return [float(line) for line in text.split() if line.isdigit()]


def whole_training(data: FaceDataModule, epochs: int) -> tuple[list[Figure], str]:
    """Time and utilisation of a training with validation; a note where there is no GPU.

    Args:
        data: set up for a fit.
        epochs: of the training.
    """
    if not torch.cuda.is_available():
        return [], "gpu left out: PyTorch finds none"
    shares: list[float] = []
    torch.manual_seed(0)
    training = trainer(max_epochs=epochs)
    begin = time.perf_counter()
    with watched(shares):
        training.fit(student_task(), data)
        torch.cuda.synchronize()
    seconds = time.perf_counter() - begin
    images = epochs * (len(data.train) // data.batch_size) * data.batch_size
    figures = [
        plain(f"gpu, {epochs} epochs of {len(data.train)} pictures, judged each", [seconds], "s"),
        plain("gpu, over the whole training", [images / seconds], "images/s"),
    ]
    if not shares:
        return figures, "gpu utilisation left out: nvidia-smi says nothing"
    low, high = (float(end) for end in np.quantile(shares, (0.05, 0.95)))
    name = f"gpu, utilisation, mean, and 5 .. 95 % of {len(shares)} moments"
    return [*figures, Figure(name, float(np.mean(shares)), "%", spread=(low, high))], ""
