"""The whole report: same bytes each time, complete, and built from whatever there is."""

import re
import shutil
from pathlib import Path

import pytest

import neurogaze
from neurogaze.errors import InputError
from neurogaze.report import build
from neurogaze.report.build import build_report, discover


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def report(run_folder, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("report")
    assert build_report(run_folder, out) == out / "report.html"
    return out


def test_all_files_are_there(report):
    files = set(contents(report))
    assert {"report.html", "results.md", "results.tex", "figures/grid-grid.png"} <= files
    assert len([name for name in files if name.startswith("figures/")]) == 16
    assert not [name for name in files if "aside" in name]


def test_the_same_inputs_give_the_same_bytes(report, run_folder, tmp_path):
    run = tmp_path / "elsewhere"
    shutil.copytree(run_folder, run)
    shutil.copytree(report, run / "report")  # an earlier report is no input, and is replaced
    (run / "report" / "figures" / "stage.json").write_text("{}")
    build_report(run, run / "report")
    assert contents(run / "report") == contents(report)


@pytest.mark.parametrize("name", ["figures/mine.png", "results.md", "contrasts.tex"])
def test_files_that_no_report_left_are_not_written_over(run_folder, tmp_path, name):
    mine = tmp_path / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(InputError, match=r"holds .* and no fingerprint.json.*a new folder"):
        build_report(run_folder, tmp_path)
    assert mine.read_text() == "mine"
    assert len(contents(tmp_path)) == 1


@pytest.mark.parametrize("place", ["run", ".", "run/../run"])
def test_a_report_does_not_take_the_run_for_its_own(run_folder, tmp_path, place):
    """What lies in the folder of the report is no input; here that would be everything."""
    shutil.copytree(run_folder, tmp_path / "run")
    before = contents(tmp_path)
    with pytest.raises(InputError, match="is the folder of the run, or one that holds it"):
        build_report(tmp_path / "run", tmp_path / place)
    assert contents(tmp_path) == before


def test_the_page_says_what_was_run(report, run_folder):
    text = (report / "report.html").read_text(encoding="utf-8")
    assert "<h1>Demo on synthetic data</h1>" in text
    assert "Data as really used: synthetic, synthetic_faces." in text
    assert f"neurogaze {neurogaze.__version__}" in text
    assert "meaningless on people (student)" in text
    assert discover(run_folder).grids["grid"].sha256 in text
    assert "Not run" not in text
    assert "Not testable with this grid: " in text
    assert text.count("<td>empty, filled</td>") == 5
    assert "<td>9 x 9</td>" in text
    assert "measured emotion" not in text
    assert not re.search(r"https?://", text)
    assert text.count("data:image/png;base64,") == 16
    assert "12.5" not in re.sub(r"base64,[^\"]+", "", text)  # seconds of a stage


def test_numbers_in_the_tables_are_those_of_the_results(report, run_folder):
    rows = {
        (row.split, row.metric): row for row in discover(run_folder).rows if row.arm == "student"
    }
    row = rows["valid", "accuracy"]
    shown = f"{100 * row.value:.1f} [{100 * row.low:.1f}, {100 * row.high:.1f}]"
    markdown = (report / "results.md").read_text(encoding="utf-8")
    assert shown in markdown
    assert "| chance (99 % band) | 0 | 72 | [-0.11, 0.12] | [-0.11, 0.12] |" in markdown


def test_markdown_holds_tables_with_one_caption_each_and_nothing_else(report):
    text = (report / "results.md").read_text(encoding="utf-8")
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    assert len(blocks) == 2 * 8
    for caption, table in zip(blocks[::2], blocks[1::2], strict=True):
        assert len(caption) == 1
        assert caption[0].startswith("**")
        assert all(line.startswith("| ") and line.endswith(" |") for line in table)


def test_an_empty_run_says_so(tmp_path):
    text = build_report(tmp_path, tmp_path / "report").read_text(encoding="utf-8")
    assert text.count("Not run: this run holds no") == 10
    assert "Data as really used: none." in text
    assert (tmp_path / "report" / "results.md").read_text() == "No results yet.\n"


def test_figures_beyond_the_limit_are_counted(run_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "MAX_FIGURES", 1)
    text = build_report(run_folder, tmp_path).read_text(encoding="utf-8")
    assert text.count("1 more figures are not shown.") == 3
    assert text.count("3 more figures are not shown.") == 1  # reliability and risk, two sets each
    assert text.count("2 more figures are not shown.") == 1
    assert len(list((tmp_path / "figures").iterdir())) == 8
