"""Sweeps without an account: every method, one table, failures kept apart, kills survived."""

import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import neurogaze
from neurogaze.errors import InputError
from neurogaze.pipeline import sweep as module
from neurogaze.pipeline.looking_ahead import parsed
from neurogaze.pipeline.sweep import over_seeds, run_sweep, seeds_swept, wanted_trials
from neurogaze.pipeline.sweep_journal import STUDY
from neurogaze.pipeline.sweep_settings import Choice, Range, Sweep, load_sweep
from neurogaze.pipeline.sweep_study import (
    NoColumn,
    Tried,
    fingerprint,
    last_value,
    open_study,
    outcomes,
)
from tests.pipeline.tiny import EXPERIMENTS, STUDENT

METRIC = "val/macro_f1_8way_best"
LOSS = "val/loss"
SPACE = {"a.x": Range(-1.0, 1.0), "a.n": Range(1, 4, integer=True, step=1), "b": Choice(("u", "v"))}
GRID = {"a.x": Choice((0.5, -0.5, 0.1)), "b": Choice(("u", "v"))}


def a_sweep(method="random", space=SPACE, maximize=True, cap=6):
    return Sweep(Path("s.yaml"), method, METRIC, maximize, ("${args}",), space, cap)


def height(args):
    """The score that a faked training reaches: highest at x = 0.2."""
    given = dict(word.removeprefix("--").split("=") for word in args)
    assert given["trainer.logger"] == "false"
    seed = 0.1 * float(given.get("seed_everything", 0))
    return 1.0 - (float(given["a.x"]) - 0.2) ** 2 - 0.001 * int(given.get("a.n", 0)) + seed


class Trainings:
    """Stands in for the trainings: writes a `metrics.csv`, and stops or fails when told to.

    Args:
        stop_at: number of the call that is interrupted.
        fail: tells by the arguments which call fails.
        loss: by the arguments, a second column that is logged.
    """

    def __init__(self, stop_at=None, fail=lambda args: False, loss=lambda args: -height(args)):
        self.stop_at, self.fail, self.loss, self.calls = stop_at, fail, loss, []

    def __call__(self, args, folder):
        self.calls.append(folder.name)
        if self.stop_at == len(self.calls) - 1:
            raise KeyboardInterrupt
        if self.fail(args):
            raise RuntimeError("loss is\nnan")
        folder.mkdir(parents=True, exist_ok=True)
        lines = f"epoch,{METRIC},{LOSS}\n0,0.0,9.0\n1,{height(args)!r},{self.loss(args)!r}\n"
        (folder / "metrics.csv").write_text(lines)


@pytest.fixture(autouse=True)
def unbuilt(monkeypatch):
    """Points of these sweeps are no settings of a training; nothing is built of them."""
    monkeypatch.setattr(module, "parsed", lambda where, args: None)


@pytest.fixture
def trainings(monkeypatch):
    def use(**how):
        fake = Trainings(**how)
        monkeypatch.setattr(module, "resumable_fit", fake)
        return fake

    return use


