"""Sweep files are W&B's: its own schema and argument builder say so; the rest is refused."""

from pathlib import Path

import pytest
import yaml

from neurogaze.errors import InputError
from neurogaze.losses.geometry import late_cosine
from neurogaze.pipeline.sweep_settings import KEYS, METHODS, Choice, Range, load_sweep, parameter
from tests.pipeline.tiny import EXPERIMENTS

FILES = sorted((EXPERIMENTS / "sweeps").glob("*.yaml"))
RAMPED = ("geo_weight",)
"""Sweeps of a weight that counts from a later epoch on: the last epoch is the one to rank by."""
FORMS = [
    ({"values": [0.1, "a", True]}, Choice((0.1, "a", True))),
    ({"values": [1, 2], "distribution": "categorical"}, Choice((1, 2))),
    ({"value": 3}, Choice((3,))),
    ({"min": 1, "max": 4}, Range(1, 4, integer=True, step=1)),
    ({"min": 1, "max": 4, "distribution": "uniform"}, Range(1, 4)),
    ({"min": 0, "max": 0.5}, Range(0, 0.5)),
    ({"min": 1, "max": 4, "distribution": "int_uniform"}, Range(1, 4, integer=True, step=1)),
    ({"min": 0.1, "max": 0.9, "q": 0.2, "distribution": "q_uniform"}, Range(0.2, 0.8, step=0.2)),
    ({"min": 3, "max": 9, "q": 2, "distribution": "q_uniform"}, Range(4, 8, integer=True, step=2)),
    ({"min": 1e-5, "max": 0.1, "distribution": "log_uniform_values"}, Range(1e-5, 0.1, log=True)),
]  # fmt: skip
GOOD = {
    "program": "neurogaze",
    "method": "random",
    "metric": {"name": "val/macro_f1_8way_best", "goal": "maximize"},
    "command": ["neurogaze", "fit", "--config", "a.yaml", "${args}"],
    "parameters": {"model.lr": {"min": 0.1, "max": 1.0}},
}


def violations(config):
    """What W&B's own schema finds wrong."""
    from sweeps.config import schema_violations_from_proposed_config

    return schema_violations_from_proposed_config(config)


def written(tmp_path, **changes):
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(GOOD | changes))
    return path


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_files_hold_to_the_schema_of_wandb(path):
    config = yaml.safe_load(path.read_text())
    assert violations(config) == []
    name = "val/macro_f1_8way" if path.stem in RAMPED else "val/macro_f1_8way_best"
    assert config["metric"] == {"name": name, "goal": "maximize"}


def test_the_geometric_prior_begins_late():
    """A maximum over epochs may be of an epoch before the weight counts at all."""
    student = yaml.safe_load((EXPERIMENTS / "student.yaml").read_text())
    geo = student["model"]["init_args"]["loss"]["geo"]
    ramp = [
        late_cosine(epoch, geo["start_epoch"], geo["end_epoch"], geo["hard_gate"])
        for epoch in range(student["trainer"]["max_epochs"])
    ]
    assert (ramp.index(next(filter(None, ramp))), ramp[-1]) == (32, 1.0)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_nothing_is_chosen_on_the_official_validation(path):
    words = load_sweep(path).words
    data = EXPERIMENTS.parent / words[words.index("--data") + 1]
    assert yaml.safe_load(data.read_text())["init_args"]["held_out"]["n_folds"] == 10


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_trial_has_the_command_that_the_agent_of_wandb_runs(path):
    """Built by W&B's own functions from the last value of every parameter."""
    from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

    config, sweep = yaml.safe_load(path.read_text()), load_sweep(path)
    values = {
        name: said["values"][-1] if "values" in said else said["max"]
        for name, said in config["parameters"].items()
    }
    given = {name: {"value": value} for name, value in values.items()}
    flags = create_sweep_command_args({"args": given})["args"]
    words = create_sweep_command(config["command"])
    expected = [w for word in words for w in (flags if word == "${args}" else [word])]
    assert ["neurogaze", "fit", *sweep.arguments(values)] == expected


@pytest.mark.parametrize(("said", "expected"), FORMS, ids=lambda v: str(v)[:40])
def test_forms_of_parameters(said, expected):
    """Each is a form of W&B's, and read as W&B reads it."""
    assert violations(GOOD | {"parameters": {"model.lr": said}}) == []
    assert parameter(Path("s.yaml"), "model.lr", said) == expected


def test_points_of_ranges():
    assert Range(1, 4, integer=True, step=1).points() == (1, 2, 3, 4)
    assert Range(0.25, 0.75, step=0.25).points() == (0.25, 0.5, 0.75)
    assert Range(0.0, 1.0).points() == ()


