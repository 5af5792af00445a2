"""What is wrong with a JSON file is a `ValueError`, whatever Python's own parser makes of it."""

import json

import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation.calibration_file import read_calibration
from neurogaze.evaluation.results import parse_row
from neurogaze.strict_json import DIGITS, parse

HOSTILE = {
    "deep": "[" * 100_000,
    "long": '{"a": ' + "1" * 400 + "}",
    "beyond the limit of Python": "1" * 5000,
    "half": r'["\ud800"]',
    "nan": "[NaN]",
    "too large": '{"a": [1e999]}',
    "too small": '{"a": -1e999}',
    "endless": '{"a": -Infinity}',
    "cut": '{"a": ',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nothing_else_is_raised(text):
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


def test_everything_that_python_writes_of_ours_is_read():
    said = {"a": [1, -2.5e300, "ä\u0000\U0001f600", None, True], "n": -(10**DIGITS - 1)}
    assert parse(json.dumps(said)) == said
    assert parse(json.dumps(said, ensure_ascii=False)) == said


def test_a_pair_of_halves_is_a_character():
    assert parse(r'"\ud83d\ude00"') == "\U0001f600"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_result_rows_refuse_it_in_one_line(text):
    with pytest.raises(InputError, match="results, line 3"):
        parse_row(text, "results, line 3")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_calibration_refuses_it_in_one_line(tmp_path, text):
    (tmp_path / "temperature.json").write_text(text)
    with pytest.raises(InputError, match=r"temperature.json: "):
        read_calibration(tmp_path / "temperature.json", "0" * 64)