def read(out):
    with (out / "results.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("method", ["grid", "random", "bayes"])
def test_every_method_leaves_the_same_table(tmp_path, trainings, method):
    fake = trainings()
    space = GRID if method == "grid" else SPACE
    page = run_sweep(a_sweep(method, space), tmp_path / "out")
    rows = read(tmp_path / "out")
    assert list(rows[0]) == ["trial", *space, METRIC, "error"]
    scores = [float(row[METRIC]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert len(rows) == len(set(fake.calls)) == 6
    for row in rows:
        flags = [f"--{name}={row[name]}" for name in space]
        assert float(row[METRIC]) == height([*flags, module.HERE])
    text = page.read_text()
    assert text.count("\n| 0") == 6
    assert text.index(rows[0]["a.x"]) < text.index(rows[-1]["a.x"])


def test_less_is_better_where_the_file_says_so(tmp_path, trainings):
    trainings()
    run_sweep(a_sweep(maximize=False), tmp_path / "out")
    scores = [float(row[METRIC]) for row in read(tmp_path / "out")]
    assert scores == sorted(scores)


def test_bayes_does_better_than_chance(tmp_path, trainings):
    """After its first ten draws, which are random, it looks where the scores were high."""
    trainings()
    space, gaps = {"a.x": Range(-2.0, 2.0), "b": Choice(("u", "v"))}, {}
    for method in ("random", "bayes"):
        run_sweep(a_sweep(method, space), tmp_path / method, trials=40)
        rows = sorted(read(tmp_path / method), key=lambda row: row["trial"])
        gaps[method] = [abs(float(row["a.x"]) - 0.2) for row in rows]
    assert gaps["bayes"][0] == gaps["random"][0]
    assert np.median(gaps["bayes"][20:]) < 0.7 * np.median(gaps["random"])


@pytest.mark.parametrize("method", ["grid", "random", "bayes"])
def test_a_stopped_sweep_ends_as_one_that_was_not(tmp_path, trainings, method):
    sweep = a_sweep(method, GRID if method == "grid" else SPACE)
    trainings()
    run_sweep(sweep, tmp_path / "whole")
    trainings(stop_at=3)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep, tmp_path / "out")
    again = trainings()
    run_sweep(sweep, tmp_path / "out")
    assert len(again.calls) == 3
    assert read(tmp_path / "out") == read(tmp_path / "whole")


def test_a_finished_sweep_trains_nothing_and_can_grow(tmp_path, trainings):
    trainings()
    run_sweep(a_sweep(cap=2), tmp_path)
    first = read(tmp_path)
    fake = trainings()
    run_sweep(a_sweep(cap=2), tmp_path)
    assert (fake.calls, read(tmp_path)) == ([], first)
    run_sweep(a_sweep(cap=2), tmp_path, trials=3)
    assert len(fake.calls) == 1
    assert all(row in read(tmp_path) for row in first)


def test_one_failure_loses_nothing_and_is_tried_again(tmp_path, trainings):
    trainings(fail=lambda args: "--a.x=-0.5" in args and "--b=v" in args)
    with pytest.raises(InputError, match=r"1 of 6 trials failed.*RuntimeError: loss is nan"):
        run_sweep(a_sweep("grid", GRID), tmp_path)
    rows = read(tmp_path)
    assert [row["error"] for row in rows] == [""] * 5 + ["RuntimeError: loss is nan"]
    assert (rows[-1]["a.x"], rows[-1]["b"], rows[-1][METRIC]) == ("-0.5", "v", "")
    assert "failed" in (tmp_path / "results.md").read_text()
    fake = trainings()
    run_sweep(a_sweep("grid", GRID), tmp_path)
    assert fake.calls == [rows[-1]["trial"]]
    assert [row["error"] for row in read(tmp_path)] == [""] * 6


def test_refused_arguments_are_a_failure_of_that_trial(tmp_path, monkeypatch):
    def refuse(args, folder):
        raise SystemExit(2)

    monkeypatch.setattr(module, "resumable_fit", refuse)
    with pytest.raises(InputError, match="arguments were refused"):
        run_sweep(a_sweep(), tmp_path, trials=1)


def test_a_line_cut_short_by_a_crash_is_left_out(tmp_path, trainings):
    trainings()
    run_sweep(a_sweep(), tmp_path, trials=2)
    first = read(tmp_path)
    with (tmp_path / STUDY).open("ab") as stream:
        stream.write(b'{"op_code":4,"worker')
    run_sweep(a_sweep(), tmp_path, trials=3)
    run_sweep(a_sweep(), tmp_path, trials=3)
    assert len(read(tmp_path)) == 3
    assert all(row in read(tmp_path) for row in first)


def test_a_folder_belongs_to_one_sweep_and_seed(tmp_path, trainings):
    trainings()
    run_sweep(a_sweep(), tmp_path, trials=1)
    for other, seed in ((a_sweep("bayes"), 0), (a_sweep(), 1)):
        with pytest.raises(InputError, match="another sweep"):
            run_sweep(other, tmp_path, trials=1, seed=seed)


@pytest.mark.parametrize("place", ["word", "flag", "value"])
def test_a_changed_file_is_another_sweep(tmp_path, trainings, place):
    """Trials of two configurations never stand in one table."""
    trainings()
    config = tmp_path / "a.yaml"
    config.write_text("x: 1\n")
    words = {"word": ["--config", f"{config}"], "flag": [f"--config={config}"], "value": []}[place]
    space = GRID | {"b": Choice((f"{config}", "v" * 5000))} if place == "value" else GRID
    sweep = replace(a_sweep("grid", space), words=("${args}",))
    sweep = replace(sweep, words=(*words, "${args}"))
    own = fingerprint(sweep, 0)
    assert fingerprint(sweep, 0) == own
    study = open_study(sweep, tmp_path / "out", 0)
    study.tell(study.ask(), 0.5)
    config.write_text("x: 2\n")
    assert fingerprint(sweep, 0) != own
    with pytest.raises(InputError, match="the files it names"):
        open_study(sweep, tmp_path / "out", 0)


def test_another_version_is_another_sweep(monkeypatch):
    own = fingerprint(a_sweep(), 0)
    monkeypatch.setattr(neurogaze, "__version__", "0.0.0")
    assert fingerprint(a_sweep(), 0) != own


def test_without_optuna_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputError, match=r"neurogaze\[sweeps\]"):
        run_sweep(a_sweep(), tmp_path)


def test_how_many_trials():
    assert wanted_trials(a_sweep(cap=4), None) == 4
    assert wanted_trials(a_sweep(cap=4), 9) == 9
    assert wanted_trials(a_sweep("grid", GRID, cap=None), None) == 6
    assert wanted_trials(a_sweep("grid", GRID, cap=None), 100) == 6
    for cap, asked in ((None, None), (4, 0)):
        with pytest.raises(InputError):
            wanted_trials(a_sweep(cap=cap), asked)


@pytest.mark.parametrize("method", ["grid", "random", "bayes"])
def test_a_misspelt_metric_stops_at_the_first_trial_and_costs_nothing(tmp_path, trainings, method):
    """Corrected, the sweep goes on, and ends as if the name had been right from the start."""
    sweep = a_sweep(method, GRID if method == "grid" else SPACE)
    trainings()
    run_sweep(sweep, tmp_path / "whole")
    fake = trainings()
    with pytest.raises(NoColumn, match=rf"no column 'val/macro_f1'.*such as {METRIC}"):
        run_sweep(replace(sweep, metric="val/macro_f1"), tmp_path / "out")
    assert len(fake.calls) == 1
    fake = trainings()
    run_sweep(sweep, tmp_path / "out")
    assert len(fake.calls) == len(set(fake.calls)) == 6  # the first takes up its last epoch
    assert read(tmp_path / "out") == read(tmp_path / "whole")


@pytest.mark.parametrize("method", ["grid", "random", "bayes"])
def test_another_metric_reads_what_is_trained_again(tmp_path, trainings, method):
    """Here the loss is the score with its sign turned: no training, the same order."""
    sweep = a_sweep(method, GRID if method == "grid" else SPACE)
    trainings()
    run_sweep(sweep, tmp_path)
    before = read(tmp_path)
    fake = trainings()
    run_sweep(replace(sweep, metric=LOSS, maximize=False), tmp_path)
    after = read(tmp_path)
    assert fake.calls == []
    assert [row["trial"] for row in after] == [row["trial"] for row in before]
    assert [float(row[LOSS]) for row in after] == [-float(row[METRIC]) for row in before]
    run_sweep(sweep, tmp_path)
    assert (read(tmp_path), fake.calls) == (before, [])


def test_the_next_draws_see_the_other_metric(tmp_path, trainings):
    """Twelve trials by a score, then twelve by its mirror: drawn as if it had been the first."""
    space, loss = {"a.x": Range(-2.0, 2.0)}, {"metric": LOSS, "maximize": False}
    sweep, last = a_sweep("bayes", space), []
    for name, first in (("turned", sweep), ("straight", replace(sweep, **loss))):
        trainings()
        run_sweep(first, tmp_path / name, trials=12)
        run_sweep(replace(sweep, **loss), tmp_path / name, trials=24)
        last.append(read(tmp_path / name))
    assert last[0] == last[1]


def test_a_finished_trial_without_a_value_of_the_other_metric_is_tried_again(tmp_path, trainings):
    trainings(loss=lambda args: float("nan") if "--a.x=0.1" in args else 1.0)
    sweep = a_sweep("grid", {"a.x": Choice((0.5, -0.5, 0.1))})
    run_sweep(sweep, tmp_path)
    gone = next(tmp_path.glob("trial-000-*"))
    (gone / "metrics.csv").unlink()
    fake = trainings(loss=lambda args: 1.0)
    run_sweep(replace(sweep, metric=LOSS), tmp_path)
    assert [name[:9] for name in fake.calls] == ["trial-000", "trial-002"]
    assert [float(row[LOSS]) for row in read(tmp_path)] == [1.0] * 3


def test_a_metric_that_becomes_wrong_changes_nothing(tmp_path, trainings):
    trainings()
    run_sweep(a_sweep(), tmp_path)
    before = read(tmp_path)
    with pytest.raises(NoColumn, match="val/los'"):
        run_sweep(replace(a_sweep(), metric="val/los"), tmp_path)
    fake = trainings()
    run_sweep(a_sweep(), tmp_path)
    assert (read(tmp_path), fake.calls) == (before, [])


def test_settings_are_ranked_by_their_mean_over_seeds(tmp_path, trainings):
    """By hand: x = 0.1 gives 0.99, 1.09 and 1.19, x = -0.5 gives 0.51, 0.61, 0.71."""
    space = {"a.x": Choice((0.5, -0.5, 0.1)), "seed_everything": Choice((0, 1, 2))}
    trainings(fail=lambda args: "--a.x=0.5" in args)
    with pytest.raises(InputError, match="3 of 9 trials failed"):
        run_sweep(a_sweep("grid", space, cap=9), tmp_path)
    means, runs = (tmp_path / "results.md").read_text().split("\n\n**")
    assert means.startswith("**Sweep s, over seeds.**")
    rows = [line.strip("| ").split(" | ") for line in means.splitlines()[2:]]
    assert rows == [
        ["a.x", METRIC.replace("_", "\\_"), "standard deviation", "n"],
        ["---", "---", "---", "---"],
        ["0.1", "1.0900", "0.1000", "3"],
        ["-0.5", "0.6100", "0.1000", "3"],
        ["0.5", "failed", "–", "0"],
    ]
    assert runs.startswith("Sweep s.**")
    assert runs.count("\n| 00") == 9


def test_a_lucky_seed_does_not_win(tmp_path):
    """Scores by hand: 0.9 and 0.1 have the best run, 0.6 and 0.6 the best mean."""
    space = {"lr": Choice((1, 2)), "seed_everything": Choice((0, 1))}
    scores = {(1, 0): 0.9, (1, 1): 0.1, (2, 0): 0.6, (2, 1): 0.6}
    tried = [
        Tried(n, {"lr": lr, "seed_everything": seed}, score)
        for n, ((lr, seed), score) in enumerate(scores.items())
    ]
    up = over_seeds(a_sweep("grid", space), tried).rows
    assert up == (("2", "0.6000", "0.0000", "2"), ("1", "0.5000", "0.5657", "2"))
    down = over_seeds(a_sweep("grid", space, maximize=False), tried[:3]).rows
    assert down == (("1", "0.5000", "0.5657", "2"), ("2", "0.6000", "–", "1"))


@pytest.mark.parametrize(
    ("space", "swept"),
    [(GRID, False), (GRID | {"seed_everything": Choice((3,))}, False),
     (GRID | {"seed_everything": Choice((3, 4))}, True),
     (GRID | {"seed_everything": Range(0, 9, integer=True, step=1)}, True)],
)  # fmt: skip
def test_means_are_told_where_seeds_differ(space, swept):
    assert seeds_swept(a_sweep("grid", space)) == swept


@pytest.mark.parametrize(
    ("text", "match"),
    [(f"epoch,{METRIC}\n0,nan\n", "ends at nan"), ("epoch,val/x\n0,1\n", "such as val/x, and"),
     ("epoch,lr\n0,1\n", "such as lr, and"), (f"epoch,{METRIC}\n", "no value")],
)  # fmt: skip
def test_a_metric_that_is_no_number(tmp_path, text, match):
    (tmp_path / "metrics.csv").write_text(text)
    with pytest.raises(InputError, match=match):
        last_value(tmp_path / "metrics.csv", METRIC)


def test_the_last_value_that_was_logged_counts(tmp_path):
    (tmp_path / "metrics.csv").write_text(f"epoch,{METRIC}\n0,0.5\n1,0.25\n2,\n")
    assert last_value(tmp_path / "metrics.csv", METRIC) == 0.25


def sweep_file(tmp_path):
    """Four trainings of a small student on drawn faces."""
    words = ["neurogaze", "fit"]
    for name in ("student.yaml", "ablations/ce.yaml", "wandb.yaml"):
        words += ["--config", str(EXPERIMENTS / name)]
    words += ["--data", str(EXPERIMENTS / "data" / "synthetic_faces.yaml"), *STUDENT]
    words += [f"--data.store={tmp_path / 'store'}", "${args}"]
    rates = {"values": [1.0e-4, 2.0e-4, 4.0e-4, 8.0e-4]}
    path = tmp_path / "sweep.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "program": "neurogaze",
                "method": "grid",
                "metric": {"name": METRIC, "goal": "maximize"},
                "command": words,
                "parameters": {"model.optimisation.lr": rates},
            }
        )
    )
    return path


