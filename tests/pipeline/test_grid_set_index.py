"""What is told of a set of grids; the band of its null teachers by hand."""

import json

import numpy as np
import pytest
from scipy import stats

from neurogaze.evaluation.results import ResultRow, read_rows
from neurogaze.evaluation.scoring import CONTEXT_DEFAULTS
from neurogaze.pipeline.grid_set_index import null_band, tell
from neurogaze.prototypes.grid import PrototypeGrid
from tests.report.test_grid_set_tables import made, rows

CONTEXT = CONTEXT_DEFAULTS | {"dataset": "toy", "note": "all negative"}


def scores(values):
    grids = {seed: made(seed) for seed in range(len(values))}
    found = []
    for seed, value in enumerate(values):
        said = CONTEXT | {"arm": "null teacher", "grid_hash": grids[seed].sha256}
        for level in ("window", "trial"):
            metric = f"valence_ccc_{level}"
            found.append(ResultRow(**said, metric=metric, value=value, low=None, high=None, n=8))
    return grids, found


def test_the_band_is_students_interval_for_one_more_refit():
    values = [0.1, -0.1, 0.06]
    (row,) = null_band(*scores(values), "within_subject", CONTEXT, 40)
    half = stats.t.ppf(0.995, 2) * np.std(values, ddof=1) * np.sqrt(4 / 3)
    assert (row.low, row.high) == pytest.approx((0.02 - half, 0.02 + half))
    assert row.metric == "valence_ccc_trial"
    assert row.arm == "chance of teacher (within_subject)"
    assert row.note == "99 % prediction band of 3 refits; all negative"
    assert row.n == 40


@pytest.mark.parametrize("values", [[], [0.1]])
def test_too_few_have_no_spread(values):
    assert null_band(*scores(values), "within_subject", CONTEXT, 40) == []


def test_everything_lies_beside_the_grids(tmp_path):
    grid = made(0)
    grid.save(tmp_path / "eeg-seed4.npz")
    told = rows(grid, 0.3, 0.1)
    tell(tmp_path, "x", {"eeg": {4: grid}}, told)
    index = json.loads((tmp_path / "index.json").read_text())
    assert index == {
        "name": "x",
        "grids": {"eeg": {"4": {"path": "eeg-seed4.npz", "sha256": grid.sha256}}},
    }
    pin = index["grids"]["eeg"]["4"]
    assert PrototypeGrid.load(tmp_path / pin["path"], sha256=pin["sha256"]).dim == 64
    assert read_rows(tmp_path / "results.jsonl") == told
    verdicts = json.loads((tmp_path / "verdicts.json").read_text())
    assert verdicts == {"4": ["the teacher does not lie above simulated chance"]}
    assert (tmp_path / "grids.md").read_text().startswith("Not testable")
