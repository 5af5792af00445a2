"""What electrodes see of current dipoles in a head of concentric spheres.

The head has four shells (brain, cerebrospinal fluid, skull, scalp) whose potentials MNE sums in the
approximation of Berg and Scherg (1994), Electroencephalogr. Clin. Neurophysiol. 90, 58-64. Places
are in MNE's head frame: metres, x to the right ear, y to the nose, z up.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache

import numpy as np
from einops import einsum, rearrange
from numpy.typing import NDArray

from neurogaze.errors import InputError

SPHERE_CENTRE = (0.0, 0.0, 0.04)
HEAD_RADIUS = 0.095
SHELL_RADII = (0.90, 0.92, 0.97, 1.0)
SHELL_CONDUCTIVITY = (0.33, 1.0, 0.004, 0.33)  # S/m
BRAIN_RADIUS = SHELL_RADII[0] * HEAD_RADIUS
ANY_RATE = 128.0  # a measurement description needs a rate; potentials do not depend on it


@cache
def _places() -> dict[str, NDArray[np.float64]]:
    """Direction of every 10-05 electrode from the centre of the sphere, unit vectors."""
    import mne

    with warnings.catch_warnings():  # the name is deprecated, its successor is not in MNE 1.8
        warnings.simplefilter("ignore", FutureWarning)
        montage = mne.channels.make_standard_montage("standard_1005")
    info = mne.create_info(montage.ch_names, ANY_RATE, "eeg", verbose="ERROR")
    info.set_montage(montage, verbose="ERROR")
    rays = {ch["ch_name"]: np.array(ch["loc"][:3]) - SPHERE_CENTRE for ch in info["chs"]}
    return {name: ray / np.linalg.norm(ray) for name, ray in rays.items()}


def directions(channels: Sequence[str]) -> NDArray[np.float64]:
    """Directions of electrodes from the centre of the head, `[channels, 3]`, unit vectors.

    Raises:
        InputError: for an electrode that the 10-05 system does not have.
    """
    unknown = [name for name in channels if name not in _places()]
    if unknown:
        raise InputError(f"channels {unknown}", "are not in the 10-05 system", "name them by it")
    return np.stack([_places()[name] for name in channels])


def lead_field(
    channels: Sequence[str],
    offsets: NDArray[np.float64],
    moments: NDArray[np.float64],
    scale: float = 1.0,
) -> NDArray[np.float64]:
    """Potential at each electrode for a dipole of one ampere metre, against infinity.

    Args:
        channels: electrodes of the 10-05 system; they lie on the outer sphere.
        offsets: places of the dipoles from the centre of an unscaled head, `[dipoles, 3]`, m.
        moments: their directions, `[dipoles, 3]`, unit vectors.
        scale: size of the whole head, dipoles included.

    Returns:
        `[channels, dipoles]`, volts per ampere metre.

    Raises:
        InputError: for a dipole outside the brain.
    """
    depth = np.linalg.norm(offsets, axis=1)
    if depth.max() >= BRAIN_RADIUS:
        found = f"lies {depth.max():.4f} m from the centre of a brain of {BRAIN_RADIUS:.4f} m"
        raise InputError("dipole", found, "move it inwards")
    free = _free_field(channels, offsets * scale, scale)
    return einsum(free, moments, "channel dipole xyz, dipole xyz -> channel dipole")


def _free_field(
    channels: Sequence[str], offsets: NDArray[np.float64], scale: float
) -> NDArray[np.float64]:
    """Potentials for unit moments along x, y and z, `[channels, dipoles, 3]`."""
    import mne

    centre = np.array(SPHERE_CENTRE)
    sphere = mne.make_sphere_model(
        SPHERE_CENTRE, HEAD_RADIUS * scale, relative_radii=SHELL_RADII,
        sigmas=SHELL_CONDUCTIVITY, verbose="ERROR",
    )  # fmt: skip
    surface = centre + HEAD_RADIUS * scale * directions(channels)
    montage = mne.channels.make_dig_montage(
        dict(zip(channels, surface, strict=True)), coord_frame="head"
    )
    info = mne.create_info(list(channels), ANY_RATE, "eeg", verbose="ERROR")
    info.set_montage(montage, verbose="ERROR")
    up = np.tile([0.0, 0.0, 1.0], (len(offsets), 1))
    sources = mne.setup_volume_source_space(
        pos={"rr": centre + offsets, "nn": up}, sphere=sphere, mindist=0.0, verbose="ERROR"
    )
    solution = mne.make_forward_solution(
        info, trans=None, src=sources, bem=sphere, meg=False, eeg=True, verbose="ERROR"
    )
    gain = np.asarray(solution["sol"]["data"], dtype=np.float64)
    return rearrange(gain, "channel (dipole xyz) -> channel dipole xyz", xyz=3)
