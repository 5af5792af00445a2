"""Whether the grids of a bench can tell anything is asked of grids that a student saw."""

import pytest

from neurogaze.artefacts import write_json
from neurogaze.pipeline.bench_contrasts import doubts
from neurogaze.pipeline.bench_settings import rescaled
from neurogaze.pipeline.grid_set_index import VERDICTS
from tests.pipeline.test_bench import tiny_bench

ARMS = {"ce": 3, "ce+proto": 3, "proto_permuted": 3, "proto_null": 3, "proto_grid_3": 3}


@pytest.fixture
def settings(tmp_path):
    """Three EEG grids, of which two are in doubt."""
    pins = {str(seed): {"path": f"{seed}.npz", "sha256": ""} for seed in range(3)}
    write_json(tmp_path / "index.json", {"grids": {"eeg": pins}})
    write_json(tmp_path / VERDICTS, {"0": [], "1": ["it is empty"], "2": ["it is empty"]})
    grids = str(tmp_path / "index.json")
    return tiny_bench(arms=ARMS, equal_gradient={"proto_permuted": 3}, grids=grids)


def test_seeds_of_an_arm_without_a_grid_do_not_count(settings):
    runs = [("ce", seed, "") for seed in range(3)] + [("ce+proto", seed, "") for seed in (0, 1)]
    assert doubts(settings, runs) == ["it is empty (in 1 of 2 grids)"]


@pytest.mark.parametrize("arm", ["proto_permuted", rescaled("proto_permuted"), "proto_grid_3"])
def test_a_control_of_the_eeg_grid_has_seen_it(settings, arm):
    runs = [("ce+proto", 0, ""), (arm, 1, ""), (arm, 2, "")]
    assert doubts(settings, runs) == ["it is empty (in 2 of 3 grids)"]


def test_grids_of_other_teachers_do_not_count(settings):
    assert doubts(settings, [("ce+proto", 0, ""), ("proto_null", 1, "")]) == []
    assert doubts(settings, [("ce", 0, ""), ("proto_null", 1, "")]) is None
