"""The report of a bench: what may be concluded comes first, single seeds stay in their files."""

import json
import re
from dataclasses import replace

import pytest

from neurogaze.artefacts import write_json
from neurogaze.evaluation.contrast_file import write_contrasts
from neurogaze.evaluation.results import write_rows
from neurogaze.report.build import build_report
from neurogaze.report.inputs import discover
from neurogaze.report.reported import Match, write_matches
from tests.report.test_arm_tables import PRESENT, SCORES, judged
from tests.report.test_contrast_tables import NLL, PRIMARY

REASONS = ["the cell of happiness is empty"]
VERDICT = "Not testable with this grid: the cell of happiness is empty."
ORDER = ["full-seed0", "full-seed1", "ce-seed0", "ce-seed1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    both = SCORES | PRESENT
    for shift, arm in ((0.02, "full"), (0.0, "ce")):
        for seed in (0, 1):
            rows = judged(shift + 0.01 * seed, both, arm=arm, seed=seed)
            rows += judged(shift - 0.1, both, arm=arm, seed=seed, dataset="ckplus", n=981)
            write_rows(folder / f"{arm}-seed{seed}" / "results.jsonl", rows)
            write_json(folder / f"{arm}-seed{seed}" / "stage.json", {"name": f"{arm}-seed{seed}"})
    write_contrasts(folder / "contrasts.json", REASONS, [NLL, PRIMARY])
    write_matches(
        folder / "reported.json",
        {"neurogaze/T1/B3": Match("full", "toy", "valid", "48 px, 30 epochs")},
    )
    write_json(folder / "title.json", {"title": "Bench", "stages": ORDER})
    return folder


@pytest.fixture(scope="module")
def out(run):
    return build_report(run, run / "report").parent


def test_the_page_begins_with_what_can_be_told(out):
    text = (out / "report.html").read_text(encoding="utf-8")
    body = text.partition("<main>")[2]
    plain = re.sub(r"<[^>]+>|\s+", " ", body).strip()
    assert re.sub(r"\s+", " ", plain).startswith(
        f"Contrasts {VERDICT} eeg minus permuted, macro-F1"
    )
    assert "+0.12 points [-0.40, 0.60], 10 seeds" in plain
    assert "Not run: this run holds no results" not in plain.partition("EEG")[0]


def test_markdown_begins_so_too(out):
    text = (out / "results.md").read_text(encoding="utf-8")
    assert text.startswith(f"{VERDICT} eeg minus permuted")
    assert text.index("**Contrasts.**") < text.index("**Faces, arms.**")


def test_arms_are_shown_over_seeds_in_the_order_they_were_trained(run, out):
    text = (out / "results.md").read_text(encoding="utf-8")
    arms = [line for line in text.splitlines() if line.startswith("| toy | full |")]
    assert arms[0] == "| toy | full | 2 | 3,199 | 82.5 ± 0.7 | 62.5 ± 0.7 | 52.5 ± 0.7 |"
    assert text.index("| toy | full |") < text.index("| toy | ce |")
    assert "**Faces.**" not in text
    assert "full (mean of 2 seeds)" in text  # classes present
    assert list(discover(run, skip=out).stages) == ORDER


def test_ours_stand_beside_the_published_full_model(out):
    text = (out / "results.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("| full (+ D-Geo) |"))
    assert "| 83.06 | 82.50 ± 0.71 | 64.74 | 62.50 ± 0.71 | 59.90 | 52.50 ± 0.71 |" in line
    assert "48 px, 30 epochs" in line
    assert "not measured" in text


def test_files_for_a_paper_and_the_fingerprint_lie_beside_the_page(out):
    for name in ("xval_main", "ablation_lite", "contrasts"):
        text = (out / f"{name}.tex").read_text()
        assert rf"\label{{tab:{name}}}" in text
        assert r"\toprule" in text
    assert r"82.50 $\pm$ 0.71" in (out / "ablation_lite.tex").read_text()
    made = json.loads((out / "fingerprint.json").read_text())
    assert list(made["stages"]) == sorted(ORDER)
    assert made["seeds"] == [0, 1]
    assert len(list((out / "figures").glob("contrasts-*.png"))) == 2


def test_tables_that_a_run_has_no_results_for_go(run, out, tmp_path):
    place = tmp_path / "report"
    build_report(tmp_path, place)
    (place / "contrasts.tex").write_text("of an earlier run")
    build_report(tmp_path, place)
    assert not (place / "contrasts.tex").exists()
    assert (place / "fingerprint.json").exists()


def test_names_in_the_first_sentences_are_no_markup(tmp_path):
    forged = replace(PRIMARY, first="[eeg](http://a.example)", second="<b>x</b>")
    write_contrasts(tmp_path / "contrasts.json", [], [forged])
    text = (build_report(tmp_path, tmp_path / "report").parent / "results.md").read_text("utf-8")
    assert r"\[eeg](http://a.example) minus \<b>x\</b>" in text.partition("\n")[0]
