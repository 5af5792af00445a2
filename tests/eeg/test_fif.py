"""FIF files whose tags follow themselves are refused before MNE follows them."""

import struct

import numpy as np
import pytest

from neurogaze.eeg.corpora.fif import fif_parts
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
    fif_parts(path)


def test_chain_that_goes_back_and_ends(tmp_path):
    """Tags of 20 bytes at 0, 20 and 40, in the order 0, 40, 20."""
    fif_parts(chain(tmp_path, tag(4, 40), tag(4, -1), tag(4, 20)))


@pytest.mark.parametrize("after", [20, 40])
def test_ring(tmp_path, after):
    path = chain(tmp_path, tag(4, 0), tag(4, 0), tag(4, after))
    with pytest.raises(InputError, match=rf"the tag at byte {after} follows itself"):
        fif_parts(path)


def named(kind, content, after=0):
    return struct.pack(">iIii", kind, 10, len(content), after) + content


def naming(role, name):
    """A FIF file that says what another file is to it: role 1 is the part before, 2 the next."""
    return tag(4, 0) + named(115, struct.pack(">i", role)) + named(118, name, after=-1)


def test_parts_in_order(tmp_path):
    for name, role, other in (("a", 2, b"z.fif"), ("z", 2, b"b.fif"), ("b", 1, b"a.fif")):
        (tmp_path / f"{name}.fif").write_bytes(naming(role, other))
    assert [part.name for part in fif_parts(tmp_path / "a.fif")] == ["a.fif", "z.fif", "b.fif"]
    (tmp_path / "b.fif").unlink()  # what is missing is for MNE to tell
    assert [part.name for part in fif_parts(tmp_path / "a.fif")] == ["a.fif", "z.fif"]


def test_a_part_may_be_named_by_its_number_alone(tmp_path):
    (tmp_path / "a.fif").write_bytes(named(117, struct.pack(">i", 1), after=-1))
    (tmp_path / "a-1.fif").write_bytes(named(117, struct.pack(">i", 2), after=-1))
    (tmp_path / "a-2.fif").write_bytes(tag(4, -1))
    parts = [part.name for part in fif_parts(tmp_path / "a.fif")]
    assert parts == ["a.fif", "a-1.fif", "a-2.fif"]


def test_ring_of_parts(tmp_path):
    (tmp_path / "a.fif").write_bytes(naming(2, b"b.fif"))
    (tmp_path / "b.fif").write_bytes(naming(2, b"a.fif"))
    with pytest.raises(
        InputError, match=r"b\.fif: names a\.fif as its next part, which it follows"
    ):
        fif_parts(tmp_path / "a.fif")


def test_chain_that_leaves_the_file(tmp_path):
    fif_parts(chain(tmp_path, tag(4, 0), tag(4, 1000)))


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        fif_parts(tmp_path / "gone.fif")
