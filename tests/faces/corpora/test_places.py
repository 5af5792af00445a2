"""Pictures and folders are found, and what systems leave beside them is passed over."""

import hashlib
from dataclasses import fields
from inspect import signature

import pytest

from neurogaze import commands, face_commands
from neurogaze.errors import InputError
from neurogaze.faces.corpora.places import (
    first_place,
    folders_in,
    lines_hash,
    pictures_in,
    root_of,
    root_remedy,
    size_of,
)
from neurogaze.roots import Roots


def test_pictures_and_nothing_else(tmp_path):
    for name in ("b.JPG", "a.png", "c.tiff", ".DS_Store", "._a.png", "Thumbs.db", "labels.csv"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "d.jpg").mkdir()
    assert pictures_in(tmp_path) == ["a.png", "b.JPG", "c.tiff"]
    with pytest.raises(InputError, match="cannot be listed"):
        pictures_in(tmp_path / "nowhere")


def test_folders_and_nothing_else(tmp_path):
    for name in ("2", "1", "__MACOSX", ".ipynb_checkpoints"):
        (tmp_path / name).mkdir()
    (tmp_path / "3").write_bytes(b"")
    assert folders_in(tmp_path) == ["1", "2"]


def test_the_first_place_counts_and_all_are_named(tmp_path):
    (tmp_path / "b").mkdir()
    assert first_place(tmp_path, ("a", "b"), "look again") == tmp_path / "b"
    with pytest.raises(InputError, match=r"holds none of c, d\. Remedy: look again"):
        first_place(tmp_path, ("c", "d"), "look again")


def test_what_is_given_goes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROGAZE_SOME_FACES", str(tmp_path / "nowhere"))
    assert root_of(tmp_path, "some_faces") == tmp_path
    with pytest.raises(InputError, match="nowhere: there is no such folder"):
        root_of(None, "some_faces")


@pytest.mark.parametrize("name", ["ferplus", "affectnet_mini", "ckplus", "rafdb", "manifest"])
def test_the_remedy_names_a_flag_that_there_is(name):
    flag = f"--roots.{name}"
    assert flag in root_remedy(name)
    assert "`fit`: --data.corpus.root" in root_remedy(name)
    assert name in {field.name for field in fields(Roots)}
    for command in (commands.bench, commands.run, face_commands.ensemble, face_commands.robustness):
        assert "roots" in signature(command).parameters


def test_size_of_a_file_of_none_and_of_names_that_cannot_be(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    names = ("a", "b", "", "x" * 5000, "a\0b")
    assert [size_of(tmp_path / name) for name in names] == [3, -1, -1, -1, -1]


def test_the_hash_of_lines_is_that_of_a_text():
    assert lines_hash(["a", "b"]) == hashlib.sha256(b"a\nb").hexdigest()
