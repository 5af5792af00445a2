"""FIF files whose tags follow themselves are refused before MNE follows them."""

import struct

import numpy as np
import pytest

from neurogaze.eeg.corpora.fif import refuse_ring
from neurogaze.errors import InputError
from tests.fixtures.custom import NAMES, write_fif


def tag(size, after):
    return struct.pack(">iIii", 100, 3, size, after) + bytes(size)


def chain(folder, *tags):
    path = folder / "a_raw.fif"
    path.write_bytes(b"".join(tags))
    return path


def test_file_of_mne(tmp_path):
    path = tmp_path / "a_raw.fif"
    write_fif(path, NAMES, 1e-5 * np.random.default_rng(0).standard_normal((9, 256)), 128.0)
    refuse_ring(path)


def test_chain_that_goes_back_and_ends(tmp_path):
    """Tags of 20 bytes at 0, 20 and 40, in the order 0, 40, 20."""
    refuse_ring(chain(tmp_path, tag(4, 40), tag(4, -1), tag(4, 20)))


@pytest.mark.parametrize("after", [20, 40])
def test_ring(tmp_path, after):
    path = chain(tmp_path, tag(4, 0), tag(4, 0), tag(4, after))
    with pytest.raises(InputError, match=rf"the tag at byte {after} follows itself"):
        refuse_ring(path)


def test_chain_that_leaves_the_file(tmp_path):
    refuse_ring(chain(tmp_path, tag(4, 0), tag(4, 1000)))


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        refuse_ring(tmp_path / "gone.fif")
