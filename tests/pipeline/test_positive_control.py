"""A control at a size of seconds: stages are kept, failures lose nothing, bad files are told."""

from dataclasses import replace

import pytest
import yaml

from neurogaze.errors import InputError
from neurogaze.evaluation.contrast_file import read_contrasts
from neurogaze.evaluation.results import read_rows
from neurogaze.pipeline import positive_control
from neurogaze.pipeline.control_settings import load_control
from neurogaze.pipeline.positive_control import run_control
from tests.pipeline.tiny import EXPERIMENTS
from tests.pipeline.tiny_control import small_control

FILE = EXPERIMENTS / "controls" / "positive_control.yaml"


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


def test_a_failed_run_loses_no_other(done, monkeypatch):
    root, _ = done
    real = positive_control.train_and_judge

    def failing(stages, settings, run, grids, store):
        if run.arm == "ce":
            raise RuntimeError("no room")
        real(stages, settings, run, grids, store)

    monkeypatch.setattr(positive_control, "train_and_judge", failing)
    with pytest.raises(InputError, match=r"shared-ce-seed0: RuntimeError: no room"):
        run_control(tiny_control(), root / "run", root / "store")
    rows = read_rows(root / "run" / "results.jsonl")
    assert {row.arm for row in rows} == {"proto_oracle"}


def changed(tmp_path, change):
    values = yaml.safe_load(FILE.read_text())
    change(values)
    path = tmp_path / "control.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v["arms"]["proto_eeg"].update(grid="magic"), "no kinds of grid"),
        (lambda v: v["worlds"]["shared"]["expect"][0].update(first="kd"), "not trained there"),
        (lambda v: v["worlds"]["shared"].update(without=["ce"]), "not trained there"),
        (lambda v: v["worlds"]["no signal"]["expect"].pop(), "does not compare"),
        (lambda v: v.update(sensitive=["ce"]), "name two arms"),
        (lambda v: v.update(colour="red"), "does not hold ControlSettings"),
        (lambda v: v["worlds"]["shared"]["expect"][0].update(relation="beside"), "ControlSettings"),
    ],
)
def test_bad_files(tmp_path, change, said):
    with pytest.raises(InputError, match=said):
        load_control(changed(tmp_path, change))
