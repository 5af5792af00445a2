"""Result rows survive the file and refuse what is not a result."""

import dataclasses
import json

import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation.results import ResultRow, read_rows, write_rows

ROW = ResultRow(
    experiment="ladder",
    arm="ce",
    dataset="ferplus",
    split="valid",
    protocol="official",
    label_rule="majority",
    metric="accuracy",
    value=0.1 + 0.2,
    low=0.25,
    high=0.35,
    n=3199,
    seed=0,
    config_hash="c",
    grid_hash="",
    split_hash="",
    code_version="0.1.0",
)


def test_rows_survive_the_file(tmp_path):
    path = tmp_path / "deep" / "results.jsonl"
    rows = [ROW, dataclasses.replace(ROW, low=None, high=None, note="LEAKY\u2028 — “β”")]
    write_rows(path, rows)
    assert read_rows(path) == rows
    assert len(path.read_text(encoding="utf-8").split("\n")) == 3
    assert json.loads(path.read_text(encoding="utf-8").split("\n")[0])["value"] == 0.1 + 0.2
    assert [p.name for p in path.parent.iterdir()] == ["results.jsonl"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": float("nan")}, "not finite"),
        ({"high": float("inf")}, "not finite"),
        ({"high": None}, "half an interval"),
        ({"low": 0.5}, "reversed"),
    ],
)
def test_values_that_are_no_result_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(ROW, **change)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda row: row.pop("seed"), r"missing: \['seed'\]"),
        (lambda row: row.update(colour="red"), r"unknown: \['colour'\]"),
        (lambda row: row.update(n="many"), "n = 'many' is no int"),
        (lambda row: row.update(n=True), "n = True is no int"),
        (lambda row: row.update(value=None), "value = None is no float"),
        (lambda row: row.update(arm=3), "arm = 3 is no str"),
    ],
)
def test_a_wrong_field_is_named_with_file_and_line(tmp_path, edit, message):
    path = tmp_path / "results.jsonl"
    good, bad = dataclasses.asdict(ROW), dataclasses.asdict(ROW)
    edit(bad)
    path.write_text(json.dumps(good) + "\n" + json.dumps(bad) + "\n")
    with pytest.raises(InputError, match=message) as caught:
        read_rows(path)
    assert caught.value.where == f"{path}, line 2"


@pytest.mark.parametrize("text", ["{", "[1]", '"x"'])
def test_text_that_is_no_row_is_refused(tmp_path, text):
    path = tmp_path / "results.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match="line 1"):
        read_rows(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.jsonl"):
        read_rows(tmp_path / "absent.jsonl")


def test_blank_lines_and_a_missing_note_are_fine(tmp_path):
    path = tmp_path / "results.jsonl"
    fields = dataclasses.asdict(ROW)
    fields.pop("note")
    path.write_text("\n" + json.dumps(fields) + "\n\n")
    assert read_rows(path) == [ROW]
