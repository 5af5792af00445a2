"""Where electrodes are: names, template positions, their projection, and left/right partners."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError

ALIASES = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
"""Names of the older 10-20 system (Jasper, 1958) in the 10-10 system."""

SPHERE_CENTER = (0.0008, -0.0162, -0.0012)
"""Centre of the least-squares sphere through all positions of the template, m."""


@lru_cache(maxsize=1)
def _template() -> dict[str, NDArray[np.float64]]:
    """All positions of the 10-05 template of MNE, m, whichever of its names this MNE knows."""
    from mne.channels import get_builtin_montages, make_standard_montage

    known = "colin27_1005" in get_builtin_montages()
    montage = make_standard_montage("colin27_1005" if known else "standard_1005")
    return dict(montage.get_positions()["ch_pos"])


def electrode_positions(channels: Sequence[str]) -> NDArray[np.float64]:
    """Positions of electrodes on the template head, whatever the case of their letters.

    Args:
        channels: C names of the 10-05 system; T3, T4, T5 and T6 mean T7, T8, P7 and P8.

    Returns:
        `[C, 3]`, m; x to the right, y to the front, z up.

    Raises:
        InputError: for a name the system does not have.
    """
    template = _template()
    found = [template[name] for name in canonical_names(channels)]
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def canonical_names(channels: Sequence[str]) -> tuple[str, ...]:
    """Spelling of the template for each name, older names replaced.

    Raises:
        InputError: for a name the system does not have.
    """
    spelling = {name.lower(): name for name in _template()}
    names = []
    for channel in channels:
        name = spelling.get(ALIASES.get(channel.upper(), channel).lower())
        if name is None:
            near = difflib.get_close_matches(channel, list(spelling.values()), n=3, cutoff=0.4)
            raise InputError(
                f"electrode {channel!r}",
                "is not in the 10-05 system",
                f"rename it, perhaps to one of {near}" if near else "rename or drop it",
            )
        names.append(name)
    return tuple(names)


def chosen_names(channels: Sequence[str]) -> tuple[str, ...]:
    """`canonical_names` of electrodes that somebody asked for.

    Raises:
        InputError: for no name, a name the system does not have, or an electrode named twice.
    """
    if isinstance(channels, str) or not channels:
        raise InputError("channels", f"{channels!r} names no electrodes", "list one or more")
    names = canonical_names(channels)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        found = f"electrodes {twice} are named twice in {list(channels)}"
        raise InputError("channels", found, "name each electrode once")
    return names


def project(positions: NDArray[np.floating]) -> NDArray[np.float64]:
    """Azimuthal equidistant projection about the vertex of the template sphere.

    Args:
        positions: `[C, 3]`, m.

    Returns:
        `[C, 2]`, x to the right and y to the front, in polar angles of 90 degrees.
    """
    x, y, z = (np.asarray(positions, np.float64) - SPHERE_CENTER).T
    radius = np.arctan2(np.hypot(x, y), z) / (np.pi / 2)
    azimuth = np.arctan2(y, x)
    return np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth)], axis=1)


def partners(channels: Sequence[str]) -> NDArray[np.int64]:
    """Index of the electrode across the midline of each: odd numbers left, even right, z between.

    Raises:
        InputError: for an electrode whose partner is not among them.
    """
    names = canonical_names(channels)
    found = []
    for name in names:
        digits = re.search(r"\d+", name)
        number = int(digits[0]) if digits else 0
        other = name.replace(str(number), str(number + (1 if number % 2 else -1)))
        if other not in names:
            raise InputError(
                f"electrode {name!r}",
                f"has no partner {other!r} in the montage",
                "add it, or set symmetric to false",
            )
        found.append(names.index(other))
    return np.array(found, dtype=np.int64)
