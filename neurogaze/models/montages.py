"""A trained teacher on other electrodes than its own.

The default is to pick the trained electrodes by name, which `Teacher.forward` does. Where some are
missing, or others should be used too, this gives every electrode the weights never saw the mean of
the trained ones around it.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from einops import einsum
from numpy.typing import NDArray
from torch import Tensor, nn

from neurogaze.errors import InputError
from neurogaze.models.electrode_transformer import ElectrodeEncoder, electrode_ids
from neurogaze.models.teacher import Teacher
from neurogaze.models.topomap_encoder import TopomapEncoder

SIGMA = 0.04
"""Width of the Gaussian between electrodes, m: about the distance of neighbours in the 10-20
system."""


def neighbour_weights(
    trained: Sequence[str], channels: Sequence[str], sigma: float = SIGMA
) -> NDArray[np.float64]:
    """Share of each trained electrode in each electrode of a montage.

    A trained electrode is itself alone. Another is the mean of all trained ones, weighted by
    `exp(-distance^2 / (2 sigma^2))`.

    Args:
        trained: names of the T trained electrodes.
        channels: names of the C electrodes.
        sigma: width of the Gaussian, m.

    Returns:
        `float64 [C, T]`; rows sum to 1.

    Raises:
        InputError: for an electrode without a position in the 10-05 system.
    """
    from neurogaze.eeg.montage import electrode_positions

    ids, own = electrode_ids(channels), electrode_ids(trained)
    same = ids[:, None] == own
    seen = same.any(axis=1)
    weights = same.astype(np.float64)
    if not seen.all():
        new = [name for name, known in zip(channels, seen.tolist(), strict=True) if not known]
        places = electrode_positions(new)[:, None] - electrode_positions(trained)
        distance = (places**2).sum(axis=2)
        near = np.exp(-(distance - distance.min(axis=1, keepdims=True)) / (2 * sigma**2))
        weights[~seen] = near / near.sum(axis=1, keepdims=True)
    return weights


def interpolate_electrodes(teacher: Teacher, channels: Sequence[str]) -> Teacher:
    """Build the teacher of another montage out of a trained one, which stays as it is.

    Electrodes it was trained with keep their identity and statistics exactly; others get the
    Gaussian mean of those around them (`neighbour_weights`) and are counted in a warning. Maps are
    drawn anew on the same grid.

    Args:
        teacher: the trained one.
        channels: electrodes of the other montage, in the order of its features.

    Returns:
        A teacher with `channels`, in the mode (training or evaluation) of the given one.

    Raises:
        InputError: for an electrode that is unknown, named twice or without a position.
    """
    names, ids = tuple(channels), electrode_ids(channels)
    if len(np.unique(ids)) != len(ids):
        raise InputError("channels", f"an electrode is named twice in {names}", "drop it")
    weights = neighbour_weights(teacher.channels, names)
    known = set(teacher.electrode_ids.tolist())
    new = [name for name, place in zip(names, ids.tolist(), strict=True) if place not in known]
    if new:
        found = f"{len(new)} of {len(names)} electrodes are interpolated: {new}"
        warnings.warn(found, stacklevel=2)
    other = copy.deepcopy(teacher)
    other.channels = names
    device = teacher.feature_mean.device
    other.electrode_ids = torch.from_numpy(ids).to(device)
    other.feature_mean = _spread(weights, teacher.feature_mean)
    other.feature_std = _spread(weights, teacher.feature_std)
    for encoder in other.encoders:
        if isinstance(encoder, TopomapEncoder):
            matrix, mask = teacher.maps.layout(names)
            encoder.matrix, encoder.mask = matrix.float().to(device), mask.to(device)
        elif isinstance(encoder, ElectrodeEncoder) and encoder.identity is not None:
            encoder.identity = nn.Parameter(_spread(weights, encoder.identity.detach()))
    return other


def _spread(weights: NDArray[np.float64], values: Tensor) -> Tensor:
    """Values of the new electrodes, `[C, D]`, from those of the trained ones, `[T, D]`."""
    shares = torch.from_numpy(weights).to(values.device)
    return einsum(shares, values.double(), "c t, t d -> c d").to(values.dtype)
