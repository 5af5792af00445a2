"""Headers of EDF and BDF files, and EDF files that promise more levels than 16 bits hold.

Some Emotiv exports scale every second signal by 95 and cut the result to the 16 bits of the format
(Kemp et al. 1992, Electroencephalogr. Clin. Neurophysiol. 82): the constant offset of an electrode
is then known only modulo 65,536 levels, and a large excursion jumps from one end of the range to
the other. A jump back is the only way an EEG moves by more than half the range in one sample, so
the excursion can be restored; the lost offset carries nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.corpora.sources import DAMAGED, readable
from neurogaze.errors import InputError

MAIN_HEADER_BYTES, SIGNAL_HEADER_BYTES = 256, 256
EDF_BYTES, BDF_BYTES = 2, 3  # a sample
BDF_MARK = b"\xffBIOSEMI"
DISCONTINUOUS = (b"EDF+D", b"BDF+D")
UNKNOWN_LENGTH = -1
"""Number of records in the header of a recording that was not closed."""
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
"""Labels of signals that hold text, not samples."""
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
MICROVOLTS = ("uV", "\u00b5V", "\u03bcV", "\x83\xcaV")
"""With the micro sign, the Greek letter and its bytes in Shift JIS, which MNE knows too."""
VOLTS = dict.fromkeys(MICROVOLTS, 1e-6) | {"mV": 1e-3, "V": 1.0}


@dataclass(frozen=True)
class EdfSignal:
    """Header of one signal.

    Args:
        label: name, such as "AF3".
        rate: sampling rate, Hz.
        digital_range: levels between the two ends of the digital scale.
        step: volts a level, or its own unit for a signal that is no voltage.
        unit: as the header writes it.
    """

    label: str
    rate: float
    digital_range: float
    step: float
    unit: str


def edf_signals(path: Path) -> tuple[EdfSignal, ...]:
    """Headers of the signals of an EDF or BDF file, which must be as long as its header says.

    Raises:
        InputError: if the header cannot be parsed, has no meaning or tells of interruptions, or the
            file ends early or goes on beyond its last record.
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
    record = sum(samples) * (BDF_BYTES if main.startswith(BDF_MARK) else EDF_BYTES)
    _refuse_length(path, header, n_records, record)
    return signals


def _refuse_length(path: Path, header: int, n_records: int, record: int) -> None:
    """Refuse a file that is shorter than promised, or longer by a record, which MNE would read.

    Raises:
        InputError: for either.
    """
    promised, size = header + max(n_records, 0) * record, path.stat().st_size
    if size < promised:
        raise InputError(path, f"ends early: {size} of {promised} bytes", DAMAGED)
    if n_records != UNKNOWN_LENGTH and size >= promised + record:
        found = f"goes on beyond its {n_records} records: {size} bytes, not {promised}"
        raise InputError(path, found, "restore the recording, or cut off what follows its end")


def _refuse_nonsense(path: Path, main: bytes, n_signals: int, seconds: float) -> None:
    """Refuse a main header that would lead a library astray.

    Raises:
        InputError: for a header length, number of signals or record length without a meaning, or
            records that do not follow each other without a gap.
    """
    header = MAIN_HEADER_BYTES + n_signals * SIGNAL_HEADER_BYTES
    if int(main[184:192]) != header or not 0 < n_signals <= MAX_SIGNALS:
        found = f"{n_signals} signals and {int(main[184:192])} bytes of header do not agree"
        raise InputError(path, found, DAMAGED)
    if not 0 < seconds < math.inf:
        raise InputError(path, f"records last {seconds} s", DAMAGED)
    kind = main[192:197]
    if kind in DISCONTINUOUS:  # MNE would put its records end to end
        found = f"is of the kind {kind.decode()}: the recording was interrupted"
        raise InputError(path, found, "export each stretch as a continuous file of its own")


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
    unit = fields["unit"][index]
    step = (high - low) / levels * VOLTS.get(unit, 1.0)
    return EdfSignal(fields["label"][index], rate, levels, step, unit)


def refuse_units(path: Path, signals: Iterable[EdfSignal]) -> None:
    """Refuse electrodes in a unit that MNE does not know, and would take for volts.

    Raises:
        InputError: for a unit other than uV, mV and V.
    """
    units = {signal.label: signal.unit for signal in signals if signal.unit not in VOLTS}
    if units:
        raise InputError(path, f"units of electrodes are {units}", "write them in uV, mV or V")


def of_other_rates(signals: Iterable[EdfSignal], rate: float) -> list[str]:
    """Labels of signals that MNE must not read along, or it would stretch those of this rate, Hz.

    >>> of_other_rates([EdfSignal("ECG", 512.0, 65535, 1e-9, "uV")], 128.0)
    ['ECG']
    """
    return [s.label for s in signals if s.rate != rate and s.label not in ANNOTATIONS]


def unwrapped(samples: NDArray[np.float64], period: float) -> NDArray[np.float64]:
    """Undo the cut to 16 bits on the last axis, up to a constant a channel.

    Args:
        samples: `[..., time]`.
        period: the range of 16 bits in the unit of `samples`.

    >>> unwrapped(np.array([30.0, 31.0, -31.0, 31.0]), 64.0).tolist()
    [30.0, 31.0, 33.0, 31.0]
    """
    return np.asarray(np.unwrap(samples, period=period, axis=-1), dtype=np.float64)


def wrapping(signals: Iterable[EdfSignal]) -> dict[str, float]:
    """Volts after which samples start anew, of the signals of an EDF file that 16 bits cannot hold.

    >>> wrapping([EdfSignal("F7", 128.0, 1_550_000, 1e-9, "uV")])
    {'F7': 6.5536e-05}
    """
    return {s.label: LEVELS * s.step for s in signals if s.digital_range >= LEVELS}


def restored(
    volts: NDArray[np.float64], names: Sequence[str], periods: Mapping[str, float]
) -> NDArray[np.float64]:
    """Unwrap the signals whose header promises more levels than 16 bits hold.

    Args:
        volts: `[channels, time]`.
        names: labels of the channels.
        periods: as `wrapping` says.
    """
    rows = [
        unwrapped(row, periods[name]) if name in periods else row
        for row, name in zip(volts, names, strict=True)
    ]
    return np.asarray(rows, dtype=np.float64)


def read_edf(path: Path, channels: tuple[str, ...], rate: float) -> NDArray[np.float32]:
    """Samples of the named signals, `[channels, time]`, volts.

    Args:
        path: EDF file.
        channels: labels to read, in this order.
        rate: the sampling rate they must have, Hz.

    Raises:
        InputError: for a damaged file, missing signals, another rate or an unknown unit.
    """
    import mne

    every = edf_signals(path)
    signals = {signal.label: signal for signal in every}
    missing = [name for name in channels if name not in signals]
    if missing:
        raise InputError(
            path, f"signals {missing} are missing from {list(signals)}", "supply the raw recording"
        )
    rates = {name: signals[name].rate for name in channels if signals[name].rate != rate}
    if rates:
        raise InputError(path, f"sampled at {rates} Hz, not {rate}", "supply the raw recording")
    refuse_units(path, (signals[name] for name in channels))
    others = of_other_rates(every, rate)
    with readable(path):
        raw = mne.io.read_raw_edf(path, exclude=others, preload=False, verbose="ERROR")
        volts = np.asarray(raw.get_data(picks=list(channels)), dtype=np.float64)
    return restored(volts, channels, wrapping(every)).astype(np.float32)
