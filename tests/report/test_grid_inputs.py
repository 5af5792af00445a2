"""What lies beside a grid: values come back as written, parts that do not fit are refused."""

import numpy as np
import pytest

from neurogaze.artefacts import write_json, write_npz
from neurogaze.errors import InputError
from neurogaze.report.grid_inputs import read_explained, read_stability
from tests.report.conftest import explained, stability


def test_explained_comes_back(tmp_path):
    arrays = explained()
    write_npz(tmp_path / "explained.npz", arrays)
    found = read_explained(tmp_path / "explained.npz")
    for name in ("saliency", "attention", "cell_features"):
        np.testing.assert_array_equal(getattr(found, name), arrays[name])
    assert found.channels == tuple(arrays["channels"].tolist())
    assert found.bands == ("theta", "alpha", "beta", "gamma")


def test_a_teacher_without_attention_has_none(tmp_path):
    arrays = {k: v for k, v in explained().items() if k != "attention"}
    write_npz(tmp_path / "explained.npz", arrays)
    assert read_explained(tmp_path / "explained.npz").attention is None


@pytest.mark.parametrize(
    "changes",
    [
        {"saliency": np.ones((2, 13, 4))},
        {"saliency": np.full((2, 14, 4), np.nan)},
        {"attention": np.ones((13, 13))},
        {"cell_features": np.ones((25, 14, 3))},
        {"cell_features": np.ones((25, 14))},
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, changes):
    write_npz(tmp_path / "explained.npz", explained() | changes)
    with pytest.raises(InputError, match="do not fit"):
        read_explained(tmp_path / "explained.npz")


def test_stability_comes_back_with_nan_for_null(tmp_path):
    write_json(tmp_path / "stability.json", stability())
    found = read_stability(tmp_path / "stability.json")
    assert np.flatnonzero(np.isnan(found.cells.cosine)).tolist() == [0, 1, 4]
    np.testing.assert_allclose(found.cells.low[2:4], 0.7)
    assert [size.cells for size in found.sizes] == [9, 25, 49, 81]
    assert found.sizes[0].cross_fold_cosine is None


@pytest.mark.parametrize(
    "changes", [{"cosine": [0.5]}, {"sizes": [{"size": 3}]}, {"low": ["a"] * 25}, {"size": None}]
)
def test_a_broken_record_is_refused(tmp_path, changes):
    write_json(tmp_path / "stability.json", stability() | changes)
    with pytest.raises(InputError, match="no record of stability"):
        read_stability(tmp_path / "stability.json")
