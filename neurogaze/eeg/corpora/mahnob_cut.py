"""Where the clip lies in a recording of MAHNOB-HCI, by its triggers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.corpora.biosemi import level_span, trigger_onsets

MARGIN = 30.0
"""Seconds recorded before the clip, and again after it."""
SHORTEST_CLIP = 4.0
"""Seconds; triggers closer together than this enclose no clip (the shortest clip lasts 34 s)."""
SHORTEST_REST = 4.0
"""Seconds before the clip that an unrated session needs: a window of the default features."""


@dataclass(frozen=True)
class Cut:
    """Where the clip lies in a recording.

    Args:
        start: first sample of the clip; rest comes before it.
        stop: first sample after the clip.
        found_by: "triggers", "level" (first and last sample of a raised trigger) or "margin".
    """

    start: int
    stop: int
    found_by: str


def clip_cut(status: NDArray[np.int64], sfreq: float) -> Cut | None:
    """Find the clip: from first to last trigger, else where a trigger is up, else between margins.

    Args:
        status: `[samples]`, trigger inputs.
        sfreq: sampling rate, Hz.

    Returns:
        The first of the three with rest before it and at least `SHORTEST_CLIP`, or None.

    >>> clip_cut(np.repeat([0, 16, 0, 16, 0], [30, 1, 49, 1, 30]), 10.0)
    Cut(start=30, stop=80, found_by='triggers')
    """
    onsets = trigger_onsets(status).tolist()
    margin = round(MARGIN * sfreq)
    candidates = [
        Cut(onsets[0], onsets[-1], "triggers") if len(onsets) > 1 else None,
        Cut(*level_span(status), "level"),
        Cut(margin, len(status) - margin, "margin"),
    ]
    for cut in candidates:
        if cut is not None and cut.start > 0 and cut.stop - cut.start >= SHORTEST_CLIP * sfreq:
            return cut
    return None
