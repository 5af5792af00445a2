"""Discovery of the parts of a run: what is found, what is passed over, what is refused."""

import json

import numpy as np
import pytest

from neurogaze.artefacts import write_npz
from neurogaze.errors import InputError
from neurogaze.report.inputs import DEFAULT_TITLE, discover


def test_every_part_is_found_under_the_name_of_its_folder(run_folder):
    inputs = discover(run_folder)
    assert inputs.title == "Demo on synthetic data"
    assert list(inputs.faces) == ["evaluate-other", "evaluate-valid"]
    assert list(inputs.eeg) == ["grid"]
    assert list(inputs.grids) == ["grid"]
    assert list(inputs.topomaps) == ["grid"]
    assert list(inputs.stability) == ["grid"]
    assert list(inputs.explained) == ["grid"]
    assert list(inputs.logs) == ["student"]
    assert list(inputs.embeddings) == ["evaluate-other", "evaluate-valid"]
    assert list(inputs.stages) == ["evaluate-other", "evaluate-valid", "grid", "student"]
    assert {row.arm for row in inputs.rows} == {"teacher", "ridge", "chance (99 % band)", "student"}
    assert inputs.topomaps["grid"].values.shape == (3, 14, 4)


def test_an_empty_folder_has_no_parts(tmp_path):
    inputs = discover(tmp_path)
    assert inputs.title == DEFAULT_TITLE
    assert inputs.rows == ()
    assert not inputs.grids


def test_hidden_folders_and_the_report_are_passed_over(tmp_path):
    for name in (".aside-1-student", "report", "student"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stage.json").write_text("{}")
    assert list(discover(tmp_path, skip=tmp_path / "report").stages) == ["student"]


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="is no folder"):
        discover(tmp_path / "absent")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("stage.json", b"{", "cannot be read"),
        ("stage.json", b"[]", "holds a list"),
        ("topomaps.npz", b"PK", "cannot be read"),
        ("embeddings.npz", b"", "cannot be read"),
        ("explained.npz", b"PK", "cannot be read"),
        ("stability.json", b"{}", "is no record of stability"),
        ("grid.npz", b"not a zip", "grid.npz"),
        ("results.jsonl", b"{}\n", "fields missing"),
        ("predictions.csv", b"id,label\n1,fear\n", "columns missing"),
        ("metrics.csv", b'epoch,"train\n', "cannot be read"),
    ],
)
def test_a_broken_part_is_named(tmp_path, name, content, message):
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        discover(tmp_path)
    assert name in caught.value.where


@pytest.mark.parametrize(
    ("name", "arrays", "message"),
    [
        ("topomaps.npz", {"values": np.ones((1, 2, 1))}, "arrays missing: groups, channels, bands"),
        (
            "topomaps.npz",
            {"values": np.ones((1, 2, 1)), "groups": np.array(["g"]), "channels": np.array(["O1"]),
             "bands": np.array(["theta"])},
            "do not fit",
        ),
        ("embeddings.npz", {"embedding": np.ones((2, 3)), "label": np.array([0, 8])}, "bad values"),
        ("embeddings.npz", {"embedding": np.ones((2, 3)), "label": np.array([0])}, "do not fit"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_refused(tmp_path, name, arrays, message):
    write_npz(tmp_path / "part" / name, arrays)
    with pytest.raises(InputError, match=message):
        discover(tmp_path)


def test_pickled_objects_are_refused(tmp_path):
    path = tmp_path / "embeddings.npz"
    np.savez(path, embedding=np.array([[{}]], dtype=object), label=np.array([0]))
    with pytest.raises(InputError, match="cannot be read"):
        discover(tmp_path)


def test_an_empty_log_is_an_empty_table(tmp_path):
    (tmp_path / "metrics.csv").write_text("")
    assert discover(tmp_path).logs["run"].empty


@pytest.mark.parametrize("stages", [3, "grid", [["a"]], {"a": 1}])
def test_stages_that_are_no_list_of_folders_are_refused(tmp_path, stages):
    (tmp_path / "title.json").write_text(json.dumps({"stages": stages}))
    with pytest.raises(InputError, match="is no list of folders") as caught:
        discover(tmp_path)
    assert "title.json" in caught.value.where
