"""A `DREAMER.mat` of full size from noise, written person by person.

SciPy writes a struct from memory, several gigabytes of it here. This writes the same layout
(MAT-File Format, MathWorks, chapter 1: nested elements in one compressed one) and holds one person
at a time.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from neurogaze.eeg.recordings import EPOC

EEG_RATE, ECG_RATE = 128, 256
MICROVOLTS_PER_LEVEL = 0.51
OFFSET_MICROVOLTS = 4200.0
COLOUR = 0.9
"""Pole of the noise; neighbouring samples of EEG are alike, and the file deflates accordingly."""

INT8, UINT8, UINT16, INT32, UINT32, DOUBLE, MATRIX, COMPRESSED = 1, 2, 4, 5, 6, 9, 14, 15
CELL_CLASS, STRUCT_CLASS, CHAR_CLASS, DOUBLE_CLASS, UINT8_CLASS = 1, 2, 4, 6, 9
NAME_BYTES = 32


def clip_lengths(n_clips: int, mean: float, least: float, most: float) -> list[float]:
    """Lengths of the clips in seconds, between `least` and `most`, about `mean` on average."""
    bend = (most - mean) / (mean - least)
    place = (np.arange(n_clips) + 0.5) / n_clips
    place[0], place[-1] = 0.0, 1.0
    return np.round(least + (most - least) * place**bend).tolist()


def write(
    path: Path, n_subjects: int, seconds: Sequence[float], rest: float, seed: int = 0
) -> Path:
    """Write the file.

    Args:
        path: file to write.
        n_subjects: people; all see the same clips.
        seconds: length of each clip.
        rest: seconds before each.
        seed: of the noise and the ratings.
    """
    rng = np.random.default_rng(seed)
    person_bytes = len(_person(rng, seconds, rest, draw=False))
    people = _head(CELL_CLASS, (1, n_subjects), "")
    rest_of_it = {
        "EEG_SamplingRate": _numbers(np.array([[float(EEG_RATE)]])),
        "ECG_SamplingRate": _numbers(np.array([[float(ECG_RATE)]])),
        "EEG_Electrodes": _cell([_text(name) for name in EPOC], column=False),
        "noOfSubjects": _numbers(np.array([[float(n_subjects)]])),
        "noOfVideoSequences": _numbers(np.array([[float(len(seconds))]])),
        "Disclaimer": _text("generated"),
        "Provider": _text("generated"),
        "Version": _text("1.0.2"),
        "Acknowledgement": _text("none"),
    }
    tail = b"".join(rest_of_it.values())
    data_bytes = len(people) + n_subjects * person_bytes
    top = _struct_head(("Data", *rest_of_it), "DREAMER")
    size = len(top) + 8 + data_bytes + len(tail)

    def pieces() -> Iterator[bytes]:
        yield struct.pack("<II", MATRIX, size) + top
        yield struct.pack("<II", MATRIX, data_bytes) + people
        for _ in range(n_subjects):
            yield _person(rng, seconds, rest)
        yield tail

    _write_compressed(path, pieces())
    return path


def _write_compressed(path: Path, pieces: Iterator[bytes]) -> None:
    header = b"MATLAB 5.0 MAT-file, generated".ljust(116) + bytes(8) + struct.pack("<H", 256)
    with path.open("wb") as stream:
        stream.write(header + b"IM" + bytes(8))
        deflate, written = zlib.compressobj(level=1), 0
        for piece in pieces:
            written += stream.write(deflate.compress(piece))
        written += stream.write(deflate.flush())
        stream.seek(len(header) + 2)
        stream.write(struct.pack("<II", COMPRESSED, written))


def _person(
    rng: np.random.Generator, seconds: Sequence[float], rest: float, draw: bool = True
) -> bytes:
    """One cell of `Data`; without `draw`, of the same size and filled with zeros."""
    rests = [rest] * len(seconds)

    def recordings(lengths: Sequence[float], rate: int, channels: int) -> bytes:
        shapes = [(round(length * rate), channels) for length in lengths]
        return _cell([_numbers(_signal(rng, s) if draw else np.zeros(s)) for s in shapes])

    def score() -> bytes:
        return _numbers(rng.integers(1, 6, (len(seconds), 1), dtype=np.uint8))

    eeg = (recordings(rests, EEG_RATE, len(EPOC)), recordings(seconds, EEG_RATE, len(EPOC)))
    ecg = (recordings(rests, ECG_RATE, 2), recordings(seconds, ECG_RATE, 2))
    return _struct({
        "Age": _text("22"),
        "Gender": _text("male"),
        "EEG": _struct(dict(zip(("baseline", "stimuli"), eeg, strict=True))),
        "ECG": _struct(dict(zip(("baseline", "stimuli"), ecg, strict=True))),
        "ScoreValence": score(),
        "ScoreArousal": score(),
        "ScoreDominance": score(),
    })  # fmt: skip


def _signal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Coloured noise of about 10 microvolts in the steps of the amplifier, `[time, channels]`."""
    white = rng.standard_normal(shape, dtype=np.float32) * 4.0
    coloured = lfilter([1.0], [1.0, -COLOUR], white, axis=0)
    return np.round((coloured + OFFSET_MICROVOLTS) / MICROVOLTS_PER_LEVEL) * MICROVOLTS_PER_LEVEL


def _element(kind: int, data: bytes) -> bytes:
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def _matrix(content: bytes) -> bytes:
    return struct.pack("<II", MATRIX, len(content)) + content


def _head(matlab_class: int, shape: tuple[int, int], name: str) -> bytes:
    """Flags, dimensions and name of an array."""
    flags = _element(UINT32, struct.pack("<II", matlab_class, 0))
    return flags + _element(INT32, struct.pack("<ii", *shape)) + _element(INT8, name.encode())


def _struct_head(fields: Sequence[str], name: str = "") -> bytes:
    width = struct.pack("<HHI", INT32, 4, NAME_BYTES)
    names = b"".join(field.encode().ljust(NAME_BYTES, b"\0") for field in fields)
    return _head(STRUCT_CLASS, (1, 1), name) + width + _element(INT8, names)


def _struct(fields: Mapping[str, bytes]) -> bytes:
    return _matrix(_struct_head(tuple(fields)) + b"".join(fields.values()))


def _cell(items: Sequence[bytes], column: bool = True) -> bytes:
    shape = (len(items), 1) if column else (1, len(items))
    return _matrix(_head(CELL_CLASS, shape, "") + b"".join(items))


def _text(text: str) -> bytes:
    data = _element(UINT16, text.encode("utf-16-le"))
    return _matrix(_head(CHAR_CLASS, (1, len(text)), "") + data)


def _numbers(array: np.ndarray) -> bytes:
    """Doubles or bytes, column by column as MATLAB has them."""
    of_bytes = array.dtype == np.uint8
    head = _head(UINT8_CLASS if of_bytes else DOUBLE_CLASS, (array.shape[0], array.shape[1]), "")
    return _matrix(head + _element(UINT8 if of_bytes else DOUBLE, array.tobytes(order="F")))
