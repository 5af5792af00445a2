import mmap

import numpy as np
import pytest

from neurogaze.eeg.store import UNREADABLE, read_columns, write_columns

DRAW = np.random.default_rng(0)
COLUMNS = {
    "features": DRAW.normal(size=(30, 14, 4)).astype(np.float32),
    "trial": np.array(["S01/clip01"] * 30),
    "valence": np.r_[np.nan, DRAW.uniform(-1, 1, 29)],
    "label": np.full(30, -1),
    "floors": np.array(3),
}


@pytest.fixture
def path(tmp_path):
    write_columns(tmp_path / "S01.npz", COLUMNS)
    return tmp_path / "S01.npz"


def same(columns):
    assert columns.keys() == COLUMNS.keys()
    for name, array in COLUMNS.items():
        assert columns[name].dtype == array.dtype
        np.testing.assert_array_equal(columns[name], array)


def test_columns_come_back_as_they_were(path):
    same(read_columns(path))


def test_numpy_reads_the_file(path):
    with np.load(path, allow_pickle=False) as archive:
        same(dict(archive))


def test_features_are_a_map_of_the_file(path):
    features = read_columns(path)["features"]
    base = features
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    assert isinstance(base, mmap.mmap | memoryview)
    with pytest.raises(ValueError, match="read-only"):
        features[0] = 0


def test_no_window_and_no_dimension(tmp_path):
    empty = {"features": np.zeros((0, 14, 4), np.float32), "trial": np.zeros(0, "<U1")}
    write_columns(tmp_path / "x.npz", empty)
    assert read_columns(tmp_path / "x.npz")["features"].shape == (0, 14, 4)


def test_names_take_next_to_nothing(tmp_path):
    many = {"features": np.zeros((3000, 14, 4), np.float32), "trial": np.repeat("S01/clip01", 3000)}
    write_columns(tmp_path / "x.npz", many)
    assert (tmp_path / "x.npz").stat().st_size < 1.01 * many["features"].nbytes


def test_equal_columns_make_equal_bytes(path, tmp_path):
    write_columns(tmp_path / "again.npz", COLUMNS)
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_objects_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Object arrays"):
        write_columns(tmp_path / "x.npz", {"features": np.array([None])})
    assert list(tmp_path.iterdir()) == []


def test_no_altered_byte_goes_by(path):
    """Either what was written, or an error that the caller knows."""
    whole, refused = path.read_bytes(), 0
    for place in range(0, len(whole), 7):
        content = bytearray(whole)
        content[place] ^= 1 << place % 8
        path.write_bytes(content)
        try:
            columns = read_columns(path)
            same({name: columns[name] for name in COLUMNS})
        except UNREADABLE:
            refused += 1
    assert refused > 0.9 * len(whole) / 7


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_cut_short(path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UNREADABLE):
        read_columns(path)


def test_missing(tmp_path):
    with pytest.raises(UNREADABLE):
        read_columns(tmp_path / "x.npz")
