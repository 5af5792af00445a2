"""The benchmark scripts run and say what they promise; how fast they find us is not tested."""

import io
import json
import runpy
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.io import loadmat

from tests.conftest import one_at_a_time

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(script, *arguments):
    """What the script prints, as a program of its own."""
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def run_here(script, *arguments):
    """The same in this process, which has everything imported: for scripts that start no other."""
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
        patch.syspath_prepend(str(BENCHMARKS))
        patch.setattr(sys, "argv", [str(BENCHMARKS / script), *arguments])
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        finally:
            torch.set_num_threads(threads)
    return said.getvalue()


def once(factory, carry_out, script, *arguments):
    """What it says and writes, carried out by one worker for all: a module may lie in several."""
    with one_at_a_time(factory, script) as folder:
        said, figures = folder / "stdout.txt", folder / "out" / "figures.json"
        if not said.exists():
            said.write_text(carry_out(script, "--quick", *arguments, "--json", str(figures)))
    return SimpleNamespace(stdout=said.read_text()), json.loads(figures.read_text())


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    return once(tmp_path_factory, run, "eeg_features.py", "--without-torcheeg")


@pytest.fixture(scope="module")
def quick_faces(tmp_path_factory):
    return once(tmp_path_factory, run_here, "face_training.py")


@pytest.fixture(scope="module")
def quick_small_maps(tmp_path_factory):
    return once(tmp_path_factory, run_here, "small_maps.py")


@pytest.fixture(scope="module")
def quick_distillation(tmp_path_factory):
    return once(tmp_path_factory, run_here, "distillation_step.py")


@pytest.fixture(scope="module")
def quick_inference(tmp_path_factory):
    return once(tmp_path_factory, run_here, "inference.py")


@pytest.mark.slow
@pytest.mark.parametrize(
    "which",
    ["quick", "quick_faces", "quick_distillation", "quick_inference", "quick_small_maps"],
)
def test_every_figure_is_in_the_table_and_in_the_file(which, request):
    done, content = request.getfixturevalue(which)
    lines = done.stdout.splitlines()
    for figure in content["figures"]:
        assert set(figure) == {"name", "value", "unit", "target", "met", "spread"}
        assert np.isfinite(figure["value"])
        (line,) = [x for x in lines if x.startswith(figure["name"] + "  ")]
        assert figure["target"] in line
        verdict = {None: "", True: "met", False: "missed"}[figure["met"]]
        assert line.endswith(verdict)


def test_what_was_left_out_is_said(quick):
    done, content = quick
    assert "torcheeg left out as asked" in content["notes"]
    assert "torcheeg left out as asked" in done.stdout


def test_figures_that_do_not_depend_on_the_machine(quick):
    value = {figure["name"]: figure["value"] for figure in quick[1]["figures"]}
    assert value["corpus, times the file is opened"] == 1
    assert value["corpus, different tables of all runs"] == 1
    assert value["maps, deviation from tight solver"] < 1e-6
    assert value["growth, store a person, 16 x : 1 x"] == pytest.approx(1, abs=0.01)


def test_all_four_parts_are_there(quick):
    names = {figure["name"].split(",")[0] for figure in quick[1]["figures"]}
    assert names == {"entropy", "maps", "corpus", "growth"}


def test_nothing_is_installed_where_torcheeg_cannot_be_had(tmp_path):
    """An index without packages, as on a machine without a network."""
    command = [sys.executable, str(BENCHMARKS / "eeg_features.py"), "--quick"]
    empty = tmp_path / "empty"
    empty.mkdir()
    env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(empty), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*command, "--parts", "entropy", "--environment", "env"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "torcheeg left out: " in done.stdout
    assert "entropy, faithful" in done.stdout


