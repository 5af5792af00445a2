"""What an arm lacks is told before anything is trained, and pictures are decoded beforehand."""

from dataclasses import replace

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash, write_json, write_npz
from neurogaze.errors import InputError
from neurogaze.faces.store import stored_at
from neurogaze.pipeline import bench
from neurogaze.pipeline.bench import run_bench
from neurogaze.pipeline.bench_ahead import prepare_pictures, refuse_untrainable
from neurogaze.pipeline.settings import EvaluationSettings
from neurogaze.prototypes.controls import random
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.tasks.pins import GridPin, LogitsPin
from neurogaze.training import load_data
from tests.pipeline.test_bench import tiny_bench
from tests.pipeline.test_bench_grids import GRID
from tests.pipeline.test_folded import CORPUS
from tests.pipeline.tiny import EXPERIMENTS


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Index of two EEG grids and nothing else."""
    folder, source, listed = tmp_path_factory.mktemp("grids"), PrototypeGrid.load(GRID), {}
    for seed in (0, 1):
        grid = random(source, seed)
        grid.save(folder / f"eeg-seed{seed}.npz")
        listed[str(seed)] = {"path": f"eeg-seed{seed}.npz", "sha256": grid.sha256}
    write_json(folder / "index.json", {"name": "made up", "grids": {"eeg": listed}})
    return str(folder / "index.json")


def logits(folder):
    arrays = {
        "ids": np.array(["a"]),
        "logits": np.zeros((1, 8), dtype=np.float16),
        "labels": np.array(EMOTIONS),
        "dataset": np.array("made up"),
    }
    write_npz(folder / "logits.npz", arrays)
    return LogitsPin(str(folder / "logits.npz"), arrays_hash(arrays))


def refused(settings, *wanted):
    with pytest.raises(InputError) as told:
        refuse_untrainable(settings, wanted)
    return str(told.value)


def test_what_is_there_is_not_refused(index, tmp_path):
    settings = tiny_bench(grids=index, logits=logits(tmp_path))
    wanted = [("ce", 5, False), ("full", 0, False), ("proto_permuted", 1, True)]
    refuse_untrainable(settings, wanted)


@pytest.mark.parametrize("kind", ["null", "untrained", "subject", "rawde"])
@pytest.mark.parametrize("one", [False, True])
def test_a_kind_from_recordings_comes_from_recordings(index, kind, one):
    """Whether an index or a single grid is named: no control can be made in its place."""
    settings = tiny_bench(grids=str(GRID) if one else index)
    said = refused(settings, (f"proto_{kind}", 0, False))
    assert said.startswith("bench synthetic_arms: ")
    assert f"proto_{kind}: " in said
    assert f"holds no {kind} grids" in said
    assert "neurogaze grids" in said.partition("Remedy")[2]
    assert "gram_matched" not in said


@pytest.mark.parametrize("one", [False, True])
def test_a_size_comes_from_recordings_too(index, one):
    """Cells cannot be cut anew from a grid: the teachers must embed the recordings."""
    settings = tiny_bench(grids=str(GRID) if one else index)
    arms = ("proto_grid_3", "proto_grid_7", "ce+proto")
    said = refused(settings, *[(arm, 0, False) for arm in arms])
    assert "none was begun (proto_grid_3: " in said
    assert "holds no eeg_3x3 grids, but " + ("one grid for all seeds" if one else "eeg") in said
    assert "proto_grid_7: " in said
    assert "ce+proto: " not in said
    remedy = said.partition("Remedy")[2]
    assert "give the set of grids `sizes: [3]`, make them with `neurogaze grids`" in remedy
    assert "`sizes: [7]`" in remedy


def test_grids_that_nobody_made_yet_are_named(tmp_path):
    said = refused(tiny_bench(grids=str(tmp_path / "index.json")), ("proto_grid_3", 0, False))
    assert "index.json: is no index of grids (FileNotFoundError" in said
    assert "make it with `neurogaze grids`" in said


def test_a_seed_that_is_not_there_is_named(index):
    said = refused(tiny_bench(grids=index), *[("proto_random", seed, False) for seed in range(4)])
    assert "not of 2" in said
    assert "not of 3" in said
    assert "neurogaze grids" in said


def test_all_that_is_lacking_is_told_at_once(index, tmp_path):
    settings = tiny_bench(grids=index, class_means=GridPin(str(tmp_path / "m.npz"), "0" * 64))
    wanted = [("kd", 0, False), ("proto_face", 0, False), ("nobody", 0, False), ("ce", 0, True)]
    said = refused(settings, *wanted)
    assert "kd: arm: has logit KD, and the bench names no stored logits" in said
    assert "proto_face: " in said
    assert "cannot be read as class means" in said
    assert "nobody.yaml: is no arm" in said
    assert "ce (equal gradient): arm ce: has no grid" in said


def test_altered_logits_are_refused(index, tmp_path):
    settings = tiny_bench(logits=replace(logits(tmp_path), sha256="0" * 64))
    assert "content hash is" in refused(settings, ("kd", 0, False))
    assert "names no grids" in refused(settings, ("ce+proto", 0, False))


def test_a_bench_trains_nothing_before(index, tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "run_all", None)
    with pytest.raises(InputError, match=r"proto_null.*null grids"):
        run_bench(tiny_bench(arms={"ce": 1, "proto_null": 1}, grids=index), tmp_path, tmp_path)
    assert list(tmp_path.iterdir()) == []


def stored(settings, store, path, *flags):
    data = load_data(["--data", path, f"--data.store={store}", *flags])
    return {stored_at(data.corpus, split, store).name for split in data.corpus.splits}


def test_pictures_are_decoded_as_they_are_trained_and_judged_on(tmp_path):
    """Not those of the data file as it stands: with the flags of the base and the evaluation."""
    settings = tiny_bench()
    judged = ["--data.corpus.n_train=16", "--data.corpus.n_valid=24"]
    part = replace(settings.evaluate["valid"], args=judged)
    settings = replace(settings, evaluate={"valid": part})
    prepare_pictures(settings, tmp_path)
    base = [arg for arg in settings.base.args if arg.startswith("--data.")]
    wanted = stored(settings, tmp_path, settings.base.data, *base)
    wanted |= stored(settings, tmp_path, part.data, *judged)
    assert {path.name for path in tmp_path.iterdir()} == wanted


def test_every_fold_is_decoded(tmp_path):
    (tmp_path / "data.yaml").write_text(CORPUS)
    data = str(tmp_path / "data.yaml")
    settings = replace(tiny_bench(folds=2), evaluate={"valid": EvaluationSettings(data)})
    flags = [arg for arg in settings.base.args if not arg.startswith("--data")]
    settings = replace(settings, base=replace(settings.base, data=data, args=flags))
    prepare_pictures(settings, tmp_path / "store")
    wanted = set()
    for fold in (0, 1):
        wanted |= stored(settings, tmp_path / "store", data, f"--data.corpus.fold={fold}")
    assert {path.name for path in (tmp_path / "store").iterdir()} == wanted


def test_flags_of_a_bench_that_do_not_fit_are_told(tmp_path):
    settings = tiny_bench()
    wrong = replace(settings.base, args=["--data.corpus.colour=red"])
    with pytest.raises(InputError, match="base: cannot be used"):
        prepare_pictures(replace(settings, base=wrong), tmp_path)


@pytest.mark.parametrize(
    ("changes", "flag", "said"),
    [
        ({"expected": 39}, "", "has 40 images .* not 39"),
        ({"split": "vald"}, "", "vald"),
        ({"crops": "ten"}, "--data.preprocessing.size=48", "48 x 48 for an input of 48"),
    ],
)
def test_an_evaluation_that_cannot_be_is_told_before(tmp_path, monkeypatch, changes, flag, said):
    monkeypatch.setattr(bench, "run_all", None)
    settings = tiny_bench()
    base = replace(settings.base, args=[*settings.base.args, *filter(None, [flag])])
    evaluate = {"valid": replace(settings.evaluate["valid"], **changes)}
    with pytest.raises(InputError, match=said):
        run_bench(replace(settings, base=base, evaluate=evaluate), tmp_path / "r", tmp_path / "s")


def test_pictures_that_students_learn_from_judge_none(tmp_path):
    """A bench of one fold, judged by an official split of the same corpus."""
    (tmp_path / "data.yaml").write_text(CORPUS)
    settings, data = tiny_bench(), str(tmp_path / "data.yaml")
    flags = [arg for arg in settings.base.args if not arg.startswith("--data")]
    settings = replace(settings, base=replace(settings.base, data=data, args=flags))
    with pytest.raises(InputError, match="holds pictures that the student learned from"):
        prepare_pictures(settings, tmp_path / "store")
    own = {"valid": EvaluationSettings(data)}
    prepare_pictures(replace(settings, evaluate=own), tmp_path / "store")


def test_an_evaluation_that_can_be_is_not_refused(tmp_path):
    settings = tiny_bench()
    ten = replace(settings.evaluate["valid"], expected=40, crops="ten")
    prepare_pictures(replace(settings, evaluate={"valid": ten}), tmp_path)


@pytest.mark.parametrize("minutes", [-1.0, float("-inf"), float("nan")])
def test_minutes_that_there_are_not(tmp_path, minutes):
    with pytest.raises(InputError, match=r"--minutes: is .*give 0"):
        run_bench(tiny_bench(), tmp_path / "r", tmp_path / "s", minutes=minutes)
    assert list(tmp_path.iterdir()) == []


def test_recordings_and_teachers_are_no_bench_of_students(tmp_path):
    settings = tiny_bench()
    eeg = str(EXPERIMENTS / "data" / "synthetic_eeg.yaml")
    plain = replace(settings.base, args=[])
    data = replace(settings, base=replace(plain, data=eeg))
    task = replace(settings, base=replace(plain, config=[str(EXPERIMENTS / "teacher.yaml")]))
    judged = replace(settings, evaluate={"valid": EvaluationSettings(eeg)})
    for changed, said in (
        (data, r"base\.data .*synthetic_eeg\.yaml: is an EEGDataModule.*name a FaceDataModule"),
        (task, "base: is a TeacherTask.*name a StudentTask"),
        (judged, r"evaluate\.valid .*synthetic_eeg\.yaml: is an EEGDataModule"),
    ):
        with pytest.raises(InputError, match=said):
            prepare_pictures(changed, tmp_path)