def known(out, path):
    found = sorted(outcomes(open_study(load_sweep(path), out, 0)), key=lambda t: t.number)
    curves = [out / t.folder / "metrics.csv" for t in found if t.score is not None]
    return found, [(p.read_text(), p.stat().st_mtime_ns) for p in curves]


def test_a_folder_is_written_by_one_sweep_at_a_time(tmp_path, monkeypatch):
    """The same command once more, while the first trains its first trial."""
    fake, refused = Trainings(), []

    def twice(args, folder):
        if not refused:
            refused.append(folder.name)
            with pytest.raises(InputError, match="another process is writing here"):
                run_sweep(a_sweep(), tmp_path)
        fake(args, folder)

    monkeypatch.setattr(module, "resumable_fit", twice)
    run_sweep(a_sweep(), tmp_path)
    assert len(read(tmp_path)) == len(fake.calls) == 6


def test_drawn_steps_are_as_typed(tmp_path, trainings):
    """Seven tenths are all there is to draw, and none of them is 0.30000000000000004."""
    fake = trainings()
    space = {"a.x": Range(0.1, 0.7, step=0.1)}
    run_sweep(a_sweep("random", space), tmp_path, trials=20)
    rows = read(tmp_path)
    assert {row["a.x"] for row in rows} == {"0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"}
    assert {row["trial"] for row in rows} == set(fake.calls)


