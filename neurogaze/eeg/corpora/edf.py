"""Headers of EDF and BDF files, and EDF files that promise more levels than 16 bits hold.

Some Emotiv exports scale every second signal by 95 and cut the result to the 16 bits of the format
(Kemp et al. 1992, Electroencephalogr. Clin. Neurophysiol. 82): the constant offset of an electrode
is then known only modulo 65,536 levels, and a large excursion jumps from one end of the range to
the other. A jump back is the only way an EEG moves by more than half the range in one sample, so
the excursion can be restored; the lost offset carries nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.corpora.sources import DAMAGED, readable
from neurogaze.errors import InputError

MAIN_HEADER_BYTES, SIGNAL_HEADER_BYTES = 256, 256
EDF_BYTES, BDF_BYTES = 2, 3  # a sample
BDF_MARK = b"\xffBIOSEMI"
MAX_SIGNALS = 1024
LEVELS = 2**16
FIELD_WIDTHS = {
    "label": 16,
    "transducer": 80,
    "unit": 8,
    "physical_min": 8,
    "physical_max": 8,
    "digital_min": 8,
    "digital_max": 8,
    "filter": 80,
    "samples": 8,
}
VOLTS = {"uV": 1e-6, "mV": 1e-3, "V": 1.0}


@dataclass(frozen=True)
class EdfSignal:
    """Header of one signal.

    Args:
        label: name, such as "AF3".
        rate: sampling rate, Hz.
        digital_range: levels between the two ends of the digital scale.
        step: volts a level, or its own unit for a signal that is no voltage.
    """

    label: str
    rate: float
    digital_range: float
    step: float


def edf_signals(path: Path) -> tuple[EdfSignal, ...]:
    """Headers of the signals of an EDF or BDF file, which must be as long as its header says.

    Raises:
        InputError: if the header cannot be parsed, has no meaning, or the file ends early.
    """
    with readable(path):
        with path.open("rb") as stream:
            main = stream.read(MAIN_HEADER_BYTES)
            n_records, seconds = int(main[236:244]), float(main[244:252])
            n_signals = int(main[252:256])
            header = MAIN_HEADER_BYTES + n_signals * SIGNAL_HEADER_BYTES
            _refuse_nonsense(path, main, n_signals, seconds)
            block = stream.read(n_signals * SIGNAL_HEADER_BYTES).decode("latin-1")
        fields = _fields(block, n_signals)
        samples = [int(count) for count in fields["samples"]]
        signals = tuple(_signal(fields, i, samples[i] / seconds) for i in range(n_signals))
    if min(samples) < 1:
        raise InputError(path, f"a signal has {min(samples)} samples a record", DAMAGED)
    width = BDF_BYTES if main.startswith(BDF_MARK) else EDF_BYTES
    promised = header + max(n_records, 0) * sum(samples) * width
    size = path.stat().st_size
    if size < promised:
        raise InputError(path, f"ends early: {size} of {promised} bytes", DAMAGED)
    return signals


def _refuse_nonsense(path: Path, main: bytes, n_signals: int, seconds: float) -> None:
    """Refuse a main header that would lead a library astray.

    Raises:
        InputError: for a header length, number of signals or record length without a meaning.
    """
    header = MAIN_HEADER_BYTES + n_signals * SIGNAL_HEADER_BYTES
    if int(main[184:192]) != header or not 0 < n_signals <= MAX_SIGNALS:
        found = f"{n_signals} signals and {int(main[184:192])} bytes of header do not agree"
        raise InputError(path, found, DAMAGED)
    if not 0 < seconds < math.inf:
        raise InputError(path, f"records last {seconds} s", DAMAGED)


def _fields(block: str, n_signals: int) -> dict[str, list[str]]:
    """Cut the signal headers, stored field by field, into text."""
    fields, start = {}, 0
    for name, width in FIELD_WIDTHS.items():
        starts = range(start, start + n_signals * width, width)
        fields[name] = [block[i : i + width].strip() for i in starts]
        start += n_signals * width
    return fields


def _signal(fields: dict[str, list[str]], index: int, rate: float) -> EdfSignal:
    """The header of one signal from the text of its fields."""
    low, high = (float(fields[f"physical_{end}"][index]) for end in ("min", "max"))
    levels = float(fields["digital_max"][index]) - float(fields["digital_min"][index])
    unit = VOLTS.get(fields["unit"][index], 1.0)
    return EdfSignal(fields["label"][index], rate, levels, (high - low) / levels * unit)


def unwrapped(samples: NDArray[np.float64], period: float) -> NDArray[np.float64]:
    """Undo the cut to 16 bits on the last axis, up to a constant a channel.

    Args:
        samples: `[..., time]`.
        period: the range of 16 bits in the unit of `samples`.

    >>> unwrapped(np.array([30.0, 31.0, -31.0, 31.0]), 64.0).tolist()
    [30.0, 31.0, 33.0, 31.0]
    """
    return np.asarray(np.unwrap(samples, period=period, axis=-1), dtype=np.float64)


def read_edf(path: Path, channels: tuple[str, ...], rate: float) -> NDArray[np.float32]:
    """Samples of the named signals, `[channels, time]`, volts.

    Args:
        path: EDF file.
        channels: labels to read, in this order.
        rate: the sampling rate they must have, Hz.

    Raises:
        InputError: for a damaged file, missing signals or another rate.
    """
    import mne

    signals = {signal.label: signal for signal in edf_signals(path)}
    missing = [name for name in channels if name not in signals]
    if missing:
        raise InputError(
            path, f"signals {missing} are missing from {list(signals)}", "supply the raw recording"
        )
    rates = {name: signals[name].rate for name in channels if signals[name].rate != rate}
    if rates:
        raise InputError(path, f"sampled at {rates} Hz, not {rate}", "supply the raw recording")
    with readable(path):
        raw = mne.io.read_raw_edf(path, preload=False, verbose="ERROR")
        volts = np.asarray(raw.get_data(picks=list(channels)), dtype=np.float64)
    return _restored(volts, [signals[name] for name in channels])


def _restored(volts: NDArray[np.float64], signals: list[EdfSignal]) -> NDArray[np.float32]:
    """Unwrap the channels whose header promises more levels than 16 bits hold."""
    rows = [
        unwrapped(row, LEVELS * signal.step) if signal.digital_range >= LEVELS else row
        for row, signal in zip(volts, signals, strict=True)
    ]
    return np.asarray(rows, dtype=np.float32)
