"""Weights that a teacher starts from: a pinned checkpoint of a masked-band warm-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neurogaze.errors import InputError
from neurogaze.models.electrode_transformer import electrode_ids
from neurogaze.models.teacher import Teacher
from neurogaze.tasks.pins import read_pinned_checkpoint

OWN = ("feature_", "head.")
"""Parts of a teacher that belong to its own training: standardisation and ratings."""

LAYOUT = (".matrix", ".mask")
"""Parts that belong to its own montage."""


@dataclass(frozen=True)
class WarmStart:
    """A checkpoint of a `PretrainingTask`, by path and by the SHA-256 of the file.

    Args:
        path: the `.ckpt` file.
        sha256: as `sha256sum` prints it; any other file is refused.
    """

    path: str
    sha256: str


def read_warm_start(pin: WarmStart) -> dict[str, Any]:
    """Read a pinned checkpoint: `state` (tensors of the teacher), `channels` and `provenance`.

    Raises:
        InputError: when the file is missing or altered, or is no warm-up.
    """
    content = read_pinned_checkpoint(Path(pin.path), pin.sha256, "pretrained", "PretrainingTask")
    record, weights = content["neurogaze"], content["state_dict"]
    prefix = "teacher."
    state = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    return {"state": state, "channels": record["channels"], "provenance": record["provenance"]}


def take_weights(teacher: Teacher, state: Mapping[str, Tensor], channels: list[str]) -> None:
    """Copy encoder and embedding into a teacher, electrodes by name.

    The head, the standardisation and the map layout stay its own, and so do the identities of
    electrodes that the warm-up did not have.

    Args:
        teacher: changed in place.
        state: weights of the other teacher.
        channels: its electrodes.

    Raises:
        InputError: for teachers that are built differently, or share no electrode.
    """
    own, known = teacher.electrode_ids.cpu(), torch.from_numpy(electrode_ids(channels))
    here, there = torch.where(own[:, None] == known[None, :])
    if not len(here):
        found = f"knows {channels}, none of {list(teacher.channels)}"
        raise InputError("model.init_from", found, "warm up on electrodes that both have")
    for name, value in teacher.state_dict().items():
        if name.startswith(OWN) or name.endswith(LAYOUT):
            continue
        given = state.get(name)
        rows = name.endswith(".identity")
        if given is None or given.shape[rows:] != value.shape[rows:]:
            shape = None if given is None else tuple(given.shape)
            found = f"has {name} of shape {shape}, the teacher {tuple(value.shape)}"
            raise InputError("model.init_from", found, "build both teachers alike")
        if rows:
            value[here.to(value.device)] = given[there].to(value.device)
        else:
            value.copy_(given)