def test_a_misspelt_key_is_told_before_anything_is_written(tmp_path, trainings, monkeypatch):
    fake, good, out = trainings(), load_sweep(sweep_file(tmp_path)), tmp_path / "out"
    monkeypatch.setattr(module, "parsed", parsed)
    bad = replace(good, words=(*good.words, "--model.optimisation.lrr=1"))
    with pytest.raises(InputError, match=r"sweep.yaml: first point: .*--optimisation.lrr=1"):
        run_sweep(bad, out)
    assert (fake.calls, out.exists()) == ([], False)
    module.look_ahead(good)


def test_a_missing_file_is_told_before_anything_is_written(tmp_path, monkeypatch):
    def missing(where, args):
        raise FileNotFoundError("grid.npz")

    monkeypatch.setattr(module, "parsed", missing)
    with pytest.raises(InputError, match=r"first point: cannot be built .*: grid.npz"):
        run_sweep(a_sweep(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_first_point_has_a_value_of_every_parameter(monkeypatch):
    seen = []
    monkeypatch.setattr(module, "parsed", lambda where, args: seen.extend(args))
    module.look_ahead(a_sweep())
    assert seen == ["--a.x=-1.0", "--a.n=1", "--b=u", "--trainer.logger=false"]


@pytest.mark.parametrize("method", ["grid", "random"])
def test_a_sweep_that_trained_nothing_binds_no_folder(tmp_path, trainings, method):
    """What replaces it is drawn as if the folder had been empty."""
    space = GRID if method == "grid" else SPACE
    trainings(fail=lambda args: True)
    with pytest.raises(InputError, match="6 of 6 trials failed"):
        run_sweep(a_sweep(method, space), tmp_path / "out")
    mended = a_sweep(method, space | {"a.x": Choice((0.3, 0.4))})
    trainings()
    run_sweep(mended, tmp_path / "out", trials=2)
    run_sweep(mended, tmp_path / "fresh", trials=2)
    assert read(tmp_path / "out") == read(tmp_path / "fresh")
    with pytest.raises(InputError, match="another sweep"):
        run_sweep(a_sweep(method, space), tmp_path / "out")


def test_an_epoch_of_another_sweep_is_not_taken_up(tmp_path, trainings):
    """A trial of the same values would go on from it, whatever else has changed."""
    fake = trainings(stop_at=0)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(a_sweep(), tmp_path)
    (tmp_path / fake.calls[0]).mkdir()
    (tmp_path / fake.calls[0] / "last.ckpt").touch()
    with pytest.raises(InputError, match="another sweep"):
        run_sweep(replace(a_sweep(), words=("--c=1", "${args}")), tmp_path)


def test_no_more_points_than_asked_of_those_in_the_queue(tmp_path, trainings):
    """A study whose whole grid was queued at once, interrupted in its first trial."""
    sweep = a_sweep("grid", GRID, cap=None)
    study = open_study(sweep, tmp_path, 0)
    for number, values in enumerate(sweep.grid()):
        study.enqueue_trial(values, user_attrs={"point": number})
    study.ask()
    fake = trainings()
    run_sweep(sweep, tmp_path, trials=2)
    assert [name[:9] for name in fake.calls] == ["trial-000", "trial-001"]
    assert len(read(tmp_path)) == 2
    run_sweep(sweep, tmp_path)
    assert [name[:9] for name in fake.calls] == [f"trial-00{n}" for n in range(6)]
    run_sweep(sweep, tmp_path / "fresh")
    assert read(tmp_path) == read(tmp_path / "fresh")


@pytest.mark.parametrize("method", ["grid", "random", "bayes"])
def test_no_more_points_than_asked_of_those_that_were_stopped(tmp_path, trainings, method):
    """The third is stopped: it waits, and is told, until three are asked for."""
    sweep = a_sweep(method, GRID if method == "grid" else SPACE)
    trainings(stop_at=2)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep, tmp_path)
    fake = trainings()
    run_sweep(sweep, tmp_path, trials=2)
    assert fake.calls == []
    assert [row["error"] for row in read(tmp_path)] == ["", "", "was stopped before its end"]
    run_sweep(sweep, tmp_path, trials=3)
    assert [name[:9] for name in fake.calls] == ["trial-002"]
    assert [row["error"] for row in read(tmp_path)] == [""] * 3


@pytest.mark.parametrize(
    "text",
    ["what I did on Monday", "Monday\nTuesday\n", "[1]\n", '{"op_code"\n', "\n", "\xff\n",
     '{"loss": 0.5}\n', '{"op_code":0,"study_name":"mine","directions":[1]}\n'],
)  # fmt: skip
def test_a_file_of_somebody_else_stays_as_it_is(tmp_path, trainings, text):
    fake, file = trainings(), tmp_path / STUDY
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="is no study of a sweep") as refusal:
        run_sweep(a_sweep(), tmp_path)
    assert refusal.value.where == str(file)
    assert (file.read_bytes(), fake.calls) == (text.encode("latin-1"), [])


