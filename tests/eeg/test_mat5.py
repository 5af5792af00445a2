"""MAT 5 files are what SciPy makes of them, and damaged ones never reach it."""

import io
import struct
import zlib

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from neurogaze.eeg.corpora.mat5 import BLOCK_BYTES, CheckedMat, load_mat, loaded
from neurogaze.errors import InputError
from tests.fixtures.eeg import cell, truncate, write_dreamer

CONTENT = {
    "row": np.arange(5),
    "text": "héllo",
    "nothing": "",
    "complex": np.array([[1 + 2j, 3.5]]),
    "empty": np.zeros((0, 3)),
    "person": {"age": 1, "names": ["a", "bcd"]},
    "cells": cell([1, "x", np.zeros((0, 0)), cell([])]),
    "flag": np.array([True]),
    "single": np.float32([[1.5]]),
    "lines": ["abc", "de "],
    "large": np.random.default_rng(0).standard_normal((300, 400)),
    "bytes": np.uint8([1, 2, 3]),
}


HEADER = b"MATLAB 5.0 MAT-file".ljust(116)
"""Text at the beginning; SciPy writes the second there in which a file was made."""


def written(compressed=False, **content):
    stream = io.BytesIO()
    savemat(stream, content or CONTENT, do_compression=compressed)
    return bytearray(HEADER + stream.getvalue()[len(HEADER) :])


@pytest.mark.parametrize("compressed", [False, True])
def test_variables_are_what_scipy_makes_of_them(tmp_path, compressed):
    path = tmp_path / "a.mat"
    path.write_bytes(written(compressed))
    theirs, ours = loadmat(path), load_mat(path)
    assert ours.keys() == theirs.keys()
    for name in theirs:
        assert repr(ours[name]) == repr(theirs[name])
    np.testing.assert_array_equal(ours["large"], CONTENT["large"])


@pytest.mark.parametrize("compressed", [False, True])
def test_wanted_variables_only(tmp_path, compressed):
    path = tmp_path / "a.mat"
    path.write_bytes(written(compressed))
    ours = load_mat(path, ["large", "person"])
    assert {name for name in ours if name in CONTENT} == {"large", "person"}


def test_nested_recordings(tmp_path):
    path = write_dreamer(tmp_path / "DREAMER.mat", seconds=(5.0,), baseline_seconds=5.0)
    clips = [
        read(path)["DREAMER"][0, 0]["Data"][0, 1]["EEG"][0, 0]["stimuli"][0, 0][1, 0]
        for read in (loadmat, load_mat)
    ]
    np.testing.assert_array_equal(*clips)


def test_stream_is_the_file_inflated():
    plain, small = written(), written(compressed=True)
    assert len(small) < len(plain)
    assert CheckedMat(io.BytesIO(small)).read() == bytes(plain)


def test_stream_goes_forward_and_a_little_back():
    plain = bytes(written())
    stream = CheckedMat(io.BytesIO(plain))
    assert stream.read(4) == plain[:4]
    assert stream.seek(126) == 126
    assert stream.read(2) == b"IM"
    assert stream.seek(0) == 0
    assert stream.seek(BLOCK_BYTES, 1) == BLOCK_BYTES
    assert stream.read(9) == plain[BLOCK_BYTES : BLOCK_BYTES + 9]
    assert stream.seek(-1, 1) == stream.tell() == BLOCK_BYTES + 8
    assert stream.seek(10 * len(plain)) == len(plain)
    assert stream.read(1) == b""
    with pytest.raises(ValueError, match="does not go back"):
        stream.seek(0)


def test_what_follows_an_overlong_element_is_dropped():
    plain = written(x=np.arange(3.0))
    packed = zlib.compress(bytes(plain[128:]) + b"more")
    content = bytes(plain[:128]) + struct.pack("<II", 15, len(packed)) + packed
    np.testing.assert_array_equal(loaded(io.BytesIO(content))["x"], [[0.0, 1.0, 2.0]])


# Of `written(x=[0.0, 1.0, 2.0])`: variable tag at 128, then flags, dimensions, name, and the
# numbers; MAT-File Format, chapter 1.
FLAGS, DIMENSIONS, NAME, NUMBERS = 136, 152, 168, 176


@pytest.mark.parametrize(
    ("place", "word", "match"),
    [
        (128, 9, "type 9 where a variable should be"),
        (132, 0, "type 14 where a variable should be"),
        (132, 60, "24 bytes in 20"),
        (FLAGS, 5, "element of type 5"),
        (FLAGS + 8, 0x0011, "array of class 17"),
        (FLAGS + 8, 0x0806, "element in 0 bytes"),
        (FLAGS + 8, 0x0005, "array of class 5"),
        (FLAGS + 8, 0x0001, "type 9 and 24 bytes where an array should be"),
        (DIMENSIONS, 6, "element of type 6"),
        (DIMENSIONS + 4, 4, "4 bytes of dimensions"),
        (DIMENSIONS + 4, 2**31, "bytes in"),
        (DIMENSIONS + 8, 2, "24 bytes of type 9 for 6 numbers"),
        (DIMENSIONS + 8, 2**31, "array of shape"),
        (NUMBERS, 8, "element of type 8"),
        (NUMBERS, 250, "element of type 250"),
        (NUMBERS, 7, "24 bytes of type 7 for 3 numbers"),
        (NUMBERS + 4, 2**32 - 8, "bytes in"),
    ],
)
def test_words_that_lead_astray(place, word, match):
    content = written(x=np.array([0.0, 1.0, 2.0]))
    assert struct.unpack_from("<I", content, NUMBERS) == (9,)
    content[place : place + 4] = struct.pack("<I", word)
    with pytest.raises(ValueError, match=match):
        loaded(io.BytesIO(content))


def test_arrays_deep_in_each_other():
    nested = cell([1.0])
    for _ in range(20):
        nested = cell([nested])
    with pytest.raises(ValueError, match="more than 16 deep"):
        loaded(io.BytesIO(written(x=nested)))


def test_text_that_promises_many_characters():
    content = written(x="ab")
    at = content.index(struct.pack("<II", 5, 8)) + 8
    content[at : at + 8] = struct.pack("<II", 1, 2**30)
    with pytest.raises(ValueError, match="for 1073741824 characters"):
        loaded(io.BytesIO(content))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.0001, 0.2, 0.7, 0.999])
def test_truncated_file(tmp_path, share, compressed):
    path = tmp_path / "a.mat"
    path.write_bytes(written(compressed))
    with pytest.raises(InputError, match=r"a\.mat: cannot be read"):
        load_mat(truncate(path, share))


@pytest.mark.parametrize("header", [b"", b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"])
def test_other_versions(header):
    with pytest.raises(ValueError, match="no header of a MAT 5 file"):
        loaded(io.BytesIO(header + bytes(1000)))
