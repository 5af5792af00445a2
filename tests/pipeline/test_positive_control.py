"""A control at a size of seconds: stages are kept, failures lose nothing, bad files are told."""

import json
import shutil
from dataclasses import replace

import pytest
import yaml

from neurogaze.artefacts import file_hash
from neurogaze.callbacks import EpochSeed
from neurogaze.errors import InputError
from neurogaze.evaluation.contrast_file import read_contrasts
from neurogaze.evaluation.results import read_rows
from neurogaze.pipeline import positive_control
from neurogaze.pipeline.control_settings import load_control
from neurogaze.pipeline.control_students import Run
from neurogaze.pipeline.positive_control import compared, run_control
from neurogaze.pipeline.processes import Failure
from tests.pipeline.tiny import EXPERIMENTS
from tests.pipeline.tiny_control import small_control

FILE = EXPERIMENTS / "controls" / "positive_control.yaml"
ORACLE = ("proto_oracle", "ce")


def tiny_control(**changes):
    """The control of the experiments, cut to one world, two arms and one seed."""
    settings = load_control(FILE)
    arms = {name: settings.arms[name] for name in ("ce", "proto_oracle")}
    world = settings.worlds["shared"]
    pair = [e for e in world.expect if (e.first, e.second) == settings.oracle_pair]
    worlds = {"shared": replace(world, expect=pair, without=[])}
    return small_control(replace(settings, arms=arms, worlds=worlds, **changes))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    root = tmp_path_factory.mktemp("control")
    page = run_control(tiny_control(), root / "run", root / "store")
    return root, page.read_text()


def test_it_says_what_was_expected_and_found(done):
    root, page = done
    assert "proto\\_oracle above ce" in page
    assert "undecided" in page
    assert "Insensitive in shared" in page  # one seed claims nothing
    assert "Not done" not in page
    term = "weight 3, tau 0.4, target row_softmax; windows placed as rated"
    assert f"Settings of proto_oracle: {term}. They are not those of the FERPlus" in page
    rows = read_rows(root / "run" / "results.jsonl")
    assert {row.arm for row in rows} == {"ce", "proto_oracle"}
    assert {row.note for row in rows if row.arm == "ce"} != {""}
    assert [bool(row.grid_hash) for row in rows if row.metric == "accuracy"] == [False, True]
    file = read_contrasts(root / "run" / "contrasts-shared" / "contrasts.json")
    assert (file.primary.first, file.primary.second) == ("proto_oracle", "ce")
    assert file.primary.n_images == 16


def test_a_second_call_trains_nothing(done, monkeypatch):
    root, page = done
    monkeypatch.setattr("neurogaze.pipeline.control_students._trained", None)
    assert run_control(tiny_control(), root / "run", root / "store").read_text() == page


def test_a_world_off_the_plane_has_faces_of_its_own_and_the_same_recordings(done):
    root, _ = done
    usual = tiny_control()
    world = replace(usual.worlds["shared"], plane=0.0)
    run_control(replace(usual, worlds={"off": world}), root / "off", root / "store")
    known = [json.loads((root / at / "checks.json").read_text()) for at in ("run", "off")]
    shared, off = known[0]["shared"]["0"], known[1]["off"]["0"]
    assert off["ccc"] == shared["ccc"]
    assert off["correlation"]["eeg"]["shared"] == shared["correlation"]["eeg"]["shared"]
    eeg, usually = (part["correlation"]["eeg"] for part in (off, shared))
    assert eeg["faces"] == pytest.approx(eeg["shared"], abs=1e-12)
    assert usually["faces"] != pytest.approx(usually["shared"], abs=1e-3)
    faces = [
        {r.split_hash for r in read_rows(root / at / "results.jsonl")} for at in ("run", "off")
    ]
    assert not faces[0] & faces[1]


