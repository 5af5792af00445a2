"""Corpora are found, told apart, and fail in plain words."""

import hashlib
import os
from pathlib import Path

import pytest

from neurogaze.eeg.corpora.sources import Fingerprints, located, readable
from neurogaze.errors import InputError


def test_argument_goes_before_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_CORPUS", "/nowhere")
    assert located(tmp_path, "SOME_CORPUS", "it") == tmp_path


def test_environment_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_CORPUS", str(tmp_path))
    assert located(None, "SOME_CORPUS", "it") == tmp_path


def test_nobody_said_where(monkeypatch):
    monkeypatch.delenv("SOME_CORPUS", raising=False)
    with pytest.raises(InputError, match=r"SOME_CORPUS: is not set.*Remedy: point it at"):
        located(None, "SOME_CORPUS", "the folder")


def test_nothing_is_there(tmp_path):
    with pytest.raises(InputError, match="gone: does not exist"):
        located(tmp_path / "gone", "SOME_CORPUS", "it")


def test_library_errors_name_the_file(tmp_path):
    told = pytest.raises(InputError, match=r"a\.mat: cannot be read \(KeyError: 'x'\)")
    with told, readable(tmp_path / "a.mat"):
        {}["x"]


def test_own_errors_pass_unchanged(tmp_path):
    with pytest.raises(InputError, match=r"^inner: is bad"), readable(tmp_path / "a.mat"):
        raise InputError("inner", "is bad", "mend it")


@pytest.mark.parametrize("place", ["~nosuchuser/corpus", "x" * 300])
def test_a_place_that_cannot_be_looked_up(place):
    with pytest.raises(InputError, match=r"no place that can be looked up.*point root or SOME"):
        located(Path(place), "SOME_CORPUS", "it")


def test_fingerprint_is_of_the_content_and_hashed_once(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"first")
    prints = Fingerprints()
    assert prints.of(path) == {
        "file": "a.bin",
        "bytes": 5,
        "sha256": hashlib.sha256(b"first").hexdigest(),
    }
    monkeypatch.setattr("neurogaze.eeg.corpora.sources.file_hash", None)
    assert prints.of(path)["sha256"] == hashlib.sha256(b"first").hexdigest()


@pytest.mark.parametrize("change", ["size", "time", "file"])
def test_fingerprint_follows_what_lies_there_now(tmp_path, change):
    """Another size, a later time, or another file with the size and time of the first."""
    path, prints = tmp_path / "a.bin", Fingerprints()
    path.write_bytes(b"first")
    was = path.stat()
    assert prints.of(path)["sha256"] == hashlib.sha256(b"first").hexdigest()
    content = b"longer" if change == "size" else b"other"
    new = tmp_path / "new.bin"
    new.write_bytes(content)
    if change == "file":
        new.replace(path)
    else:
        path.write_bytes(content)
    later = 10**9 if change == "time" else 0
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns + later))
    assert prints.of(path) == Fingerprints().of(path)
    assert prints.of(path)["sha256"] == hashlib.sha256(content).hexdigest()


def test_fingerprint_of_nothing(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        Fingerprints().of(tmp_path / "gone")
