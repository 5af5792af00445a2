"""A set of grids from file to index: what differs between its grids, and what is taken up again."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation.results import read_rows
from neurogaze.pipeline.bench_grids import open_grids
from neurogaze.pipeline.everybody import place_everybody
from neurogaze.pipeline.grid_set import GridSet
from neurogaze.pipeline.grid_set_settings import load_grid_set
from neurogaze.prototypes.grid import PrototypeGrid
from tests.pipeline.tiny import EXPERIMENTS, TEACHER

ARGS = [*TEACHER, "--data.corpus.n_subjects=6", "--model.teacher.branches=electrodes"]
SEEDS = {"eeg": [0, 1], "null": [0], "untrained": [0], "subject": [0], "rawde": [0]}
SIZED = {"eeg_3x3": [0, 1], "eeg_7x7": [0, 1]}
LISTED = SEEDS | SIZED


def settings(**changes):
    read = load_grid_set(EXPERIMENTS / "grids" / "synthetic.yaml")
    teacher = replace(read.teacher, args=ARGS)
    usual = {"teacher": teacher, "seeds": SEEDS, "sizes": [3, 7], "workers": 1, "permutations": 5}
    return replace(read, **(usual | changes))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    made = GridSet(settings(), folder / "run", folder / "store")
    return made, made.run(), folder


def grid(done, kind, seed=0):
    return done[0].made[kind][seed]


def test_the_index_lists_every_grid_with_its_hash(done):
    index = json.loads(done[1].read_text())
    assert index["name"] == "synthetic_grids"
    assert {kind: sorted(map(int, pins)) for kind, pins in index["grids"].items()} == LISTED
    for pins in index["grids"].values():
        for pin in pins.values():
            PrototypeGrid.load(done[1].parent / pin["path"], sha256=pin["sha256"])


def test_a_bench_finds_them(done):
    source = open_grids(done[1])
    assert source.grid("null", 0).sha256 == grid(done, "null").sha256
    assert source.grid("eeg_7x7", 1).sha256 == grid(done, "eeg_7x7", 1).sha256
    assert source.grid("gram_matched", 1).provenance["source_sha256"] == grid(done, "eeg", 1).sha256


def test_every_grid_has_its_own_hash_and_says_what_it_is(done):
    grids = [(k, s, g) for k, made in done[0].made.items() for s, g in made.items()]
    assert len({g.sha256 for _, _, g in grids}) == sum(map(len, LISTED.values()))
    for kind, seed, made in grids:
        assert (made.provenance["kind"], made.provenance["seed"]) == (kind, seed)


def test_people_are_drawn_by_the_seed_alone_with_their_number_kept(done):
    """Six people are drawn from six; every kind of a seed has the same ones."""
    drawn = grid(done, "eeg").provenance["people_drawn"]
    assert len(drawn) == sum(drawn.values()) == 6
    assert max(drawn.values()) > 1
    assert all(grid(done, kind).provenance["people_drawn"] == drawn for kind in LISTED)
    assert grid(done, "eeg", 1).provenance["people_drawn"] != drawn


def test_counts_and_prototypes_are_those_of_the_people_drawn(done):
    """Each window of a person drawn twice counts twice: a weighted mean, by hand."""
    made, eeg = done[0], grid(done, "eeg")
    chosen = made.settings.consolidate
    placed = place_everybody(made.labelled, [], made.embedders("eeg", 0), chosen).placed
    times = np.array([eeg.provenance["people_drawn"][name] for name in placed.subject.tolist()])
    cells = placed.cells(5)
    assert eeg.counts.tolist() == np.bincount(cells, weights=times, minlength=25).tolist()
    cell = int(eeg.counts.argmax())
    mean = (placed.unit * (times * (cells == cell))[:, None]).sum(axis=0)
    np.testing.assert_allclose(eeg.prototypes[cell], mean / np.linalg.norm(mean), atol=1e-6)
    assert eeg.n_subjects[cell] == len({*placed.subject[(cells == cell) & (times > 0)].tolist()})


def test_other_sizes_are_cut_from_the_same_windows_of_the_same_people(done):
    """By hand: the EEG's embeddings, places and draw, in cells of another size; edges exact."""
    made = done[0]
    for seed in (0, 1):
        folds, eeg = made.embedders("eeg", seed), grid(done, "eeg", seed)
        placed = place_everybody(made.labelled, [], folds, made.settings.consolidate).placed
        drawn = eeg.provenance["people_drawn"]
        times = np.array([drawn[name] for name in placed.subject.tolist()])
        for kind, size in (("eeg_3x3", 3), ("eeg_7x7", 7)):
            own, inside = grid(done, kind, seed), np.clip((placed.va + 1) / 2, 0, 1 - 1e-9)
            valence, arousal = np.floor(inside * size).astype(int).T
            cells = arousal * size + valence
            assert (own.size, own.dim) == (size, eeg.dim)
            assert own.counts.tolist() == np.bincount(cells, times, minlength=size**2).tolist()
            assert own.counts.sum() == eeg.counts.sum()
            cell = int(own.counts.argmax())
            mean = (placed.unit * (times * (cells == cell))[:, None]).sum(axis=0)
            np.testing.assert_allclose(own.prototypes[cell], mean / np.linalg.norm(mean), atol=1e-6)
            assert (own.edges[0], own.edges[-1]) == (-1.0, 1.0)
            assert own.provenance["teachers"] == eeg.provenance["teachers"]


