import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from neurogaze import artefacts
from neurogaze.artefacts import (
    arrays_hash,
    file_hash,
    folder_written_aside,
    settings_hash,
    sweep,
    write_json,
    write_npz,
    written_aside,
)


@dataclass(frozen=True)
class Settings:
    rate: float = 0.5
    names: tuple[str, ...] = ("a",)
    path: Path = Path("x/y")


def test_settings_hash_is_sha256_of_canonical_json():
    text = '{"names":["a"],"path":"x/y","rate":0.5}'
    assert settings_hash(Settings()) == hashlib.sha256(text.encode()).hexdigest()
    assert settings_hash(Settings(rate=0.25)) != settings_hash(Settings())


def test_settings_hash_is_the_same_in_another_process():
    code = (
        "from neurogaze.artefacts import settings_hash as h; print(h({'b': (1, 2.5), 'a': None}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == settings_hash({"a": None, "b": [1, 2.5]})


def test_functions_have_no_canonical_form():
    with pytest.raises(TypeError, match="function"):
        settings_hash({"f": test_functions_have_no_canonical_form})


def test_arrays_hash_sees_values_names_types_and_shapes_but_not_byte_order():
    base = arrays_hash({"x": np.arange(6, dtype="<i4")})
    assert arrays_hash({"x": np.arange(6, dtype=">i4")}) == base
    assert arrays_hash({"x": np.arange(6, dtype="<i4").reshape(2, 3)}) != base
    assert arrays_hash({"y": np.arange(6, dtype="<i4")}) != base
    assert arrays_hash({"x": np.arange(6, dtype="<i8")}) != base
    assert arrays_hash({"x": np.array([0, 1, 2, 3, 4, 6], dtype="<i4")}) != base
    with pytest.raises(TypeError, match="objects"):
        arrays_hash({"x": np.array([{}], dtype=object)})


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, {"v": 1})
    before = file_hash(path)

    def fill():
        with written_aside(path) as aside:
            aside.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk"):
        fill()
    assert file_hash(path) == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_a_fault_between_write_and_rename_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    write_npz(path, {"x": np.zeros(2)})

    def fail(*_):
        raise OSError("power cut")

    monkeypatch.setattr(artefacts.Path, "replace", fail)
    with pytest.raises(OSError, match="power"):
        write_npz(path, {"x": np.ones(2)})
    monkeypatch.undo()
    assert np.load(path)["x"].sum() == 0
    assert [p.name for p in tmp_path.iterdir()] == ["x.npz"]


def test_leftovers_of_killed_writers_are_swept_away(tmp_path):
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with written_aside(tmp_path / "x.json") as aside:
        aside.write_text("1")
    own = aside.name.split("-")
    for owner in (dead, own[2]):
        (tmp_path / "-".join([*own[:2], owner, "00", "x.json"])).write_text("half")
    write_json(tmp_path / "x.json", 1)
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize("name", ["a**b.json", "a[b.json", "**", "a?.json"])
def test_a_name_is_no_pattern(tmp_path, name):
    """And what is unfinished of another name that it would match stays."""
    with written_aside(tmp_path / "axxb.json") as other:
        other.write_text("1")
        write_json(tmp_path / name, 1)
        assert other.exists()
    assert (tmp_path / name).read_text() == "1\n"


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "store"

    def fill():
        with folder_written_aside(path) as aside:
            (aside / "a").write_text("1")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fill()
    assert not list(tmp_path.iterdir())
    for text in "12":
        with folder_written_aside(path) as aside:
            (aside / "a").write_text(text)
    assert (path / "a").read_text() == "2"
    assert [p.name for p in tmp_path.iterdir()] == ["store"]


def another_writes(path):
    path.mkdir(parents=True)
    (path / "a").write_text("theirs")


@pytest.mark.parametrize("when", ["while we write", "as we rename"])
def test_a_folder_of_another_process_stays(tmp_path, monkeypatch, when):
    path, replace = tmp_path / "store", Path.replace

    def late(self, target):
        another_writes(path)
        return replace(self, target)

    if when == "as we rename":
        monkeypatch.setattr(Path, "replace", late)
    with folder_written_aside(path) as aside:
        (aside / "a").write_text("ours")
        if when == "while we write":
            another_writes(path)
    assert (path / "a").read_text() == "theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["store"]


def test_objects_cannot_be_stored(tmp_path):
    with pytest.raises(TypeError, match="objects"):
        write_npz(tmp_path / "x.npz", {"x": np.array([{}], dtype=object)})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("writer", [written_aside, folder_written_aside])
def test_threads_leave_what_others_write_alone(tmp_path, writer):
    """A folder is swept while another thread of the same process writes in it."""
    path = tmp_path / "one"
    with writer(path) as aside:
        (aside / "part" if aside.is_dir() else aside).write_text("begun")
        sweep(tmp_path)
        with writer(tmp_path / "one") as other:
            (other / "part" if other.is_dir() else other).write_text("first")
        assert aside.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["one"]