@pytest.mark.parametrize(
    ("low", "high", "q", "expected"),
    [
        (0.2, 0.6, 0.2, (0.2, 0.4, 0.6)),
        (0.1, 0.7, 0.1, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
        (0.25, 0.85, 0.2, (0.4, 0.6, 0.8)),
        (-0.3, 0.35, 0.3, (-0.3, 0.0, 0.3)),
        (1e-05, 3e-05, 1e-05, (1e-05, 2e-05, 3e-05)),
        (0.3, 0.35, 0.1, (0.3,)),
        (0.5, 6.5, 2, (2, 4, 6)),
    ],
)
def test_multiples_of_q_between_both_ends_as_typed(low, high, q, expected):
    """By hand: what a person would write down, rounding aside."""
    said = {"distribution": "q_uniform", "min": low, "max": high, "q": q}
    found = parameter(Path("s.yaml"), "a", said)
    assert found.points() == expected
    assert (found.low, found.high) == (expected[0], expected[-1])


@pytest.mark.parametrize(
    "values",
    [[0, 0], [1, 1.0], ["a", "b", "a"], [0.001, "1e-3"], [True, True], [1, True], ["nan", "nan"]],
)
def test_equal_values_are_refused(tmp_path, values):
    """Two trials of one training would be counted as two of n, with no deviation."""
    path = written(tmp_path, parameters={"seed_everything": {"values": values}})
    with pytest.raises(InputError, match=r"seed_everything: has equal values"):
        load_sweep(path)


def test_values_that_differ_are_taken():
    values = [2**53, 2**53 + 1, True, False, "a", "A", "sNaN", 0.1, 0.2, "null"]
    assert parameter(Path("s.yaml"), "a", {"values": values}) == Choice(tuple(values))


def test_a_grid_is_every_combination(tmp_path):
    parameters = {"a": {"values": [1, 2]}, "b": {"values": ["x", "y"]}, "c": {"value": 0}}
    sweep = load_sweep(written(tmp_path, method="grid", parameters=parameters))
    assert [(p["a"], p["b"], p["c"]) for p in sweep.grid()] == [
        (1, "x", 0), (1, "y", 0), (2, "x", 0), (2, "y", 0)
    ]  # fmt: skip


def test_what_the_file_says(tmp_path):
    sweep = load_sweep(written(tmp_path, run_cap=3))  # newer than the schema that is published
    assert (sweep.method, sweep.maximize, sweep.cap) == ("random", True, 3)
    assert sweep.words == ("--config", "a.yaml", "${args}")
    program = ["${program}", "fit", "${args}", "--out=x"]
    sweep = load_sweep(written(tmp_path, command=program, metric={"name": "val/loss"}))
    assert not sweep.maximize
    assert sweep.arguments({"model.lr": 1e-05}) == ["--model.lr=1e-05", "--out=x"]


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("early_terminate", {"early_terminate": {"type": "hyperband", "min_iter": 3}}),
        ("method", {"method": "gird"}),
        ("metric", {"metric": None}),
        ("metric.name", {"metric": {"goal": "maximize"}}),
        ("metric.goal", {"metric": {"name": "x", "goal": "max"}}),
        ("command", {"command": ["python", "train.py", "${args}"]}),
        ("command", {"command": ["neurogaze", "fit", "--config", "a.yaml"]}),
        ("command", {"command": ["neurogaze", "fit", "${args_no_hyphens}"]}),
        ("parameters", {"parameters": {}}),
        ("parameters.a", {"parameters": {"a": 3}}),
        ("parameters.a", {"parameters": {"a": {"parameters": {"b": {"value": 1}}}}}),
        ("parameters.a", {"parameters": {"a": {"distribution": "normal", "mu": 0, "sigma": 1}}}),
        ("parameters.a", {"parameters": {"a": {"values": [1], "probabilities": [1]}}}),
        ("parameters.a", {"parameters": {"a": {"min": 0.1}}}),
        ("parameters.a", {"parameters": {"a": {"min": 2.0, "max": 1.0}}}),
        ("parameters.a", {"parameters": {"a": {"min": 0.1, "max": 0.4, "q": 0.5,
                                               "distribution": "q_uniform"}}}),
        ("parameters.a", {"parameters": {"a": {"values": [None]}}}),
        ("parameters.a", {"parameters": {"a": {"values": []}}}),
        ("parameters.a.min", {"parameters": {"a": {"min": "1e-3", "max": 1.0}}}),
        ("parameters.a", {"parameters": {"a": {"min": 0, "max": 1.0,
                                               "distribution": "log_uniform_values"}}}),
        ("parameters.a", {"method": "grid", "parameters": {"a": {"min": 0.1, "max": 1.0}}}),
        ("run_cap", {"run_cap": 0}),
    ],
)  # fmt: skip
def test_what_is_not_carried_out_is_refused_by_name(tmp_path, key, changes):
    path = written(tmp_path, **changes)
    with pytest.raises(InputError) as refusal:
        load_sweep(path)
    assert refusal.value.where == f"{path}: {key}"
    assert refusal.value.remedy


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "bad.yaml").write_text("a: [1")
    for name in ("bad.yaml", "none.yaml"):
        with pytest.raises(InputError, match=name):
            load_sweep(tmp_path / name)


def test_every_method_and_key_is_one_of_wandb():
    assert violations(GOOD | {"method": "annealing"})
    assert not any(violations(GOOD | {"method": method}) for method in METHODS)
    assert set(GOOD) <= KEYS


def test_a_key_met_twice_is_refused(tmp_path):
    """PyYAML takes the last one."""
    path = tmp_path / "sweep.yaml"
    path.write_text("method: grid\nparameters: {}\nmethod: random\n")
    with pytest.raises(InputError, match=r"has the key 'method' twice, in lines 1 and 3"):
        load_sweep(path)
