"""Files of sets of grids: the order of what they ask for, and what is refused at once."""

from dataclasses import replace

import numpy as np
import pytest

from neurogaze.affect import cell_index, grid_edges
from neurogaze.errors import InputError
from neurogaze.pipeline.grid_set_settings import load_grid_set
from tests.pipeline.tiny import EXPERIMENTS

PLACE = EXPERIMENTS / "grids"


def settings(**changes):
    return replace(load_grid_set(PLACE / "synthetic.yaml"), **changes)


def test_grids_of_the_eeg_come_first_whatever_the_file_begins_with():
    asked = {"rawde": [1], "null": [0], "eeg": [1, 0, 1]}
    found = settings(seeds=asked, sizes=[]).grids
    assert found == [("eeg", 1), ("eeg", 0), ("null", 0), ("rawde", 1)]


def test_the_set_of_dasps_has_ten_of_the_eeg_and_trains_as_its_bench():
    dasps = load_grid_set(PLACE / "dasps.yaml")
    assert dasps.seeds["eeg"] == list(range(10))
    assert all((PLACE / path).exists() for path in (*dasps.teacher.config, dasps.teacher.data))
    assert "--trainer.max_epochs=8" in dasps.teacher.args


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ({"null": [0]}, "name no eeg grid"),
        ({"eeg": []}, "name no eeg grid"),
        ({"eeg": [0], "rawde": [0, 3]}, r"rawde \[3\] would be placed"),
        ({"eeg": [0], "subject": [1]}, r"subject \[1\] would be placed"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is(seeds, message):
    with pytest.raises(InputError, match=message):
        settings(seeds=seeds)


def test_other_sizes_come_after_the_eeg_with_its_seeds():
    asked = settings(seeds={"null": [0], "eeg": [1, 0]}, sizes=[7, 3, 7]).grids
    eeg, *rest = ("eeg", "eeg_7x7", "eeg_3x3"), ("null", 0)
    assert asked == [*((kind, seed) for kind in eeg for seed in (1, 0)), *rest]
    assert settings(sizes=[]).grids == [g for g in settings().grids if "x" not in g[0]]


def test_a_kind_that_names_a_size_has_it_and_all_else_as_asked():
    dasps = load_grid_set(PLACE / "dasps.yaml")
    assert dasps.sizes == [3, 7, 9]
    for kind, size in (("eeg", 5), ("null", 5), ("eeg_3x3", 3), ("eeg_9x9", 9)):
        assert dasps.consolidation(kind) == replace(dasps.consolidate, size=size)


@pytest.mark.parametrize("wrong", [5, 1, 0, -3])
def test_a_size_that_makes_no_other_grid_is_refused(wrong):
    with pytest.raises(InputError, match=rf"\[{wrong}\] make no other grid.*5 is made in any case"):
        settings(sizes=[3, wrong])


def test_other_sizes_cannot_be_asked_for_as_a_kind(tmp_path):
    text = (PLACE / "synthetic.yaml").read_text().replace("rawde: [0]", "eeg_3x3: [0]")
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(InputError, match="eeg_3x3"):
        load_grid_set(tmp_path / "x.yaml")


@pytest.mark.parametrize(("size", "bins"), [(3, 3), (5, 5), (7, 5), (9, 5)])
def test_five_levels_of_rating_reach_at_most_25_cells(size, bins):
    """DREAMER's 1 to 5 as (r - 3) / 2: one a bin at 5x5, at 3x3 two in either outer bin."""
    levels = (np.arange(1, 6) - 3) / 2
    pairs = np.array([(valence, arousal) for valence in levels for arousal in levels])
    assert len(np.unique(cell_index(pairs, size))) == bins**2


@pytest.mark.parametrize("size", [3, 5, 7, 9])
def test_bins_are_equal_and_end_exactly(size):
    edges = grid_edges(size)
    assert (edges[0], edges[-1]) == (-1.0, 1.0)
    np.testing.assert_array_equal(edges, -edges[::-1])
    np.testing.assert_allclose(edges, [-1 + 2 * k / size for k in range(size + 1)], atol=1e-12)
    assert cell_index(np.array([[1.0, 1.0]]), size).tolist() == [size**2 - 1]


def test_one_teacher_for_everybody_is_refused():
    with pytest.raises(InputError, match=r"'faithful'.*use crossfit"):
        settings(consolidate=replace(settings().consolidate, mode="faithful"))


@pytest.mark.parametrize("wrong", [{"permutations": 0}, {"workers": -1}, {"workers": 0}])
def test_a_count_that_there_cannot_be_is_refused(wrong):
    ((key, count),) = wrong.items()
    with pytest.raises(InputError, match=f"{key}: is {count}.*give 1 or more"):
        settings(**wrong)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_no_generator_takes_is_refused(seed):
    for seeds in ({"eeg": [0, seed]}, {"eeg": [0], "null": [seed]}):
        with pytest.raises(InputError, match=f"seeds: {seed} is no seed"):
            settings(seeds=seeds)
    assert settings(seeds={"eeg": [2**32 - 1]}).seeds == {"eeg": [2**32 - 1]}


def test_an_unknown_kind_is_refused(tmp_path):
    text = (PLACE / "synthetic.yaml").read_text().replace("rawde: [0]", "oracle: [0]")
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(InputError, match="oracle"):
        load_grid_set(tmp_path / "x.yaml")