def test_other_sizes_of_a_finished_set_train_nothing(done, tmp_path):
    """Nor do they change what was made before, or repeat the scores of its teachers."""
    _, index, folder = done
    root = tmp_path / "run"
    shutil.copytree(folder / "run", root)
    grown = GridSet(settings(sizes=[3, 7, 9]), root, folder / "store")
    grown.run()
    made = [name for name, record in grown.stages.records.items() if not record.skipped]
    assert made == ["grid-eeg_9x9-seed0", "grid-eeg_9x9-seed1"]
    before, after = (json.loads(p.read_text())["grids"] for p in (index, root / "index.json"))
    assert before.items() <= after.items()
    assert set(after) - set(before) == {"eeg_9x9"}
    assert read_rows(root / "results.jsonl") == read_rows(index.with_name("results.jsonl"))
    told = (root / "grids.md").read_text().replace("\\", "")
    assert "| eeg_9x9 | 1 | – | – |" in told


def test_kinds_that_rate_nothing_fill_the_cells_of_the_eeg_grid(done):
    for kind in ("subject", "rawde"):
        assert grid(done, kind).counts.tolist() == grid(done, "eeg").counts.tolist()
        assert np.abs(grid(done, kind).prototypes - grid(done, "eeg").prototypes).max() > 0.1
    assert grid(done, "null").counts.tolist() != grid(done, "eeg").counts.tolist()


def test_principal_components_leave_the_rest_of_the_width_empty(done):
    """14 electrodes by 4 bands make 56 values; the grid is as wide as the EEG's all the same."""
    rawde = grid(done, "rawde")
    assert rawde.dim == grid(done, "eeg").dim == 256
    assert np.linalg.matrix_rank(rawde.prototypes) <= 25
    np.testing.assert_allclose(rawde.prototypes[:, 56:], 0.0, atol=1e-6)


def test_scores_of_teachers_stand_beside_chance(done):
    rows = read_rows(done[1].with_name("results.jsonl"))
    arms = {row.arm for row in rows}
    assert {"teacher", "null teacher", "untrained teacher"} <= arms
    assert {f"chance of ridge (99 % band, {s})" for s in ("within_subject", "joint_clip")} <= arms
    own = [row for row in rows if row.grid_hash == grid(done, "eeg", 1).sha256]
    assert {row.arm for row in own} == {"teacher"}
    assert {row.seed for row in own} == {1}
    verdicts = json.loads(done[1].with_name("verdicts.json").read_text())
    assert all("does not lie above simulated chance" in v[-1] for v in verdicts.values())
    assert done[1].with_name("grids.md").read_text().startswith("Not testable with this grid:")


def test_a_grid_of_people_says_how_well_they_were_told_apart(done):
    """A run that is stopped between its folds knows of those it finds."""
    _, index, folder = done
    shares = grid(done, "subject").provenance["learnt"]
    assert list(shares) == [str(fold) for fold in range(len(shares))]
    assert all(0.0 < share <= 1.0 for share in shares.values())
    assert all("learnt" not in grid(done, kind).provenance for kind in SEEDS if kind != "subject")
    assert f"| {np.mean(list(shares.values())):.2f} |" in index.with_name("grids.md").read_text()
    for name in ("stage.json", "learnt.json"):
        (folder / "run" / "teachers-subject-seed0" / name).unlink()
    again = GridSet(settings(), folder / "run", folder / "store")
    again.run()
    made = [name for name, record in again.stages.records.items() if not record.skipped]
    assert made == ["teachers-subject-seed0"]
    assert again.made["subject"][0].sha256 == grid(done, "subject").sha256


def test_a_set_that_grows_lists_what_it_had_from_its_first_new_grid_on(done, tmp_path, monkeypatch):
    """Stopped after one more seed: all that holds is listed, a grid that was damaged is not."""
    _, index, folder = done
    root, store = tmp_path / "run", folder / "store"
    shutil.copytree(folder / "run", root)
    (root / "grid-rawde-seed0" / "grid.npz").write_bytes(b"cut")
    grown = GridSet(replace(settings(), seeds=SEEDS | {"eeg": [0, 1, 2]}), root, store)
    real = grown.stages.run

    def until(name, *given):
        if "grid-eeg-seed2" in grown.stages.records:
            raise KeyboardInterrupt
        return real(name, *given)

    monkeypatch.setattr(grown.stages, "run", until)
    with pytest.raises(KeyboardInterrupt):
        grown.run()
    listed = json.loads((root / "index.json").read_text())["grids"]
    before = json.loads(index.read_text())["grids"]
    assert set(listed) == {"eeg", "null", "untrained", "subject", *SIZED}
    assert sorted(listed["eeg"]) == ["0", "1", "2"]
    assert all(
        pins.items() <= listed[kind].items() for kind, pins in before.items() if kind in listed
    )
    told = {row.grid_hash for row in read_rows(root / "results.jsonl")}
    assert told >= {pin["sha256"] for k in ("eeg", "null") for pin in listed[k].values()}


def test_a_second_run_makes_nothing_and_a_new_grid_only_its_own(done):
    _, index, folder = done
    before = index.read_text()
    again = GridSet(settings(), folder / "run", folder / "store")
    again.run()
    assert all(record.skipped for record in again.stages.records.values())
    assert index.read_text() == before
    more = replace(settings(), seeds=SEEDS | {"rawde": [0, 1]})
    grown = GridSet(more, folder / "run", folder / "store")
    grown.run()
    made = [name for name, record in grown.stages.records.items() if not record.skipped]
    assert made == ["grid-rawde-seed1"]
    assert set(json.loads(index.read_text())["grids"]["rawde"]) == {"0", "1"}


def test_a_set_of_grids_is_made_of_recordings(tmp_path):
    faces = str(EXPERIMENTS / "data" / "synthetic_faces.yaml")
    wrong = settings(teacher=replace(settings().teacher, data=faces, args=[]))
    with pytest.raises(InputError, match=r"teacher\.data .*_faces\.yaml: is a FaceDataModule"):
        GridSet(wrong, tmp_path / "run", tmp_path / "store")
