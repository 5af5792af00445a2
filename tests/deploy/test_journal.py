"""What a journal keeps is found again, whole groups only, and never for another model."""

import pytest

from neurogaze.deploy.journal import Entry, Journal, is_begun, journal_of, key_of
from neurogaze.deploy.rows import Place, empty_row, undrawn
from neurogaze.errors import InputError
from tests.deploy.infer_fakes import recogniser

WHO = {"model": "one", "settings": "plain"}
DEEP = pytest.param("[" * 60_000 + "\n", id="deep")


def entry(name, failed=False):
    rows = (empty_row(Place(name, None, 0.1), recogniser().contract),)
    return Entry(f"key of {name}", rows, failed)


@pytest.fixture
def path(tmp_path):
    path = journal_of(tmp_path / "faces.csv")
    with Journal(path, WHO) as journal:
        assert (journal.kept, journal.other) == (0, False)
        journal.add([entry("a"), entry("b", failed=True)])
        journal.add([entry("c"), entry("ü\n")])
    return path


def test_entries_come_back(path):
    assert path.name == "faces.csv.journal"
    with Journal(path, WHO) as journal:
        assert (journal.kept, journal.other) == (4, False)
        for name in ("c", "a", "ü\n"):
            assert journal.entry(f"key of {name}") == entry(name)
        assert journal.entry("key of b").failed
        assert "key of d" not in journal
        journal.add([entry("d")])
        assert journal.entry("key of d") == entry("d")
    with Journal(path, WHO) as journal:
        assert journal.kept == 5


def test_a_torn_group_is_dropped_wherever_it_was_torn(path):
    whole = path.read_bytes()
    second = sum(map(len, whole.splitlines(keepends=True)[:3]))
    first = len(whole.splitlines(keepends=True)[0])
    near = {n + d for n in (0, 5, first, second, len(whole) - 1) for d in (-1, 0, 1)}
    for length in sorted(near & set(range(len(whole)))):
        path.write_bytes(whole[:length])
        with Journal(path, WHO) as journal:
            assert journal.kept == (2 if length >= second else 0)
            assert not journal.other
        assert len(path.read_bytes()) == (second if length >= second else first)


@pytest.mark.parametrize("line", ["[]", "{}", "null", "7", '{"key": [], "last": true}'])
def test_a_line_of_something_else_ends_what_is_kept(path, line):
    whole = path.read_bytes()
    path.write_bytes(whole + line.encode() + b"\n" + whole.splitlines(keepends=True)[1])
    with Journal(path, WHO) as journal:
        assert journal.kept == 4
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "text", ["my diary\n", "diary", '{"journal": "mine"}\n', "7\n", "\n", DEEP]
)
def test_a_file_of_somebody_else_is_refused_and_kept(tmp_path, text):
    path = journal_of(tmp_path / "faces.csv")
    path.write_text(text)
    with pytest.raises(InputError, match=r"faces\.csv\.journal: is there and is no journal"):
        Journal(path, WHO)
    assert path.read_text() == text


def test_a_journal_is_known_as_begun_from_its_first_moment(tmp_path):
    path = journal_of(tmp_path / "faces.csv")
    assert not is_begun(path, WHO)
    with Journal(path, WHO):
        assert is_begun(path, WHO)  # on the disk already: this process may be killed
        assert not is_begun(path, WHO | {"model": "two"})


def test_what_failed_is_not_settled_until_a_later_line_says_so(path):
    undrawn_rows = tuple(undrawn(row, "disk full") for row in entry("c").rows)
    with Journal(path, WHO) as journal:
        assert [journal.settled(f"key of {name}") for name in "abc"] == [True, False, True]
        journal.add([entry("b"), Entry("key of c", undrawn_rows)])
        assert [journal.settled(f"key of {name}") for name in "abc"] == [True, True, False]
    with Journal(path, WHO) as journal:
        assert [journal.settled(f"key of {name}") for name in "abc"] == [True, True, False]
        assert journal.entry("key of b") == entry("b")


def test_another_model_begins_anew(path):
    with Journal(path, WHO | {"model": "two"}) as journal:
        assert (journal.kept, journal.other) == (0, True)
    with Journal(path, WHO) as journal:
        assert journal.kept == 0


def test_a_changed_picture_has_another_key(tmp_path):
    import os

    picture = tmp_path / "a.png"
    picture.write_bytes(b"12")
    os.utime(picture, ns=(1, 10**18))
    before = key_of("a.png", picture)
    assert before == key_of("a.png", picture) == f'["a.png", 2, {10**18}]'
    picture.write_bytes(b"34")
    os.utime(picture, ns=(1, 10**18 + 1000))
    assert key_of("a.png", picture) != before
    assert key_of("gone.png", tmp_path / "gone.png") == '["gone.png", -1, -1]'