@pytest.mark.parametrize("error", [RuntimeError("no room"), SystemExit(2)])
def test_a_failed_run_loses_no_other(done, monkeypatch, capsys, error):
    root, _ = done
    real = positive_control.train_and_judge

    def failing(stages, settings, run, grids, store):
        if run.arm == "ce":
            raise error
        real(stages, settings, run, grids, store)

    monkeypatch.setattr(positive_control, "train_and_judge", failing)
    said = f"shared-ce-seed0: {type(error).__name__}: {error}"
    with pytest.raises(InputError, match=said):
        run_control(tiny_control(), root / "run", root / "store")
    rows = read_rows(root / "run" / "results.jsonl")
    assert {row.arm for row in rows} == {"proto_oracle"}
    page = (root / "run" / "control.md").read_text()
    assert "**Not done**: shared (seeds 0)." in page
    assert "seed 0: done, 1 failed (1 of 1)" in capsys.readouterr().err


def test_an_interrupt_begins_no_other_training(done, tmp_path, monkeypatch):
    root, _ = done
    shutil.copytree(root / "run", tmp_path / "run")
    for arm in ("ce", "proto_oracle"):
        shutil.rmtree(tmp_path / "run" / f"shared-{arm}-seed0")
    begun = []

    def interrupt(*_):
        begun.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(EpochSeed, "on_fit_start", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_control(tiny_control(), tmp_path / "run", root / "store")
    assert len(begun) == 1


def test_a_failed_seed_is_called_so(done, monkeypatch, capsys):
    root, _ = done

    def failing(work, jobs, size):
        for job in jobs:
            yield job, Failure("killed")

    monkeypatch.setattr(positive_control, "run_all", failing)
    with pytest.raises(InputError, match="seed 0: killed"):
        run_control(tiny_control(), root / "other", root / "store")
    assert "seed 0: failed (1 of 1)" in capsys.readouterr().err
    assert "Nothing can be told yet" in (root / "other" / "control.md").read_text()


def test_arms_that_share_no_seed_are_not_compared():
    settings = load_control(FILE)
    primary, *_ = pairs = settings.worlds["shared"].pairs
    runs = [Run("shared", arm, seed) for arm in primary for seed in (0, 1)]
    assert compared(settings, "shared", runs) == [primary]
    runs += [Run("shared", "ce", 2), Run("shared", "proto_oracle", 3)]
    assert compared(settings, "shared", runs) == [primary]
    runs += [Run("shared", "ce", 3)]
    assert compared(settings, "shared", runs) == [p for p in pairs if p in (primary, ORACLE)]


def test_another_verdict_on_the_grids_is_told(done):
    """What the check reads counts, not the grids alone."""
    root, _ = done
    record = json.loads((root / "run" / "grids-shared-seed0" / "stage.json").read_text())
    (folder,) = (root / "run").glob("recordings-*")
    for name in ("verdicts.json", "results.jsonl"):
        assert record["inputs"][name] == file_hash(folder / name)


def test_an_oracle_without_a_term_is_refused_at_once(tmp_path):
    settings = replace(tiny_control(), sensitive=["proto_oracle", "ce"])
    arms = settings.arms | {"proto_oracle": settings.arms["ce"]}
    with pytest.raises(InputError, match="arm proto_oracle: has no Proto-KD"):
        run_control(replace(settings, arms=arms), tmp_path, tmp_path)


def changed(tmp_path, change):
    values = yaml.safe_load(FILE.read_text())
    change(values)
    path = tmp_path / "control.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def contrast(values, first, second):
    """One more contrast of the first world."""
    more = {"first": first, "second": second, "relation": "about"}
    values["worlds"]["shared"]["expect"].append(more)


def named(values, key, name):
    """One more world or arm, like the last one."""
    values[key][name] = list(values[key].values())[-1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v["arms"]["proto_eeg"].update(grid="magic"), "no kinds of grid"),
        (lambda v: v["worlds"]["shared"]["expect"][0].update(first="kd"), "not trained there"),
        (lambda v: v["worlds"]["shared"].update(without=["ce"]), "not trained there"),
        (lambda v: v["worlds"]["no signal"]["expect"].pop(), "does not compare"),
        (lambda v: v.update(sensitive=["ce"]), "name two arms"),
        (lambda v: v.update(seeds=[]), "seeds: are none"),
        (lambda v: v.update(permutations=0), "permutations: is 0"),
        (lambda v: v.update(seeds=[0, 1, 0]), r"seeds: name \[0\] more than once"),
        (lambda v: v.update(seeds=[0, -1]), "seeds: -1 is no seed"),
        (lambda v: v.update(seeds=[2**32]), "seeds: 4294967296 is no seed"),
        (lambda v: v.update(workers=0), "workers: is 0"),
        (lambda v: v.update(metric="f1"), "metric: 'f1' is not known"),
        (lambda v: v.update(worlds={}), "worlds: are none"),
        (lambda v: v["worlds"]["shared"].update(share=7), "world 'shared': share is 7"),
        (lambda v: v["worlds"]["shared"].update(snr=-1), "world 'shared': has snr -1"),
        (lambda v: v["worlds"]["shared"].update(plane=-1), "world 'shared': plane is -1"),
        (lambda v: contrast(v, "ce", "ce"), r"world 'shared': contrast \['ce', 'ce'\] compares an"),
        (lambda v: contrast(v, "proto_oracle", "ce"), "names the contrast of proto_oracle and ce"),
        (lambda v: contrast(v, "ce", "proto_oracle"), "names the contrast of ce and proto_oracle"),
        (lambda v: named(v, "worlds", "no_signal"), "'no signal' and 'no_signal' would share"),
        (lambda v: [named(v, "arms", n) for n in ("a b", "a_b")], "'a b' and 'a_b' would share"),
        (lambda v: named(v, "worlds", "../up"), "worlds: '../up' makes no folder"),
        (lambda v: named(v, "arms", "kd-proto"), "arms: 'kd-proto' makes no folder"),
        (lambda v: named(v, "arms", ""), "arms: '' makes no folder"),
        (lambda v: v.update(colour="red"), "does not hold ControlSettings"),
        (lambda v: v["worlds"]["shared"]["expect"][0].update(relation="beside"), "ControlSettings"),
    ],
)
def test_bad_files(tmp_path, change, said):
    with pytest.raises(InputError, match=said):
        load_control(changed(tmp_path, change))


