"""Arms that differ by their override and by nothing else; done ones are not trained again."""

import json
import shutil
from dataclasses import replace

import pytest

from neurogaze.errors import InputError
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.pipeline import bench
from neurogaze.pipeline.bench import load_bench, run_bench
from neurogaze.pipeline.stages import Stages
from tests.pipeline.tiny import EXPERIMENTS, FACES, STUDENT

FILE = EXPERIMENTS / "bench" / "synthetic_arms.yaml"


def tiny_bench(**changes):
    settings = load_bench(FILE)
    quick = [arg for arg in STUDENT if "max_epochs" not in arg]
    return replace(
        settings,
        base=replace(settings.base, args=[*quick, "--trainer.max_epochs=1"]),
        evaluate={n: replace(p, args=FACES) for n, p in settings.evaluate.items()},
        **{"seeds": [0]} | changes,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    page = run_bench(tiny_bench(), folder / "run", folder / "store")
    assert page.exists()
    return folder


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
    assert records == dict.fromkeys(
        ["ce-seed0", "ce-seed0-valid", "geo-seed0", "geo-seed0-valid", "report"], True
    )


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
    assert ce["model"]["init_args"]["loss"]["init_args"]["geo"] is None


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


def test_paths_are_relative_to_the_file():
    settings = load_bench(FILE)
    folder = FILE.parent.as_posix()
    assert settings.arms["ce"] == [f"{folder}/../ablations/ce.yaml"]
    assert settings.base.data == f"{folder}/../data/synthetic_faces.yaml"
    assert settings.seeds == [0, 1]


def test_a_mistake_in_the_file_is_named(tmp_path):
    path = tmp_path / "b.yaml"
    path.write_text(FILE.read_text().replace("seeds: [0, 1]", "seeds: [zero]"))
    with pytest.raises(InputError, match=r"b\.yaml.*seeds"):
        load_bench(path)


def test_a_grid_is_pinned_by_its_content(tiny_run, tmp_path, monkeypatch):
    """Every arm gets the grid; its path is no part of the fingerprint, its hash is."""
    seen = []

    class Stop(Exception):
        pass

    def parse(args):
        seen.extend(args)
        raise Stop

    monkeypatch.setattr(bench.training, "parse_fit", parse)
    grid = str(tiny_run.run / "grid" / "grid.npz")
    with pytest.raises(Stop):
        run_bench(tiny_bench(grid=grid), tmp_path / "run", tmp_path / "store")
    (pin,) = [json.loads(a.split("=", 1)[1]) for a in seen if a.startswith("--model.grid=")]
    assert pin == {"path": grid, "sha256": bench.grid_sha256(tiny_run.run / "grid" / "grid.npz")}
