"""The forms in which a network is asked: PyTorch as it is, compiled, ONNX, and ONNX in int8."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch._dynamo
from inference_networks import Network
from torch import Tensor

from neurogaze.deploy.network import DeployedNetwork, exportable
from neurogaze.deploy.onnx_borders import with_borders
from neurogaze.deploy.onnx_export import onnx_graph
from neurogaze.deploy.onnx_file import INPUT, start_session
from neurogaze.deploy.quantising import quantised
from neurogaze.faces.reading import FACE_SIZE

FORMS = ("eager", "compiled", "ONNX", "int8")
DEPLOYED = "ONNX"
FACES = 64
"""Random pictures whose ranges the int8 form is made with: speed does not depend on them."""

RECOMPILED = 64
"""Networks and sizes of a batch that may be compiled: they share one `forward`, and beyond the
eight that PyTorch allows, the rest would run as they are under the name of compiled ones."""

Ask = Callable[[], object]
"""One call with a batch of pictures that was made before."""

Logits = Callable[[Tensor], np.ndarray]


def compiler() -> str | None:
    """The C++ compiler that `torch.compile` needs; None where there is none."""
    names = (os.environ.get("CXX"), "g++", "clang++")
    return next((name for name in names if name and shutil.which(name)), None)


def forms_of(network: Network, names: tuple[str, ...], threads: int) -> dict[str, Logits]:
    """A network in several forms: each takes images and returns logits.

    Args:
        network: to build, with the same weights in all forms.
        names: of `FORMS`.
        threads: of onnxruntime; PyTorch's are set for the process.
    """
    built = network.build()
    found: dict[str, Logits] = {}
    module = exportable(built).to(memory_format=torch.channels_last)
    if "eager" in names:
        found["eager"] = _in_torch(module)
    if "compiled" in names:
        torch._dynamo.config.recompile_limit = RECOMPILED
        options = {"freezing": True}  # weights are constants: norms are folded into convolutions
        found["compiled"] = _in_torch(torch.compile(module, dynamic=False, options=options))
    if {"ONNX", "int8"} & set(names):
        found |= _exported(network, built, names, threads)
    return found


def _exported(
    network: Network, built: DeployedNetwork, names: tuple[str, ...], threads: int
) -> dict[str, Logits]:
    """The forms of onnxruntime, by the same functions for ours and the others."""
    graph, found = onnx_graph(built, network.prep), {}
    if "ONNX" in names:
        found["ONNX"] = _in_onnxruntime(with_borders(graph), network.name, threads)
    if "int8" in names:
        draw = np.random.default_rng(0)
        faces = draw.integers(0, 256, (FACES, FACE_SIZE, FACE_SIZE), dtype=np.uint8)
        small = quantised(graph, faces, network.prep, progress=False)
        found["int8"] = _in_onnxruntime(small, network.name, threads)
    return found


def _in_torch(module: Any) -> Logits:
    def ask(images: Tensor) -> np.ndarray:
        with torch.no_grad():  # a compiled module is frozen under this and not in inference mode
            return module(images)[0].numpy()

    return ask


def _in_onnxruntime(model: Any, name: str, threads: int) -> Logits:
    session = start_session(model.SerializeToString(), Path(name), threads)
    return lambda images: session.run(None, {INPUT: images.numpy()})[0]


def calls(ask: Logits, network: Network, batches: tuple[int, ...], form: str) -> dict[int, Ask]:
    """One call for each size of a batch, its pictures made beforehand and laid out as it likes."""
    found: dict[int, Ask] = {}
    for n in batches:
        images = network.images(n)
        if form in ("eager", "compiled"):
            images = images.contiguous(memory_format=torch.channels_last)
        found[n] = _with(ask, images)
    return found


def _with(ask: Logits, images: Tensor) -> Ask:
    return lambda: ask(images)


def largest_difference(forms: dict[str, Logits], network: Network) -> float:
    """Between the logits of PyTorch and of ONNX, over their largest: both do the same work."""
    images = network.images(2)
    expected, found = forms["eager"](images), forms[DEPLOYED](images)
    return float(np.abs(found - expected).max() / np.abs(expected).max())