def test_names_that_differ_have_folders_that_differ():
    settings = load_control(FILE)
    runs = [Run(world, arm, 10) for world in settings.worlds for arm in settings.arms]
    assert len({run.stage for run in runs}) == len(settings.worlds) * len(settings.arms)
    assert Run("no signal", "ce", 10).stage == Run("no_signal", "ce", 10).stage  # so it is refused


def test_telling_takes_a_tenth_of_the_time_and_comes_last(tmp_path, monkeypatch):
    """Seeds take a minute, telling ten seconds for every seed that is done."""
    clock, told = [0.0], []

    def seeds(_function, jobs, _size):
        for job in jobs:
            clock[0] += 60.0
            yield job, positive_control.SeedDone([Run("shared", "ce", job.seed)], {}, {})

    def tell(_stages, _settings, _term, runs):
        told.append(len(runs))
        clock[0] += 10.0 * len(runs)
        return tmp_path / "control.md"

    monkeypatch.setattr(positive_control, "run_all", seeds)
    monkeypatch.setattr(positive_control, "tell", tell)
    monkeypatch.setattr(positive_control.time, "monotonic", lambda: clock[0])
    run_control(replace(tiny_control(), seeds=list(range(30))), tmp_path, tmp_path)
    assert told[0] == 1
    assert told[-1] == 30
    assert sum(told[:-1]) * 10.0 <= 0.15 * clock[0]
    assert len(told) > 3
