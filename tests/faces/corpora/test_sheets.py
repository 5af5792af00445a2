"""CSV files of pictures: columns by name, lines as an editor counts them."""

import pytest

from neurogaze.errors import InputError
from neurogaze.faces.corpora import sheets
from neurogaze.faces.corpora.sheets import inside, read_columns


@pytest.mark.parametrize("large", [False, True])
def test_columns_in_the_order_asked_for(tmp_path, monkeypatch, large):
    monkeypatch.setattr(sheets, "LARGE", 0 if large else 1_000_000)  # with or without a bar
    path = tmp_path / "list.csv"
    path.write_bytes('\ufeffb, a ,c\r\n1,"2, x",3\r\n\r\n"4\nfour", 5 ,6\r\n'.encode())
    rows = list(read_columns(path, ("a", "b"), "mend it"))
    assert rows == [(2, ["2, x", "1"]), (5, ["5", "4\nfour"])]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"", r"columns \['a', 'b'\] are missing"),
        (b"a,c\n1,2\n", r"columns \['b'\] are missing"),
        (b"a,b\n1\n", "line 2: has 1 cells"),
        (b"a,b\n\xff,2\n", "not a table"),
        (b'a,b\n"' + b"x" * 200_000, "not a table"),
    ],
)
def test_what_is_no_such_table(tmp_path, text, named):
    path = tmp_path / "list.csv"
    path.write_bytes(text)
    with pytest.raises(InputError, match=named):
        list(read_columns(path, ("a", "b"), "mend it"))


def test_a_table_that_is_not_there(tmp_path):
    for path in (tmp_path / "list.csv", tmp_path):
        with pytest.raises(InputError, match="mend it"):
            list(read_columns(path, ("a",), "mend it"))


@pytest.mark.parametrize("file", ["", "/etc/x.png", "../x.png", "a/../../x.png", ".."])
def test_names_that_lead_out(file):
    with pytest.raises(InputError, match=r"line 3: file .* leads out"):
        inside("list.csv, line 3", file)


def test_names_that_stay():
    assert inside("list.csv", "103/a..b.png") == "103/a..b.png"