def test_generated_file_is_laid_out_as_dreamer(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from dreamer_mat import write

    person = loadmat(write(tmp_path / "x.mat", 2, [3.0, 5.0], 2.0))["DREAMER"][0, 0]["Data"][0, 1]
    eeg, ecg = person["EEG"][0, 0], person["ECG"][0, 0]
    assert [x.shape for x in eeg["stimuli"][0, 0].ravel()] == [(384, 14), (640, 14)]
    assert [x.shape for x in eeg["baseline"][0, 0].ravel()] == [(256, 14)] * 2
    assert [x.shape for x in ecg["stimuli"][0, 0].ravel()] == [(768, 2), (1280, 2)]
    assert person["ScoreValence"][0, 0].dtype == np.uint8
    assert eeg["stimuli"][0, 0][0, 0].dtype == np.float64


def test_clips_of_the_full_size_have_the_lengths_of_dreamer(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from dreamer_mat import clip_lengths

    lengths = clip_lengths(18, 199.0, 65.0, 393.0)
    assert (len(lengths), min(lengths), max(lengths)) == (18, 65.0, 393.0)
    assert np.mean(lengths) == pytest.approx(199.0, rel=0.01)


def test_both_loops_end_at_the_same_weights(quick_faces):
    """Same batches, augmentation, dropout, optimiser: the ratio compares equal work."""
    figures = {figure["name"]: figure for figure in quick_faces[1]["figures"]}
    assert figures["loop, largest difference of weights"]["value"] < 1e-4
    assert figures["loop, Lightning : bare"]["target"] == ">= 0.95"
    assert figures["input, path : ResNet-18 training"]["target"] == ">= 5"
    low, high = (
        figures[f"loop, Lightning : bare, {end} end of 95 % interval"]["value"]
        for end in ("lower", "upper")
    )
    assert low <= figures["loop, Lightning : bare"]["value"] <= high


def test_the_machine_is_named_and_a_missing_gpu_is_said(quick_faces):
    notes = "; ".join(quick_faces[1]["notes"])
    assert "64 pictures of synthetic_faces, batches of 8" in notes
    names = {figure["name"].split(",")[0] for figure in quick_faces[1]["figures"]}
    assert names == {"loop", "input"} | (set() if "gpu left out" in notes else {"gpu"})


def test_the_bare_loop_of_the_benchmark_learns(monkeypatch, tmp_path):
    """It takes real steps: on two batches that come again and again its loss falls.

    The rate that is timed is for batches of 128; eight pictures drive it apart.
    """
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from face_loops import Bare, student_task

    from neurogaze.faces.augment import AugmentSettings
    from neurogaze.faces.corpora.synthetic import SyntheticFaces
    from neurogaze.faces.datamodule import FaceDataModule

    data = FaceDataModule(
        SyntheticFaces(16, 8), augment=AugmentSettings(enabled=False), batch_size=8, store=tmp_path
    )
    data.setup("fit")
    torch.manual_seed(0)
    task = student_task()
    task.optimisation = replace(task.optimisation, lr=0.005)
    bare, losses = Bare(task, data, 24), []
    for _ in range(2):
        before = bare.loss.clone()
        bare.run(10)
        losses.append(float(bare.loss - before))
    assert bare.step == 20
    assert losses[1] < 0.8 * losses[0]


def test_shares_of_a_busy_gpu_are_read_from_text(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from face_gpu import percentages

    assert percentages("97\n[N/A]\n100\n9") == [97.0, 100.0, 9.0]


def test_the_step_is_measured_with_all_terms(quick_distillation):
    """The four terms of the full objective, after the ramp; the bound is that of the interval."""
    done, content = quick_distillation
    name = "step, full : cross-entropy"
    figures = {figure["name"]: figure for figure in content["figures"]}
    ends = (f"{name}, {end} end of 95 % interval" for end in ("lower", "upper"))
    low, high = (figures[end] for end in ends)
    assert low["value"] <= figures[name]["value"] <= high["value"]
    assert (low["target"], high["target"]) == ("", "<= 1.03")
    assert high["met"] == (high["value"] <= 1.03)
    assert "4 pairs of steps; resnet10t at 32 pixels, batches of 8" in content["notes"][-1]
    assert content["notes"][-1].endswith("terms of the full objective: ce, kd, proto, geo")
    assert "quick sizes" in done.stdout


def test_both_objectives_of_the_step_see_the_same_batches(monkeypatch):
    """In turns, in random order within a pair; the steps of the warm-up do not count."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from distillation_step import QUICK, Loop, pairs

    loop, seen = Loop(QUICK, 1), []
    monkeypatch.setattr(loop, "step", lambda name, rows: seen.append((name, rows.tolist())))
    taken = pairs(loop, {"ce": "ce", "full": "full"}, steps=20, warmup=3)
    assert {name: len(values) for name, values in taken.items()} == {"ce": 20, "full": 20}
    first, second = seen[::2], seen[1::2]
    assert all(
        a[1] == b[1] and {a[0], b[0]} == {"ce", "full"} for a, b in zip(first, second, strict=True)
    )
    assert len({tuple(rows) for _, rows in first}) == 23
    assert {name for name, _ in first} == {"ce", "full"}


def test_speed_is_compared_form_by_form_after_the_same_export(quick_inference):
    """Each network in each form and size of batch, and the targets of the form deployed."""
    done, content = quick_inference
    ours, peer = content["networks"]
    assert (ours["network"], ours["channels"], peer["channels"]) == ("ours", 1, 3)
    for network in (ours, peer):
        cases = [(time["form"], time["batch"], time["n"]) for time in network["times"]]
        forms = ("eager", "ONNX", "int8")  # three rounds of two calls, and of one
        assert cases == [case for form in forms for case in ((form, 1, 6), (form, 32, 3))]
        assert all(0 < time["p50_ms"] <= time["p95_ms"] for time in network["times"])
    figures = {figure["name"]: figure for figure in content["figures"]}
    name = "ONNX, one picture, EfficientNet-B0 at 64 : ours"
    low, high = (figures[f"{name}, {end} end of 95 % interval"] for end in ("lower", "upper"))
    assert low["value"] <= figures[name]["value"] <= high["value"]
    assert (low["target"], figures[name]["target"]) == (">= 1.4", "")
    assert figures["largest difference of a logit, ONNX : eager, of the largest"]["met"]
    assert "1 thread(s)" in done.stdout
    assert "compiled left out: as quick sizes ask" in done.stdout


def test_published_and_own_accuracy_stand_in_one_table(monkeypatch):
    """Our figures come from the rows of the repository, and say which part they are of."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from inference import TARGETS
    from inference_networks import ARTEFACTS, networks

    rows = (ARTEFACTS / "ferplus_strong" / "results.jsonl").read_text().splitlines()
    wanted = {"arm": "student (image and mirror)", "split": "valid", "metric": "accuracy"}
    (mirrored,) = [row for row in map(json.loads, rows) if wanted.items() <= row.items()]
    ours, *others = networks()
    assert f"{100 * mirrored['value']:.1f} (" in ours.published.accuracy
    assert ours.published.part.startswith("valid")
    assert set(TARGETS) <= {network.name for network in others}
    assert all(network.pixels == 224 for network in others if network.stem is None)


def test_ratios_of_speed_are_taken_round_by_round(monkeypatch):
    """A machine that is three times slower in one round leaves the ratio what it is."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from inference import quantiles, ratios

    slow = [1.0, 3.0, 1.0]
    taken = {("ours", "ONNX", 1): [[2 * s, 2 * s] for s in slow]}
    taken["peer", "ONNX", 1] = [[9 * s, 8 * s, 8 * s] for s in slow]
    assert ratios(taken, "peer") == [4.0, 4.0, 4.0]
    found = quantiles(taken["ours", "ONNX", 1])
    assert (found["p50_ms"], found["n"]) == (2.0, 6)


def test_a_number_of_rounds_leaves_the_small_sizes_small(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import small_maps

    seen = []
    monkeypatch.setattr(small_maps, "figures_of", lambda sizes, pixels: seen.append(sizes) or [])
    monkeypatch.setattr(sys, "argv", ["small_maps.py", "--quick", "--steps", "5"])
    small_maps.main()
    assert {(s.backbone, s.batch, s.steps) for s in seen} == {("resnet10t", 8, 5)}
