"""A recording of any format that MNE reads, its electrodes found and its samples not yet read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.corpora.biosemi import centred, electrodes, of_another_rate, picked
from neurogaze.eeg.corpora.edf import edf_signals, restored, wrapping
from neurogaze.eeg.corpora.marks import Mark, marks_of
from neurogaze.eeg.corpora.parts import HELD_WHOLE, READABLE
from neurogaze.eeg.corpora.sources import readable
from neurogaze.errors import InputError

WRAPPING = ".edf"
"""A BDF file holds 24 bits, and has more levels than an EDF file may promise."""

LARGEST_DEVIATION = 0.05
"""Volts; the median electrode of no recording varies more, but one in microvolts does."""


@dataclass(frozen=True, eq=False)
class Opened:
    """One recording.

    Args:
        path: where it lies.
        raw: as MNE opened it.
        picks: places of the electrodes among its signals.
        names: their 10-05 names.
        marks: what no trial may run across.
        left_out: signals that MNE takes for EEG, that are no electrodes and were not asked for.
        periods: volts after which samples of a signal start anew; see `neurogaze.eeg.corpora.edf`.
    """

    path: Path
    raw: Any
    picks: list[int]
    names: tuple[str, ...]
    marks: tuple[Mark, ...]
    left_out: tuple[str, ...]
    periods: Mapping[str, float]

    @property
    def sfreq(self) -> float:
        """Sampling rate, Hz."""
        return float(self.raw.info["sfreq"])

    def volts(self, first: int, stop: int) -> NDArray[np.float32]:
        """Samples from `first` to before `stop`, offsets removed and jumps of 16 bits undone.

        Raises:
            InputError: for a damaged file, or one that is not in volts.
        """
        with readable(self.path, READABLE):
            found = self.raw.get_data(self.picks, first, stop, verbose="ERROR")
        signals = [self.raw.ch_names[i] for i in self.picks]
        volts = restored(np.asarray(found, dtype=np.float64), signals, self.periods)
        deviation = float(np.median(volts.std(axis=1)))
        if deviation > LARGEST_DEVIATION:
            told = f"the median standard deviation of its electrodes is {deviation:.3g} V"
            remedy = "write it in volts, the unit of MNE, not in microvolts"
            raise InputError(self.path, told, remedy)
        return centred(volts)


def opened(path: Path, channels: tuple[str, ...] | None) -> Opened:
    """Open a recording.

    Args:
        path: file or folder.
        channels: 10-05 names, in the order wanted; None takes all, in alphabetical order.

    Raises:
        InputError: for a file that is damaged, or lacks electrodes or has them twice, bad, at two
            rates, or in a unit that is no voltage.
    """
    raw = _raw(path, channels)
    names = channels or tuple(sorted(electrodes(raw.ch_names, path)))
    if not names:
        found = f"none of its signals {raw.ch_names} is an electrode of the 10-05 system"
        raise InputError(path, found, "rename its signals")
    picks = picked(raw.ch_names, names, path)
    signals = [raw.ch_names[i] for i in picks]
    bad = [name for name in signals if name in raw.info["bads"]]
    if bad:
        remedy = "interpolate them, or leave them out by naming `channels`"
        raise InputError(path, f"electrodes {bad} are marked bad", remedy)
    with readable(path, READABLE):
        marks = marks_of(raw, signals)
    left_out = () if channels else _left_out(raw, picks)
    return Opened(path, raw, picks, names, marks, left_out, periods_of(path))


def _raw(path: Path, channels: tuple[str, ...] | None) -> Any:
    """The recording of MNE; of EDF and BDF without the signals of other rates."""
    import mne

    if path.suffix.lower() not in HELD_WHOLE:
        with readable(path, READABLE):
            return mne.io.read_raw(path, preload=False, verbose="ERROR")
    others = signals_apart(path, channels)
    with readable(path, READABLE):
        return mne.io.read_raw(path, exclude=others, preload=False, verbose="ERROR")


def signals_apart(path: Path, channels: tuple[str, ...] | None) -> list[str]:
    """Labels of the signals that are not read, because their rate is not that of the electrodes.

    Only EDF and BDF have such signals.

    Raises:
        InputError: for a damaged EDF or BDF file, or one whose electrodes cannot be used.
    """
    if path.suffix.lower() not in HELD_WHOLE:
        return []
    # the header is checked too, for MNE reads what there is of a file that was cut off
    return of_another_rate(path, edf_signals(path), channels)


def periods_of(path: Path) -> dict[str, float]:
    """Volts after which samples start anew, by signal; only EDF files have such signals.

    Raises:
        InputError: for a damaged file.
    """
    return wrapping(edf_signals(path)) if path.suffix.lower() == WRAPPING else {}


def _left_out(raw: Any, picks: list[int]) -> tuple[str, ...]:
    """Signals that MNE takes for EEG and that are not picked."""
    kinds = enumerate(raw.get_channel_types())
    return tuple(raw.ch_names[i] for i, kind in kinds if kind == "eeg" and i not in set(picks))
