"""CSV, JSON Lines and Parquet hold the same, as other programs read them."""

import json

import numpy as np
import pandas
import pytest

from neurogaze.deploy import writing
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.rows import COLUMNS, Place, Reading, empty_row, face_row
from neurogaze.errors import InputError
from tests.deploy.infer_fakes import recogniser

NAMES = (
    "plain.png",
    "carriage\rreturn.png",
    'quo"ted, comma.png',
    "two\nlines.png",
    "ümläut – 顔.png",
    "",
)


@pytest.fixture(scope="module")
def faces():
    rng = np.random.default_rng(1)
    contract = recogniser(abstain_below=0.3).contract
    rows = []
    for i in range(50):
        place = Place(NAMES[i % len(NAMES)], *((i, i / 7) if i % 2 else (None, None)))
        if i % 9 == 0:
            rows.append(empty_row(place, contract))
            continue
        va = rng.uniform(-1, 1, 2) if i % 3 else np.full(2, np.nan)
        reading = Reading(rng.dirichlet([1.0] * 8), va)
        rows.append(face_row(place, i, Box(*rng.uniform(0, 99, 4), 1e-5), reading, contract))
    return rows


def normal(frame):
    """A table as pandas reads it, with one way to say that nothing is there."""
    blank = [[None if cell is None or cell != cell else cell for cell in r] for r in frame.values]
    return [dict(zip(frame.columns, row, strict=True)) for row in blank]


@pytest.mark.filterwarnings("ignore:The 'float_precision'")  # exact by default since pandas 3
def test_three_formats_one_content_as_pandas_reads_them(faces, tmp_path):
    for suffix in writing.SUFFIXES:
        writing.write_table(tmp_path / f"t{suffix}", faces)
    names = {"file": str, "note": str}
    csv = pandas.read_csv(
        tmp_path / "t.csv", dtype=names, float_precision="round_trip", keep_default_na=False,
        na_values={name: [""] for name in COLUMNS if name not in names},
    )  # fmt: skip
    text = (tmp_path / "t.jsonl").read_text(encoding="utf-8").split("\n")
    jsonl = pandas.DataFrame([json.loads(line) for line in text if line], columns=list(COLUMNS))
    parquet = pandas.read_parquet(tmp_path / "t.parquet")
    assert list(csv.columns) == list(parquet.columns) == list(COLUMNS)
    assert normal(csv) == normal(jsonl) == normal(parquet)
    assert len(csv) == len(faces)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["t.csv", "t.jsonl", "t.parquet"]


@pytest.mark.parametrize("suffix", writing.SUFFIXES)
def test_what_is_written_is_read(faces, tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    writing.write_table(path, faces)
    assert list(writing.read_faces(path)) == faces
    writing.write_table(path, [])
    assert list(writing.read_faces(path)) == []


def test_parquet_is_written_in_groups(faces, tmp_path, monkeypatch):
    from pyarrow.parquet import ParquetFile

    monkeypatch.setattr(writing, "GROUP", 10)
    writing.write_table(tmp_path / "t.parquet", faces)
    assert ParquetFile(tmp_path / "t.parquet").num_row_groups == 5
    assert list(writing.read_faces(tmp_path / "t.parquet")) == faces


@pytest.mark.parametrize("suffix", writing.SUFFIXES)
def test_an_interrupted_table_leaves_the_old_one(faces, tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    writing.write_table(path, faces[:1])
    before = path.read_bytes()

    def write():
        with writing.table(path) as written:
            written.write(faces[1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_bad_names_and_bad_tables(tmp_path):
    with pytest.raises(InputError, match="csv"):
        writing.check_table(tmp_path / "faces.xlsx")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        writing.check_table(tmp_path / "folder.csv")
    with pytest.raises(InputError, match="no such file"):
        list(writing.read_faces(tmp_path / "gone.csv"))
    for suffix in writing.SUFFIXES:
        path = tmp_path / f"bad{suffix}"
        path.write_text("a,b\n1,2\n")
        with pytest.raises(InputError, match="no table of faces"):
            list(writing.read_faces(path))


def test_a_cell_beyond_all_measure(faces, tmp_path):
    path = tmp_path / "t.csv"
    writing.write_table(path, faces[1:2])
    path.write_text(path.read_text().replace("carriage", "x" * 200_000))
    with pytest.raises(InputError, match=r"t\.csv: is no table of faces \(Error: field larger"):
        list(writing.read_faces(path))


DEEP, LONG = pytest.param("[" * 100_000, id="deep"), pytest.param("9" * 400, id="long")


@pytest.mark.parametrize("value", [DEEP, LONG, "NaN", r'"\ud800"'])
def test_json_that_nobody_can_use_is_refused_in_one_line(faces, tmp_path, value):
    path = tmp_path / "t.jsonl"
    writing.write_table(path, faces[1:2])
    line = path.read_text(encoding="utf-8")
    number = f'"frame": {faces[1].frame}'
    assert number in line
    path.write_text(line.replace(number, f'"frame": {value}'), encoding="utf-8")
    with pytest.raises(InputError, match=r"t\.jsonl: is no table of faces \(ValueError") as told:
        list(writing.read_faces(path))
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 250
