"""A bar is gone when its block is left."""

import threading

import pytest

from neurogaze.progress import tracked


def bars():
    return [thread for thread in threading.enumerate() if "Track" in type(thread).__name__]


def test_items_come_in_order(capsys):
    with tracked([3, 1, 2], "counting") as items:
        assert next(items) == 3
        assert len(bars()) == 1
        assert list(items) == [1, 2]
    assert not bars()
    assert "counting" in capsys.readouterr().out


def test_an_error_ends_the_bar_though_its_traceback_is_kept():
    def fails():
        with tracked([1, 2], "counting") as items:
            return [1 / (item - item) for item in items]

    with pytest.raises(ZeroDivisionError) as raised:
        fails()
    assert raised.value.__traceback__ is not None
    assert not bars()


def test_no_bar_where_none_is_shown(capsys):
    with tracked([1], "counting", shown=False) as items:
        assert not bars()
        assert list(items) == [1]
    assert capsys.readouterr().out == ""