def test_a_first_line_cut_short_by_a_crash_is_left_out(tmp_path, trainings):
    trainings()
    (tmp_path / STUDY).write_bytes(b'{"op_code":0,"work')
    run_sweep(a_sweep(), tmp_path, trials=1)
    assert len(read(tmp_path)) == 1


@pytest.mark.parametrize(
    "damage",
    [lambda lines: [*lines[:2], "{" + lines[2], *lines[3:]],
     lambda lines: [*lines[:-1], "\0" * 9 + "\n"],
     lambda lines: [*lines, '{"op_code":4,"worker_id":"x"}\n'],
     lambda lines: [*lines, '{"op_code":99,"worker_id":"x"}\n']],
    ids=["middle", "last", "half", "unknown"],
)  # fmt: skip
def test_a_damaged_study_is_told_in_one_line_and_kept(tmp_path, trainings, damage):
    fake, file = trainings(), tmp_path / STUDY
    run_sweep(a_sweep(), tmp_path, trials=2)
    text = "".join(damage(file.read_text().splitlines(keepends=True)))
    file.write_text(text)
    with pytest.raises(InputError, match="is damaged") as refusal:
        run_sweep(a_sweep(), tmp_path, trials=3)
    assert refusal.value.where == str(file)
    assert "\n" not in str(refusal.value)
    assert (file.read_text(), len(fake.calls)) == (text, 2)


@pytest.mark.slow
def test_four_trials_survive_a_kill(tmp_path):
    """SIGKILL in the third training; two are kept as they are, the others are done."""
    path, out = sweep_file(tmp_path), tmp_path / "out"
    command = [sys.executable, "-m", "neurogaze", "sweep", str(path), "--local", f"--out={out}"]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    while process.poll() is None and not [*out.glob("trial-002-*")]:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    before, curves = known(out, path)
    assert len(before) == 3
    assert [t.score is not None for t in before] == [True, True, False]
    page = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    after, later = known(out, path)
    assert after[:2] == before[:2]
    assert later[:2] == curves
    assert [t.values["model.optimisation.lr"] for t in after] == [1e-4, 2e-4, 4e-4, 8e-4]
    assert all(t.score is not None for t in after)
    assert "4 of 4 trials" in page
    assert all(len(text.splitlines()) == 3 for text, _ in later)
    assert not [*tmp_path.rglob("offline-run-*")]
