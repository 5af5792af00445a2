"""Of a YAML file every key counts: PyYAML alone takes the last of two, and says nothing."""

import pytest
import yaml

from neurogaze.errors import InputError
from neurogaze.strict_yaml import left_empty, read

MERGED = """
base: &base {a: 1, b: [2]}
more: &more {<<: *base, b: 3, c: 4}
both: {<<: [*base, *more], a: 5}
deep: [{<<: *more, d: 6}]
"""


def written(folder, text):
    (folder / "x.yaml").write_text(text, encoding="utf-8")
    return folder / "x.yaml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "'a' twice, in lines 1 and 3"),
        ("a: 1\n'a': 1\n", "'a' twice, in lines 1 and 2"),
        ("x:\n  - {a: 1,\n     a: 1}\n", "'a' twice, in lines 2 and 3"),
        ("16: 1\n0x10: 2\n", "'0x10' twice, in lines 1 and 2"),
        ("b: &b {a: 1}\nc: {<<: *b, d: 1, d: 2}\n", "'d' twice, in lines 2 and 2"),
        ("null: 1\n~: 2\n", "'~' twice, in lines 1 and 2"),
    ],
)
def test_a_key_met_twice_is_refused_by_file_key_and_line(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: has the key {said}. Remedy: ")


def test_what_is_merged_may_be_overridden(tmp_path):
    """The rule of YAML's merge key: a mapping's own keys win, then those of the first merged."""
    found = read(written(tmp_path, MERGED))
    assert found["more"] == {"a": 1, "b": 3, "c": 4}
    assert found["both"] == {"a": 5, "b": [2], "c": 4}
    assert found["deep"] == [{"a": 1, "b": 3, "c": 4, "d": 6}]


@pytest.mark.parametrize("text", [MERGED, "", "3", "- a", "a: {1: x, '1': y}", "ä: 2020-02-29"])
def test_all_else_is_as_pyyaml_reads_it(tmp_path, text):
    assert read(written(tmp_path, text)) == yaml.safe_load(text)


def test_no_python_object_is_made(tmp_path):
    with pytest.raises(yaml.YAMLError):
        read(written(tmp_path, "!!python/object/apply:os.getcwd []"))


def test_nothing_counts_as_a_value_only_where_the_type_takes_it():
    kind = dict[str, list[int] | dict[str, int | None] | None]
    assert list(left_empty({"a": None, "b": {"c": None}, "d": [1]}, kind)) == []
    assert list(left_empty({"b": [None, 1, None]}, kind)) == ["b.0", "b.2"]
    assert list(left_empty(None, int, "seed")) == ["seed"]
