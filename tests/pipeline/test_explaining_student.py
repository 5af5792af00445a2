"""A student explained on drawn faces: sheets, rows, a page; the same from an exported file."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from neurogaze.affect import EMOTIONS
from neurogaze.cli import main
from neurogaze.deploy.recogniser import open_recogniser
from neurogaze.errors import InputError
from neurogaze.evaluation.results import ResultRow, read_rows, write_rows
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.pipeline.explaining_student import (
    PAGE,
    ROWS,
    cam_maps,
    chosen_faces,
    explain_student,
    look,
    region_rows,
    sentences,
)
from neurogaze.pipeline.judging import load_student
from neurogaze.pipeline.judging_exported import UNSEEN_UNKNOWN
from tests.pipeline.tiny import EXPERIMENTS


@pytest.fixture(scope="module")
def checkpoint(tiny_run):
    return tiny_run.run / "student" / "last.ckpt"


@pytest.fixture(scope="module")
def table():
    return SyntheticFaces(16, 8).load("valid")


@pytest.fixture(scope="module")
def found(checkpoint, table):
    return look(checkpoint, open_recogniser(checkpoint), table, seed=0)


def test_faces_are_chosen_blindly_and_by_class():
    labels = np.repeat(np.arange(8), [20, 0, 3, 9, 9, 1, 30, 8])
    chosen = chosen_faces(labels, seed=1, n=8)
    assert np.bincount(labels[chosen], minlength=8).tolist() == [8, 0, 3, 8, 8, 1, 8, 8]
    assert len(set(chosen.tolist())) == len(chosen)
    assert chosen_faces(labels, seed=1, n=8).tolist() == chosen.tolist()
    assert chosen_faces(labels, seed=2, n=8).tolist() != chosen.tolist()


def test_maps_are_of_every_face_for_its_label(checkpoint, table, found, monkeypatch):
    assert found.cam.shape == (8, 48, 48)
    assert found.covered.shape == (len(found.chosen), 48, 48)
    task = load_student(checkpoint)
    monkeypatch.setattr("neurogaze.pipeline.explaining_student.BATCH", 5)
    again = cam_maps(task, table.images, table.labels)
    np.testing.assert_allclose(again, found.cam, atol=1e-4)
    other = cam_maps(task, table.images, (table.labels + 1) % 8)
    assert np.abs(other - again).max() > 0.1


def test_rows_are_stamped_and_have_chance_beside_them(checkpoint, found):
    rows = region_rows(found, open_recogniser(checkpoint), seed=0)
    assert {row.arm for row in rows} == {"grad-cam", "occlusion"}
    assert {"region_iou", "region_chance", "region_others", "region_mean_map"} <= {
        row.metric for row in rows
    }
    assert all("meaningless on people" in row.note for row in rows)


def test_sentences_are_of_the_faces_shown(found):
    said = sentences(found)
    assert len(said) == len(found.chosen)
    for line, row in zip(said, found.chosen, strict=True):
        assert f"Perceived expression: {EMOTIONS[found.answers.label[row]]}" in line
        assert line.startswith("Trained on generated faces")
        assert "Nearest prototypes" in line


def test_the_command_leaves_a_page(checkpoint, table, tmp_path, capsys):
    args = [
        *("explain", str(checkpoint), "--data", str(EXPERIMENTS / "data" / "synthetic_faces.yaml")),
        *("--data.corpus.n_train=16", "--data.corpus.n_valid=8"),
        *(f"--data.store={tmp_path / 'store'}", f"--out={tmp_path / 'out'}"),
    ]
    assert main(args) == 0
    out = tmp_path / "out"
    assert str(out / PAGE) in capsys.readouterr().out
    page = (out / PAGE).read_text()
    assert "meaningless on people" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    held = {EMOTIONS[label] for label in table.labels}
    names = {path.stem for path in (out / "figures").glob("*.png")}
    assert names == {f"{kind}-{n}" for kind in ("grad-cam", "occlusion") for n in held} | {"plane"}
    assert Image.open(out / "figures" / "plane.png").size[0] > 300
    own = open_recogniser(checkpoint).contract.weights_sha256
    assert {row.config_hash for row in read_rows(out / ROWS)} == {own}
    card = tmp_path / "card.md"
    assert main(["card", str(checkpoint), f"--results={out / ROWS}", f"--out={card}"]) == 0
    where = card.read_text().split("## Where it looks")[1].split("\n## ")[0]
    assert "| grad-cam |" in where


def folder_of(root, files):
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


ROW = ResultRow(
    *("mine", "student", "ferplus", "valid", "official", "majority", "accuracy"),
    *(0.8, 0.7, 0.9, 100, 0, "", "", "", "0"),
)
OTHER_ROWS = f"{json.dumps(asdict(ROW))}\n"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"figures/trip.png": "mine"}, r"out/figures: holds trip\.png"),
        ({"figures/.mine": "mine"}, r"out/figures: holds \.mine"),
        ({"figures/plane.png/mine.png": "mine"}, r"out/figures: holds plane\.png"),
        ({PAGE: "page", "figures/plane.png": "p", "figures/trip.png": "m"}, r"holds trip\.png"),
        ({"figures": "mine"}, r"out/figures: is a file"),
        ({"thesis.tex": "mine"}, r"out: holds thesis\.tex"),
        ({"predictions.parquet": "mine", ROWS: OTHER_ROWS}, r"out: holds predictions\.parquet"),
        ({ROWS: OTHER_ROWS}, r"results\.jsonl: holds other result rows"),
        ({PAGE: "page", ROWS: OTHER_ROWS}, r"results\.jsonl: holds other result rows"),
        ({PAGE: "page", ROWS: "my diary"}, r"results\.jsonl"),
    ],
)
def test_files_of_somebody_else_stay(tmp_path, files, words):
    out = folder_of(tmp_path / "out", files)
    with pytest.raises(InputError, match=words):
        explain_student(tmp_path / "any.ckpt", None, out)
    found = {str(p.relative_to(out)): p.read_text() for p in out.rglob("*") if p.is_file()}
    assert found == files


def test_a_seed_below_0_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match="--seed: is -1"):
        explain_student(tmp_path / "any.ckpt", None, tmp_path / "out", seed=-1)


def test_a_file_is_no_folder_for_explanations(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="out: is a file"):
        explain_student(tmp_path / "any.ckpt", None, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize(
    "files", [{}, {".DS_Store": ""}, {"figures/plane.png": "of a run that was killed"}]
)
def test_nothing_of_anybody_is_in_the_way(tmp_path, files):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=r"any\.ckpt"):  # it came as far as the missing model
        explain_student(tmp_path / "any.ckpt", None, folder_of(tmp_path / "out", files))


def test_a_model_without_layers_gets_occlusion_alone(checkpoint, table, tmp_path, monkeypatch):
    """What an exported file can be asked: probabilities, and no gradient."""
    real = open_recogniser(checkpoint)
    asked = SimpleNamespace(
        answers=real.answers, contract=real.contract, kind="onnx", path=tmp_path / "student.onnx"
    )
    monkeypatch.setattr("neurogaze.pipeline.explaining_student.open_recogniser", lambda *_: asked)
    out = tmp_path / "out"
    page = explain_student(asked.path, table, out).read_text()
    assert "Grad-CAM needs the checkpoint" in page
    assert {row.arm for row in read_rows(out / ROWS)} == {"occlusion"}
    before = {path.name for path in (out / "figures").iterdir()}
    (out / "figures" / "grad-cam-fear.png").write_bytes(b"of an older run")
    (out / "notes.txt").write_text("mine")  # in no way of anything
    explain_student(asked.path, table, out)
    assert {path.name for path in (out / "figures").iterdir()} == before
    assert (out / "notes.txt").read_text() == "mine"


def test_a_warm_up_that_the_file_does_not_hold_is_told(checkpoint, table, tmp_path, monkeypatch):
    """The exported file of a student with a warm-up cannot say whether it saw these faces."""
    real = open_recogniser(checkpoint)
    contract = replace(
        real.contract, provenance={**real.contract.provenance, "init_from": {"sha256": "a" * 64}}
    )
    asked = replace(real, contract=contract, path=tmp_path / "student.onnx", kind="onnx")
    monkeypatch.setattr("neurogaze.pipeline.explaining_student.open_recogniser", lambda *_: asked)
    page = explain_student(asked.path, table, tmp_path / "out").read_text()
    assert UNSEEN_UNKNOWN in page
    assert all(UNSEEN_UNKNOWN in row.note for row in read_rows(tmp_path / "out" / ROWS))


def test_faces_that_a_warm_up_saw_by_permission_are_told(checkpoint, table, found, monkeypatch):
    assert found.warm_up == ""
    monkeypatch.setattr("neurogaze.pipeline.explaining_student.guarded", lambda *_: 3)
    again = look(checkpoint, open_recogniser(checkpoint), table, seed=0)
    assert again.warm_up == "warm-up saw 3 of 8"
    rows = region_rows(again, open_recogniser(checkpoint), seed=0)
    assert all("warm-up saw 3 of 8" in row.note for row in rows)


def test_a_card_from_the_command_line(checkpoint, tmp_path, tiny_run, capsys):
    results = next(tiny_run.run.rglob("evaluate-valid/results.jsonl"))
    out = tmp_path / "card.md"
    assert main(["card", str(checkpoint), f"--results={results}", f"--out={out}"]) == 0
    card = out.read_text()
    assert "MEANINGLESS ON PEOPLE" in card
    accuracy = next(row for row in read_rows(results) if row.metric == "accuracy")
    assert f"{100 * accuracy.value:.1f} [" in card
    assert "most confused" in card
    theirs = tmp_path / "theirs.jsonl"
    write_rows(theirs, [replace(accuracy, config_hash="f" * 64)])
    assert main(["card", str(checkpoint), f"--results=[{results},{theirs}]", f"--out={out}"]) == 2
    assert "of ffff" in capsys.readouterr().err
    assert main(["card", str(checkpoint), f"--results=[{results},{tmp_path / 'no.jsonl'}]"]) == 2
    assert "no.jsonl" in capsys.readouterr().err
