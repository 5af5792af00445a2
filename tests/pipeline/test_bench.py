"""Arms that differ by their override and by nothing else; done ones are not trained again."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import arrays_hash, write_npz
from neurogaze.errors import InputError
from neurogaze.evaluation.contrast_file import read_contrasts
from neurogaze.evaluation.metrics import confusion_matrix, macro_f1_8way
from neurogaze.evaluation.predictions import face_arrays
from neurogaze.evaluation.results import model_parts, read_rows
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.pipeline import bench
from neurogaze.pipeline.arms import load_arm
from neurogaze.pipeline.bench import Job, jobs_of, run_bench, run_job
from neurogaze.pipeline.bench_settings import load_bench
from neurogaze.pipeline.stages import Stages
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.tasks.pins import LogitsPin
from tests.pipeline.sized import made_up_index
from tests.pipeline.tiny import EXPERIMENTS, FACES, STUDENT

FILE = EXPERIMENTS / "bench" / "synthetic_arms.yaml"
ARMS = sorted(path.stem for path in (EXPERIMENTS / "arms").glob("*.yaml"))
SIZED = ("eeg_3x3", "eeg_7x7", "eeg_9x9")
RECORDED = ("eeg", "null", "untrained", "subject", "rawde", "face", *SIZED)


def tiny_bench(**changes):
    settings = load_bench(FILE)
    quick = [arg for arg in STUDENT if "max_epochs" not in arg]
    usual = {
        "base": replace(settings.base, args=[*quick, "--trainer.max_epochs=1"]),
        "evaluate": {n: replace(p, args=FACES) for n, p in settings.evaluate.items()},
        "arms": {"ce": 1, "geo": 1},
        "workers": 1,
    }
    return replace(settings, **(usual | changes))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    page = run_bench(tiny_bench(), folder / "run", folder / "store")
    assert page.exists()
    return folder


@pytest.fixture(scope="module")
def grids(tmp_path_factory, tiny_run):
    """Index of a set of grids for two seeds; every grid another one."""
    source = PrototypeGrid.load(tiny_run.run / "grid" / "grid.npz")
    return made_up_index(tmp_path_factory.mktemp("grids"), source, RECORDED)


@pytest.fixture(scope="module")
def logits(tmp_path_factory):
    """Stored logits of a made-up face classifier for the tiny training set."""
    table = SyntheticFaces(64, 40).load("train")
    arrays = {
        "ids": table.ids,
        "logits": np.random.default_rng(0).normal(size=(64, 8)).astype(np.float16),
        "labels": np.array(EMOTIONS),
        "dataset": np.array(table.dataset),
    }
    path = tmp_path_factory.mktemp("logits") / "logits.npz"
    write_npz(path, arrays)
    return LogitsPin(str(path), arrays_hash(arrays))


@pytest.fixture
def records(monkeypatch):
    """Which stages were skipped, by name, as they are run."""
    seen, run = {}, Stages.run

    def watched(self, name, *args, **kwargs):
        record = run(self, name, *args, **kwargs)
        seen[name] = record.skipped
        return record

    monkeypatch.setattr(Stages, "run", watched)
    return seen


def settings_of(folder, name):
    return json.loads((folder / "run" / name / "stage.json").read_text())


def test_a_second_call_skips_everything(finished, records):
    run_bench(tiny_bench(), finished / "run", finished / "store")
    names = ["ce-seed0", "ce-seed0-valid", "geo-seed0", "geo-seed0-valid", "contrasts", "report"]
    assert records == dict.fromkeys(names, True)


def test_a_lost_evaluation_is_all_that_is_done_again(finished, records, tmp_path):
    shutil.copytree(finished / "run", tmp_path / "run")
    (tmp_path / "run" / "geo-seed0-valid" / "results.jsonl").unlink()
    run_bench(tiny_bench(), tmp_path / "run", finished / "store")
    assert [name for name, skipped in records.items() if not skipped] == ["geo-seed0-valid"]


def differences(first, second, path=""):
    if isinstance(first, dict) and isinstance(second, dict):
        for key in first.keys() | second.keys():
            yield from differences(first.get(key), second.get(key), f"{path}/{key}")
    elif first != second:
        yield path


def test_arms_differ_by_their_override_alone(finished):
    ce, geo = (settings_of(finished, f"{arm}-seed0")["settings"] for arm in ("ce", "geo"))
    assert list(differences(ce, geo)) == ["/model/init_args/loss/init_args/geo"]
    assert "geo" not in ce["model"]["init_args"]["loss"]["init_args"]


def test_the_images_take_part_in_the_fingerprint(finished):
    record = settings_of(finished, "ce-seed0")
    faces = SyntheticFaces(64, 40)
    assert record["inputs"] == {
        "faces": faces.load("train").sha256,
        "valid": faces.load("valid").sha256,
    }


def test_every_arm_is_in_the_results(finished):
    lines = (finished / "run" / "geo-seed0-valid" / "results.jsonl").read_text().splitlines()
    assert {json.loads(line)["arm"] for line in lines} == {"geo"}
    table = (finished / "run" / "report" / "results.md").read_text()
    assert "ce" in table
    assert "geo" in table


def test_the_contrast_is_the_difference_of_the_scores(finished):
    scores = {}
    for arm in ("ce", "geo"):
        path = finished / "run" / f"{arm}-seed0-valid" / "predictions.parquet"
        truth, chances = face_arrays(pd.read_parquet(path))
        scores[arm] = macro_f1_8way(confusion_matrix(truth, chances.argmax(axis=1)))
    found = read_contrasts(finished / "run" / "contrasts" / "contrasts.json")
    assert (found.primary.first, found.primary.second) == ("geo", "ce")
    assert found.primary.effect == pytest.approx(scores["geo"] - scores["ce"])
    assert found.primary.n_seeds == 1
    assert "no claim" in found.primary.verdict
    rows = read_rows(finished / "run" / "geo-seed0-valid" / "results.jsonl")
    assert {found.primary.label_rule} == {row.label_rule for row in rows}
    assert found.primary.label_rule


def test_two_at_a_time_end_as_one_after_the_other(finished, tmp_path):
    """Weights and predictions do not depend on what runs beside them."""
    run_bench(tiny_bench(workers=2), tmp_path / "run", finished / "store")
    for arm in ("ce", "geo"):
        alone, beside = (
            json.loads((folder / f"{arm}-seed0" / "stage.json").read_text())
            for folder in (finished / "run", tmp_path / "run")
        )
        assert beside["fingerprint"] == alone["fingerprint"]
        rows = [
            read_rows(folder / f"{arm}-seed0-valid" / "results.jsonl")[0].config_hash
            for folder in (finished / "run", tmp_path / "run")
        ]
        assert len({model_parts(hashed)[0] for hashed in rows}) == 1
        frames = [
            pd.read_parquet(folder / f"{arm}-seed0-valid" / "predictions.parquet")
            for folder in (finished / "run", tmp_path / "run")
        ]
        np.testing.assert_allclose(*(face_arrays(f)[1] for f in frames), atol=1e-5)


def test_a_failed_arm_loses_nothing_of_the_others(finished, tmp_path):
    """A parser leaves over a key of the arm; the rest is told and compared."""
    shutil.copytree(EXPERIMENTS / "arms", tmp_path / "arms")
    shutil.copytree(EXPERIMENTS / "ablations", tmp_path / "ablations")
    (tmp_path / "arms" / "odd.yaml").write_text("args: [--model.colour=red]")
    shutil.copytree(finished / "run", tmp_path / "run")
    arms = {"odd": 1, "ce": 1, "geo": 1}
    broken = tiny_bench(arms=arms, arms_folder=str(tmp_path / "arms"))
    said = r"1 of 3 trainings failed.*odd-seed0: SystemExit: 2.*colour"
    with pytest.raises(InputError, match=said):
        run_bench(broken, tmp_path / "run", finished / "store")
    assert "geo" in (tmp_path / "run" / "report" / "results.md").read_text()
    assert (tmp_path / "run" / "contrasts" / "contrasts.json").exists()


def test_a_sitting_that_is_over_trains_nothing_and_tells_what_there_is(finished, tmp_path):
    shutil.copytree(finished / "run", tmp_path / "run")
    more = tiny_bench(arms={"ce": 2, "geo": 1})
    page = run_bench(more, tmp_path / "run", finished / "store", minutes=0)
    assert not (tmp_path / "run" / "ce-seed1").exists()
    assert "2 of 3 trainings" in page.read_text()
    found = read_contrasts(tmp_path / "run" / "contrasts" / "contrasts.json")
    assert found.primary.n_seeds == 1


def test_a_sitting_that_is_over_at_once_has_nothing_to_tell(finished, tmp_path):
    console = Console(record=True, file=io.StringIO(), width=200)
    page = run_bench(tiny_bench(), tmp_path / "run", finished / "store", console, minutes=0)
    assert page is None
    assert not (tmp_path / "run" / "ce-seed0").exists()
    assert "2 of 2 trainings wait for another sitting" in console.export_text()


def test_the_next_sitting_ends_what_waited(finished, tmp_path, records):
    """A training whose settings changed counts as not done, so it waits too."""
    shutil.copytree(finished / "run", tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "geo-seed0")
    run_bench(tiny_bench(), tmp_path / "run", finished / "store", minutes=0)
    assert "geo-seed0" not in records
    records.clear()
    run_bench(tiny_bench(), tmp_path / "run", finished / "store", minutes=5)
    done = {name for name, skipped in records.items() if not skipped}
    assert done == {"geo-seed0", "report"}, "the same weights, so what was judged of them stands"


def test_the_rescaled_weight_depends_on_the_pictures(finished, grids, tmp_path):
    settings = tiny_bench(arms={"proto_permuted": 1}, grids=str(grids), primary=[])
    job = Job(settings, tmp_path, finished / "store", "proto_permuted", 0, equal_gradient=True)
    arm = load_arm(EXPERIMENTS / "arms", "proto_permuted")
    bench.arguments(job, arm, Stages(tmp_path))
    record = json.loads((tmp_path / "proto_permuted-equal-seed0-weight/stage.json").read_text())
    faces = SyntheticFaces(64, 40)
    assert record["inputs"]["faces"] == faces.load("train").sha256


def test_arms_of_many_seeds_come_first_seed_by_seed():
    jobs = jobs_of(tiny_bench(arms={"ce": 1, "geo": 2, "kd": 2}), Path(), Path())
    told = [job.stage for job in jobs]
    assert told == ["geo-seed0", "kd-seed0", "geo-seed1", "kd-seed1", "ce-seed0"]


def test_paths_are_relative_to_the_file():
    settings = load_bench(FILE)
    folder = FILE.parent.as_posix()
    assert settings.arms_folder == f"{folder}/../arms"
    assert settings.base.data == f"{folder}/../data/synthetic_faces.yaml"
    assert settings.arms == {"ce": 2, "geo": 2}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("geo: 2", "geo: two", r"b\.yaml.*arms"),
        ("arms: {ce: 2, geo: 2}\nprimary: [geo, ce]", "arms: {}", r"trains no arm"),
        ("primary: [geo, ce]", "primary: [geo, kd]", r"compares kd, which it does not train"),
        ("primary: [geo, ce]", "primary: [geo]", r"names 1 arms"),
        ("primary: [geo, ce]", "secondary: [[geo, ce]]", r"secondary contrasts alone"),
        ("primary: [geo, ce]", "primary: [geo, ce]\ncompared_on: test", r"'test', which is not"),
        ("primary", "metric: macro_f1\nprimary", r"b\.yaml.*'macro_f1'.*use accuracy, macro_f1_8"),
        ("geo: 2", "geo: 0", r"b\.yaml: compares geo, which it trains with 0 seeds"),
        ("geo: 2", "geo: -2", r"b\.yaml: gives geo of arms -2 seeds"),
        ("primary", "equal_gradient: {geo: -1}\nprimary", r"geo of equal_gradient -1 seeds"),
        ("primary: [geo, ce]", "primary: [ce, ce]", r"\['ce', 'ce'\] compares an arm with itself"),
        ("primary: [geo, ce]", "primary: [geo, ce]\nsecondary: [[ce, ce]]", r"with itself"),
        ("[geo, ce]", "[geo, ce]\nsecondary: [[geo, ce]]", r"contrast of geo and ce twice"),
        ("[geo, ce]", "[geo, ce]\nsecondary: [[ce, geo]]", r"contrast of ce and geo twice"),
        (
            "arms: {ce: 2, geo: 2}\nprimary: [geo, ce]",
            "arms: {ce: 2, geo: 2, kd: 2}\nprimary: [geo, ce]\nsecondary: [[kd, ce], [kd, ce]]",
            r"contrast of kd and ce twice",
        ),
        ("valid: {", "weight: {", r"judges weight, a name that other folders"),
        ("valid: {", "a/b: {", r"evaluate: 'a/b' makes no folder"),
        ("valid: {", "fold12: {", r"judges fold12, a name that other folders"),
        ("primary", "folds: 1\nprimary", r"b\.yaml: has folds: 1.*give 0 for"),
        ("primary", "folds: -5\nprimary", r"b\.yaml: has folds: -5"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, old, new, said):
    path = tmp_path / "b.yaml"
    path.write_text(FILE.read_text().replace(old, new))
    with pytest.raises(InputError, match=said):
        load_bench(path)


def test_an_unknown_arm_is_named(finished, tmp_path):
    with pytest.raises(InputError, match=r"nobody\.yaml: is no arm.*ce_votes"):
        run_bench(tiny_bench(arms={"nobody": 1}, primary=[]), tmp_path / "r", finished / "store")


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm(arm, tmp_path, finished, grids, logits):
    """Globbed: each is trained on the grid of its kind and seed; judging knows no arm."""
    settings = tiny_bench(arms={arm: 1}, evaluate={}, grids=str(grids), logits=logits)
    names = [r.name for r in run_job(Job(settings, tmp_path, finished / "store", arm, 0))]
    assert names == [f"{arm}-seed0"]


def test_arms_are_short():
    for arm in ARMS:
        lines = (EXPERIMENTS / "arms" / f"{arm}.yaml").read_text().splitlines()
        assert len(lines) <= 6, arm


def test_every_seed_has_a_grid_of_its_own(tmp_path, finished, grids):
    settings = tiny_bench(arms={"ce+proto": 2}, grids=str(grids), primary=[])
    hashes = []
    for seed in (0, 1):
        run_job(Job(settings, tmp_path, finished / "store", "ce+proto", seed))
        line = (tmp_path / f"ce+proto-seed{seed}-valid" / "results.jsonl").read_text()
        hashes.append(json.loads(line.splitlines()[0])["grid_hash"])
    listed = json.loads(grids.read_text())["grids"]["eeg"]
    assert hashes == [listed["0"]["sha256"], listed["1"]["sha256"]]


def test_a_seed_without_a_grid_is_named(tmp_path, finished, grids):
    settings = tiny_bench(arms={"ce+proto": 3}, grids=str(grids), primary=[])
    with pytest.raises(InputError, match=r"eeg grids of the seeds \[0, 1\], not of 2"):
        run_job(Job(settings, tmp_path, finished / "store", "ce+proto", 2))


def test_an_altered_grid_is_refused(tmp_path, finished, grids):
    shutil.copytree(grids.parent, tmp_path / "grids")
    shutil.copy(tmp_path / "grids" / "null-seed0.npz", tmp_path / "grids" / "eeg-seed0.npz")
    settings = tiny_bench(grids=str(tmp_path / "grids" / "index.json"), primary=[])
    with pytest.raises(InputError, match=r"eeg-seed0\.npz.*the index says"):
        run_job(Job(settings, tmp_path, finished / "store", "ce+proto", 0))
