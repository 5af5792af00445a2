"""Preparation that is killed or interrupted at any moment leaves whole files and goes on later."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neurogaze.eeg.cache import prepare
from neurogaze.eeg.features import FeatureSettings
from tests.eeg.toy import ToyCorpus

N_PEOPLE = 16
CHILD = f"""
import signal, sys, time
from pathlib import Path
from neurogaze import artefacts
from neurogaze.eeg.cache import prepare
from neurogaze.eeg.features import FeatureSettings
from tests.eeg.toy import ToyCorpus

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start us deaf to it
flush = artefacts._flush
def slow(path):
    time.sleep(0.1)  # the disk of a poor person: a kill meets a file half way
    flush(path)
artefacts._flush = slow
print("begun", flush=True)
prepare(ToyCorpus(n_subjects={N_PEOPLE}), FeatureSettings(), Path(sys.argv[1]), False, workers=2)
"""


def contents(store):
    return {path.name: path.read_bytes() for path in store.rglob("*") if path.is_file()}


def finished(store):
    """Files under their last names; those set aside are not opened, as a writer may rename them."""
    paths = [path for path in store.rglob("*") if not path.name.startswith(".")]
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    store = tmp_path_factory.mktemp("whole")
    table = prepare(ToyCorpus(n_subjects=N_PEOPLE), FeatureSettings(), store, progress=False)
    return table.sha256, contents(store)


def stopped(store, how, after, delay):
    """Exit code of a run that gets a signal some time after so many files are there."""
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(store)],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdout.readline() == b"begun\n"
    until = time.monotonic() + 60
    while len(finished(store)) < after and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(delay)
    child.send_signal(how)
    child.communicate(timeout=60)
    return child.returncode


@pytest.mark.parametrize("after", [0, 1, 2, 4, 7])
def test_killed(tmp_path, whole, after):
    sha256, files = whole
    delay = np.random.default_rng(after).uniform(0, 0.09)
    assert stopped(tmp_path, signal.SIGKILL, after, delay) == -signal.SIGKILL
    left = finished(tmp_path)
    assert after <= len(left) < N_PEOPLE
    assert left.items() <= files.items()
    corpus = ToyCorpus(n_subjects=N_PEOPLE)
    assert prepare(corpus, FeatureSettings(), tmp_path, progress=False).sha256 == sha256
    assert len(corpus.opened) == N_PEOPLE - len(left)
    assert contents(tmp_path) == files  # what the killed writers left is gone


@pytest.mark.parametrize("after", [0, 3])
def test_interrupted_from_the_keyboard(tmp_path, whole, after):
    sha256, files = whole
    assert stopped(tmp_path, signal.SIGINT, after, 0.03) == -signal.SIGINT
    left = contents(tmp_path)
    assert after <= len(left) < N_PEOPLE
    assert left.items() <= files.items()
    table = prepare(ToyCorpus(n_subjects=N_PEOPLE), FeatureSettings(), tmp_path, progress=False)
    assert table.sha256 == sha256


def test_leftovers_of_another_version_of_a_person_are_swept(tmp_path, whole):
    stopped(tmp_path, signal.SIGKILL, 2, 0.05)
    edited = ToyCorpus(n_subjects=N_PEOPLE, seeds={f"S{i:02d}": 7 for i in range(N_PEOPLE)})
    prepare(edited, FeatureSettings(), tmp_path, progress=False)
    assert contents(tmp_path).keys() == finished(tmp_path).keys()
