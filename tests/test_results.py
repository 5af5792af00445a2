"""Tables in documents are generated from committed result rows."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from neurogaze.evaluation import contrast_file
from neurogaze.evaluation.results import read_rows
from neurogaze.pipeline.control_grids import CHECKS
from neurogaze.pipeline.control_settings import load_control
from neurogaze.pipeline.control_students import term_of
from neurogaze.pipeline.positive_control import TABLE
from neurogaze.pipeline.robustness import TABLE as SPOILED
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.report import reported
from neurogaze.report.arm_tables import arms_table
from neurogaze.report.bench_tables import bench_tables
from neurogaze.report.contrast_tables import contrast_tables, summary
from neurogaze.report.control_tables import Told, WorldFound, told_control
from neurogaze.report.figures_bench import arm_lines
from neurogaze.report.grid_tables import grid_summary
from neurogaze.report.markup import to_markdown
from neurogaze.report.region_table import region_table
from neurogaze.report.reported_tables import reported_tables
from neurogaze.report.robustness_tables import robustness_tables
from neurogaze.report.tables import calibration_table, class_table, eeg_table, faces_table
from neurogaze.tasks.pins import LogitsPin, load_logits

ROOT = Path(__file__).parent.parent
ARTEFACTS = ROOT / "experiments" / "artefacts"
DOCUMENTS = [ROOT / "README.md", ROOT / "experiments" / "README.md"]


def tables(name):
    """The tables of a run, as documents show them; the summary of its contrasts first."""
    folder = ARTEFACTS / name
    if (folder / SPOILED).exists():
        found = robustness_tables(read_rows(folder / SPOILED))
        return "\n".join(to_markdown(table) for table in found[:2])
    rows = read_rows(folder / "results.jsonl")
    if (folder / TABLE).exists():
        return control_text(folder, rows)
    if (folder / contrast_file.FILE).exists():
        return bench_text(folder, rows)
    if (folder / reported.FILE).exists():
        matches = reported.read_matches(folder / reported.FILE)
        touched = {reported.KNOWN[row_id].table for row_id in matches}
        found = reported_tables(matches, rows)
        shown = [table for table in found if any(table.title.endswith(t) for t in touched)]
        return "\n".join(to_markdown(t) for t in [*shown, faces_table(rows), class_table(rows)])
    arms = bench_tables(rows)
    voted = [row for row in rows if any(r.metric == "vote_jsd" and r.arm == row.arm for r in rows)]
    faces = [faces_table(rows), calibration_table(voted), class_table(rows), region_table(rows)]
    plain = [*faces, *(arms or [eeg_table(rows)])]
    return "\n".join(to_markdown(table) for table in plain if table is not None)


def bench_text(folder, rows):
    """What a bench found: the verdict on its grids, the primary contrast, all contrasts, arms."""
    found = contrast_file.read_contrasts(folder / contrast_file.FILE)
    shown = [*contrast_tables({"": found}), arms_table(rows) or faces_table(rows)]
    return "\n".join([" ".join(summary(found)), "", *map(to_markdown, shown)])


def control_text(folder, rows):
    """The summary of a positive control, told again from its rows, contrasts and checks."""
    settings = load_control(ROOT / "experiments" / "controls" / f"{folder.name}.yaml")
    checks = json.loads((folder / CHECKS).read_text(encoding="utf-8"))
    worlds = {
        name: WorldFound(
            world.expect,
            contrast_file.read_contrasts(
                folder / f"contrasts-{name.replace(' ', '_')}" / contrast_file.FILE
            ),
            {int(seed): found for seed, found in checks[name].items()},
        )
        for name, world in settings.worlds.items()
    }
    told = Told(settings.title, settings.oracle_pair, settings.metric, term_of(settings), {})
    text = told_control(told, worlds, rows)
    assert text == (folder / TABLE).read_text(encoding="utf-8")
    return text.split("\n", 1)[1]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.parent.name)
def test_tables_are_those_of_the_rows(document):
    text = document.read_text(encoding="utf-8")
    for folder in sorted(p for p in ARTEFACTS.iterdir() if p.is_dir()):
        begin, end = (f"<!-- {mark}results:{folder.name} -->" for mark in ("", "/"))
        if begin in text:
            shown = text.split(begin)[1].split(end)[0].strip()
            assert shown == tables(folder.name).strip(), folder.name
    assert "<!-- results:dasps_ferplus -->" in text


def test_the_summary_of_the_grid_is_that_of_its_files():
    text = (ROOT / "experiments" / "README.md").read_text(encoding="utf-8")
    shown = text.split("<!-- grid:dasps_grid -->")[1].split("<!-- /grid:dasps_grid -->")[0]
    assert shown.strip() == grid_summary(ARTEFACTS / "dasps_grid").strip()


def test_the_committed_grid_is_the_one_of_the_rows():
    rows = read_rows(ARTEFACTS / "dasps_ferplus" / "results.jsonl")
    grid = PrototypeGrid.load(ARTEFACTS / "dasps_ferplus" / "grid.npz")
    assert {row.grid_hash for row in rows} == {grid.sha256}


def test_the_counts_of_the_protocol_stand_in_the_rows():
    rows = read_rows(ARTEFACTS / "dasps_ferplus" / "results.jsonl")
    faces = {row.n for row in rows if row.metric == "accuracy"}
    trials = {row.n for row in rows if row.metric == "valence_ccc_trial"}
    assert faces == {3199}
    assert trials == {276}


@pytest.mark.parametrize("axis", ["valence", "arousal"])
@pytest.mark.parametrize("arm", ["ridge", "both", "topomap", "electrodes"])
def test_more_signal_gives_more_concordance(arm, axis):
    rows = read_rows(ARTEFACTS / "synthetic_snr" / "results.jsonl")
    line = arm_lines(rows, axis)[arm]
    levels = [float(condition.removeprefix("snr ")) for condition in line]
    values = [row.value for row in line.values()]
    assert len(levels) == 5
    assert spearmanr(levels, values).statistic == pytest.approx(1.0)
    (band,) = (
        row
        for row in rows
        if row.arm == "chance of ridge (99 % band, within_subject)"
        and row.metric == f"{axis}_ccc_trial"
        and row.experiment.endswith("snr 0")
    )
    assert band.low < values[0] < band.high, "no signal, no concordance"
    assert values[-1] > 0.7


def ensemble_rows(split):
    rows = read_rows(ARTEFACTS / "ferplus_ensemble" / "results.jsonl")
    return [row for row in rows if row.split == split and row.metric == "accuracy"]


def test_the_ensemble_beats_its_best_member():
    value = {row.arm: row.value for row in ensemble_rows("valid")}
    members = [score for arm, score in value.items() if arm.startswith("member")]
    assert len(members) >= 3
    assert value["ensemble"] > max(members)
    assert {row.n for row in ensemble_rows("valid")} == {3199}


def test_the_committed_logits_can_be_pinned():
    folder = ARTEFACTS / "ferplus_ensemble"
    about = json.loads((folder / "logits.json").read_text())
    path = folder / "logits.npz"
    assert path.stat().st_size < 1_000_000
    with np.load(path, allow_pickle=False) as arrays:
        ids, kind = arrays["ids"], arrays["logits"].dtype
    assert kind == np.float16
    assert len(np.unique(ids)) == about["images"] == 28_559
    assert about["folds"] >= 3
    pin = LogitsPin(str(path), about["sha256"])
    assert load_logits(pin, ids[::100], "ferplus").shape == (286, 8)


def test_the_curve_of_the_strong_baseline_ends_at_its_row():
    folder = ARTEFACTS / "ferplus_strong"
    last = pd.read_csv(folder / "metrics.csv").iloc[-1]
    rows = read_rows(folder / "results.jsonl")
    values = {r.metric: r.value for r in rows if r.arm == "student" and r.split == "valid"}
    # the trainer validates in bfloat16, `evaluate` in float32: an image or two fall otherwise
    assert values["accuracy"] == pytest.approx(last["val/accuracy"], abs=1e-3)
    assert values["macro_f1_8way"] == pytest.approx(last["val/macro_f1_8way"], abs=2e-3)


def speed_table():
    """Median milliseconds of each network and form, from the figures of a run."""
    path = ARTEFACTS / "inference" / "inference.json"
    networks = json.loads(path.read_text(encoding="utf-8"))["networks"]
    times = [(time["form"], time["batch"]) for time in networks[0]["times"]]
    heads = ["network", "input", *(f"{form}, {batch}" for form, batch in times)]
    lines = [heads, ["---"] * len(heads)]
    for network in networks:
        medians = {(t["form"], t["batch"]): t["p50_ms"] for t in network["times"]}
        cells = [f"{medians[time]:.3g}" for time in times]
        lines.append([network["network"], str(network["pixels"]), *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def test_the_speed_in_the_document_is_that_of_the_figures():
    text = (ROOT / "docs" / "camera.md").read_text(encoding="utf-8")
    shown = text.split("<!-- inference -->")[1].split("<!-- /inference -->")[0]
    assert shown.strip() == speed_table()


@pytest.mark.parametrize(
    "network", ["ResNet-18 at 224", "EfficientNet-B0 at 224", "MobileNetV3-L at 224"]
)
def test_the_ratios_in_the_document_are_those_of_the_figures(network):
    path = ARTEFACTS / "inference" / "inference.json"
    figures = json.loads(path.read_text(encoding="utf-8"))["figures"]
    values = {figure["name"]: figure["value"] for figure in figures}
    name = f"ONNX, one picture, {network} : ours"
    low, high = (values[f"{name}, {end} end of 95 % interval"] for end in ("lower", "upper"))
    text = " ".join((ROOT / "docs" / "camera.md").read_text(encoding="utf-8").split())
    said = text.split("<!-- /inference -->")[1]
    assert f"{values[name]:.2f} times" in said
    assert f"{low:.2f} to {high:.2f}" in said
