"""Arrays come out of a pickle; nothing in it is carried out."""

import datetime
import os
import pickle
import pickletools

import numpy as np
import pytest

from neurogaze.eeg.corpora.pickled import pickled_arrays
from neurogaze.errors import InputError
from tests.fixtures.deap import python2_pickle
from tests.fixtures.eeg import truncate

ARRAYS = {
    "data": np.arange(24.0).reshape(2, 3, 4),
    "labels": np.array([[1, 2], [3, 4]], dtype=np.int32),
}


def stored(folder, content):
    path = folder / "s01.dat"
    path.write_bytes(content)
    return path


def assert_refused(folder, content, match):
    with pytest.raises(InputError, match=match):
        pickled_arrays(stored(folder, content))


def test_file_of_python_2_is_what_pickle_makes_of_it(tmp_path):
    content = python2_pickle(ARRAYS)
    theirs = pickle.loads(content, encoding="latin1")
    ours = pickled_arrays(stored(tmp_path, content))
    assert list(ours) == ["data", "labels"]
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(theirs[name], array)
        np.testing.assert_array_equal(ours[name], array)
        assert ours[name].dtype == array.dtype


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_file_of_python_3(tmp_path, protocol):
    ours = pickled_arrays(stored(tmp_path, pickle.dumps(ARRAYS, protocol)))
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(ours[name], array)


@pytest.mark.parametrize("kind", [">f8", "<f4", ">i2", "u1"])
def test_byte_orders_and_column_order(tmp_path, kind):
    array = np.asfortranarray(np.arange(6).reshape(2, 3).astype(kind))
    ours = pickled_arrays(stored(tmp_path, pickle.dumps({"a": array}, 2)))["a"]
    np.testing.assert_array_equal(ours, array)
    assert ours.dtype == array.dtype


class Evil:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("protocol", range(6))
def test_command_is_refused_and_not_run(tmp_path, protocol):
    mark = tmp_path / "mark"
    content = pickle.dumps({"data": Evil(mark)}, protocol)
    assert_refused(tmp_path, content, r"s01\.dat: cannot be read.*Remedy: supply the file as")
    assert not mark.exists()
    pickle.loads(content)  # it would have run
    assert mark.exists()


def test_name_asked_for_is_told(tmp_path):
    content = pickle.dumps({"data": datetime.date}, 2)
    assert_refused(tmp_path, content, r"it asks for datetime\.date")


def test_arrays_of_objects_are_refused(tmp_path):
    array = np.array([{}, []], dtype=object)
    assert_refused(tmp_path, pickle.dumps({"data": array}, 2), "cannot be read.*(step|type)")


def test_type_of_objects_without_objects_is_refused(tmp_path):
    """An array that says its bytes are addresses would have them followed."""
    content = python2_pickle({"data": np.zeros(1)}).replace(b"U\x02f8", b"U\x02O8")
    assert_refused(tmp_path, content, "arrays of type 'O8', not of numbers")


@pytest.mark.parametrize("kind", ["f1", "f2", "M8", "c8", "S4", "V8", "U1", "f16"])
def test_no_number(tmp_path, kind):
    code = bytes([len(kind)]) + kind.encode()
    content = python2_pickle({"data": np.zeros(1)}).replace(b"\x02f8", code)
    assert_refused(tmp_path, content, f"type '{kind}'")


def test_structures_are_refused(tmp_path):
    array = np.zeros(2, dtype=[("a", "f4"), ("b", "i4")])
    assert_refused(tmp_path, pickle.dumps({"data": array}, 2), "type 'V8'")


def test_shape_that_does_not_fit_the_bytes(tmp_path):
    content = python2_pickle({"a": np.zeros(5)}).replace(b"(K\x01(K\x05", b"(K\x01(K\xff")
    assert_refused(tmp_path, content, r"bytes do not fit shape \(255,\)")


@pytest.mark.parametrize("value", [3, "text", (1, 2), None, {}])
def test_values_that_are_no_arrays(tmp_path, value):
    assert_refused(tmp_path, pickle.dumps({"data": value}, 2), "a value is no array")


@pytest.mark.parametrize("value", [3, {1: np.zeros(2)}])
def test_no_dictionary(tmp_path, value):
    assert_refused(tmp_path, pickle.dumps(value, 2), "is no dictionary of arrays")


def test_high_note_number_does_not_fill_the_memory(tmp_path):
    """A note numbered 4 billion would have the table of notes hold as many places."""
    assert_refused(tmp_path, b"\x80\x02}r\xff\xff\xff\xff.", "more than 1000 steps or notes")


def test_endless_steps(tmp_path):
    assert_refused(tmp_path, b"\x80\x02" + b"(" * 2000 + b".", "more than 1000 steps")


def test_promise_of_a_long_text(tmp_path):
    assert_refused(tmp_path, b"\x80\x04\x8e" + b"\xff" * 7 + b"\x0fabc.", "cannot be read")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_truncated_file(tmp_path, share):
    path = truncate(stored(tmp_path, python2_pickle(ARRAYS)), share)
    with pytest.raises(InputError, match=r"s01\.dat"):
        pickled_arrays(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        pickled_arrays(tmp_path / "gone.dat")


def test_fixture_uses_only_steps_of_protocol_2():
    steps = {step.proto for step, _, _ in pickletools.genops(python2_pickle(ARRAYS))}
    assert max(steps) == 2
