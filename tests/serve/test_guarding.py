"""Whose requests are taken, and how much of them."""

import asyncio

import pytest

from neurogaze.serve.guarding import Asking, Refused, from_the_page, host_allowed, read_body
from neurogaze.serve.settings import ServeSettings

HERE = "127.0.0.1:8000"


@pytest.mark.parametrize("host", [HERE, "127.0.0.1", "localhost:8000", "[::1]:8000", "127.9.9.9"])
def test_names_of_this_computer_are_taken(host):
    assert host_allowed(host, ServeSettings())


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example#127.0.0.1",
        "evil.example/@127.0.0.1:x",
        "192.168.1.4",
        "[::1",
        "2130706433",
    ],
)
def test_names_that_others_can_bend_are_not(host):
    assert not host_allowed(host, ServeSettings())


def test_a_page_for_others_takes_addresses_and_its_own_name_only():
    settings = ServeSettings(host="box.lan")
    assert host_allowed("192.168.1.4:8000", settings)
    assert host_allowed("box.lan:8000", settings)
    assert not host_allowed("evil.example", settings)


@pytest.mark.parametrize(
    ("origin", "site", "taken"),
    [
        ("", "", True),  # curl
        ("http://127.0.0.1:8000", "same-origin", True),
        ("http://127.0.0.1:8000", "", True),
        ("http://127.0.0.1:9000", "", False),  # another program on this computer
        ("http://localhost:8000", "", False),
        ("null", "", False),  # a sandboxed frame
        ("http://evil.example", "cross-site", False),
        ("", "cross-site", False),
        ("", "same-site", False),
    ],
)
def test_only_the_page_itself_may_post(origin, site, taken):
    assert from_the_page(Asking(origin, site, HERE)) == taken


async def pieces(*chunks, pause=0.0):
    for chunk in chunks:
        await asyncio.sleep(pause)
        yield chunk


def read(chunks, declared=None, limit=10, seconds=5.0):
    return asyncio.run(read_body(chunks, declared, limit, seconds))


def test_a_body_is_put_together():
    assert read(pieces(b"01234", b"56789")) == b"0123456789"
    assert read(pieces(b"0123456789"), declared="10") == b"0123456789"


@pytest.mark.parametrize(
    ("chunks", "declared", "status"),
    [
        ((b"a",), "11", 413),
        ((b"a",), "many", 413),
        ((b"a",), "-1", 413),
        ((b"012345", b"67890"), None, 413),
        ((b"012345", b"67890"), "4", 413),  # a lie
        ((), None, 400),
    ],
)
def test_bodies_beyond_the_limit_are_refused(chunks, declared, status):
    with pytest.raises(Refused) as refused:
        read(pieces(*chunks), declared)
    assert refused.value.status == status


def test_reading_stops_at_the_limit():
    """A sender that never ends is not read to its end."""
    taken = []

    async def endless():
        while True:
            taken.append(1)
            yield b"1234"

    with pytest.raises(Refused):
        read(endless())
    assert len(taken) == 3


def test_a_slow_body_is_given_up():
    with pytest.raises(Refused) as refused:
        read(pieces(b"a", b"b", pause=0.5), seconds=0.05)
    assert refused.value.status == 408
