"""Recordings of general EEG file formats: electrodes by name, offsets removed, triggers found.

A BioSemi amplifier writes 24-bit BDF without a high-pass, so electrodes carry constant offsets of
up to hundreds of millivolts, and a signal "Status" whose 16 low bits are the trigger inputs; the
bits above them tell of the amplifier itself (BioSemi, "BDF file format"; MNE lets bit 16 through).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.corpora.edf import EdfSignal, edf_signals, of_other_rates, refuse_units
from neurogaze.eeg.corpora.sources import readable
from neurogaze.eeg.montage import canonical_names
from neurogaze.errors import InputError

STATUS = "Status"
REWRITE = "export the recording anew, at one rate"
TRIGGER_BITS = 0xFFFF
CAP_LABELS = {"A3", "A4"}
"""Signals of every cap that BioSemi labels A1, A2, ... and no electrodes of the 10-05 system."""


@dataclass(frozen=True, eq=False)
class Recording:
    """A whole recording of the electrodes asked for.

    Args:
        volts: `float32 [channels, samples]`, the mean of each electrode removed.
        status: `int64 [samples]`, trigger inputs only; zeros where the file has none.
        sfreq: sampling rate, Hz.
    """

    volts: NDArray[np.float32]
    status: NDArray[np.int64]
    sfreq: float


def read_biosemi(path: Path, channels: Sequence[str]) -> Recording:
    """The named electrodes and the triggers of a BDF file, which is opened once.

    Args:
        path: BDF file.
        channels: 10-05 names, in the order wanted.

    Raises:
        InputError: for a damaged file, missing electrodes, or signals of two rates.
    """
    import mne

    signals = edf_signals(path)  # MNE reads what there is of a file that was cut off
    others = of_another_rate(path, signals, channels)
    if STATUS.lower() in {label.lower() for label in others}:
        raise InputError(path, f"{STATUS} has another rate than the electrodes", REWRITE)
    with readable(path):
        raw = mne.io.read_raw_bdf(path, stim_channel=STATUS, exclude=others, verbose="ERROR")
        picks = picked(raw.ch_names, channels, path)
        stims = [i for i, name in enumerate(raw.ch_names) if name.lower() == STATUS.lower()][:1]
        data = np.asarray(raw.get_data(picks=[*picks, *stims], verbose="ERROR"))
        sfreq = float(raw.info["sfreq"])
    volts = centred(data[: len(picks)])
    codes = data[-1] if stims else np.zeros(data.shape[1])
    return Recording(volts, codes.astype(np.int64) & TRIGGER_BITS, sfreq)


def of_another_rate(
    path: Path, signals: Iterable[EdfSignal], wanted: Sequence[str] | None
) -> list[str]:
    """Labels of the signals of an EDF or BDF file whose rate is not that of the electrodes.

    MNE brings all signals that it reads to the highest rate, and to other instants on the way.

    Args:
        path: the file, for messages.
        signals: its headers.
        wanted: 10-05 names; None takes all.

    Raises:
        InputError: for electrodes of two rates, or in a unit that is no voltage.
    """
    signals = tuple(signals)
    places = electrodes([signal.label for signal in signals], path)
    chosen = [signals[places[name]] for name in wanted or places if name in places]
    refuse_units(path, chosen)
    rates = {signal.label: signal.rate for signal in chosen}
    if len(set(rates.values())) > 1:
        raise InputError(path, f"electrodes have rates {rates} Hz", REWRITE)
    return of_other_rates(signals, chosen[0].rate) if chosen else []


def centred(volts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Remove the mean of each row in double precision, then round to single.

    Single precision resolves 15 nV at an offset of 0.2 V, 0.06 pV at a signal of 1 microvolt.
    """
    return np.asarray(volts - volts.mean(axis=1, keepdims=True), dtype=np.float32)


def electrodes(names: Sequence[str], path: Path) -> dict[str, int]:
    """Place of each electrode among the signals of a file, by its 10-05 name.

    Names are taken in any case, T3, T4, T5 and T6 as T7, T8, P7 and P8; other signals are left out.

    Raises:
        InputError: for an electrode that is there twice, or the labels of a BioSemi cap, of which
            A1, C3 and others are names of the 10-05 system too, for other places.
    """
    if {name.strip().upper() for name in names} >= CAP_LABELS:
        found = "its signals have the labels of a BioSemi cap, A1, A2, A3, ..., not those of places"
        raise InputError(
            path, found, "rename them by the 10-05 system, as the layout of the cap says"
        )
    places: dict[str, int] = {}
    for index, name in enumerate(names):
        canonical = _canonical(name)
        if canonical is None:
            continue
        if canonical in places:
            found = f"signals {names[places[canonical]]!r} and {name!r} are one electrode"
            raise InputError(path, found, "rename or remove one of them")
        places[canonical] = index
    return places


@lru_cache(maxsize=4096)
def _canonical(name: str) -> str | None:
    """Name of the 10-05 system, or None for a signal that is no electrode."""
    try:
        return canonical_names((name.strip(),))[0]
    except InputError:
        return None


def picked(names: Sequence[str], wanted: Sequence[str], path: Path) -> list[int]:
    """Places of the wanted electrodes among the signals of a file.

    Raises:
        InputError: for electrodes that are not there, or there twice.
    """
    places = electrodes(names, path)
    missing = [name for name in wanted if name not in places]
    if missing:
        found = f"electrodes {missing} are missing from {list(names)}"
        raise InputError(
            path, found, "supply the recording of all electrodes, or rename its signals"
        )
    return [places[name] for name in wanted]


def trigger_onsets(status: NDArray[np.int64]) -> NDArray[np.int64]:
    """Samples at which the trigger inputs change to another code that is not zero.

    Bits that are set throughout carry no event, and neither does a code that the recording starts
    with.

    >>> trigger_onsets(np.array([8, 8, 24, 24, 8, 8, 24, 8])).tolist()
    [2, 6]
    """
    changing = _changing(status)
    return np.flatnonzero((changing[1:] != changing[:-1]) & (changing[1:] != 0)) + 1


def level_span(status: NDArray[np.int64]) -> tuple[int, int]:
    """First and last sample with a code that is not zero, or (0, 0) where there is none.

    >>> level_span(np.array([0, 0, 16, 16, 16, 0]))
    (2, 4)
    """
    high = np.flatnonzero(_changing(status))
    return (int(high[0]), int(high[-1])) if len(high) else (0, 0)


def _changing(status: NDArray[np.int64]) -> NDArray[np.int64]:
    """Codes without the bits that never fall."""
    if not len(status):
        return status
    return np.asarray(status & ~np.bitwise_and.reduce(status))
