"""The page behind a real port: many at once, hostile bodies, this computer only, a clean end."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from neurogaze.cli import main
from neurogaze.errors import InputError
from neurogaze.serve.running import CONNECTIONS, address_of, listen, warning_of
from neurogaze.serve.settings import ServeSettings
from tests.serve.conftest import serving
from tests.serve.pretend import desk, png, png_of

CLIENTS, REQUESTS, WARM = 16, 500, 120
BALLAST = bytes(200_000)
"""After the end of a PNG, where decoders do not look: makes an upload heavy, and no slower."""
GROWTH_KB = 24_000
"""Arenas of the allocator settle within it; to keep 500 uploads would take 100,000."""
OCTETS = {"Content-Type": "application/octet-stream"}


def resident_kb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def crowd(port, pictures, n):
    """`n` pictures in turn from 16 clients, each on its own connection; gives (status, faces)."""
    local = threading.local()

    def ask(i):
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        picture = pictures[i % len(pictures)]
        local.connection.request("POST", "/api/answer", picture, OCTETS)
        reply = local.connection.getresponse()
        return reply.status, len(json.loads(reply.read())["faces"])

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(ask, range(n)))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
def test_500_requests_from_16_clients_without_an_error_or_growth(served, astronaut):
    """One in five shows her face, which takes long; everybody gets the answer to their own."""
    her, empty = png_of(np.ascontiguousarray(astronaut[50:190:2, 150:290:2])), png(size=(24, 24))
    pictures = [her + BALLAST, *[empty + BALLAST] * 4]
    crowd(served.port, pictures, WARM)
    before = resident_kb(served.pid)
    answers = crowd(served.port, pictures, REQUESTS)
    assert answers == [(200, 1), *[(200, 0)] * 4] * (REQUESTS // 5)
    assert resident_kb(served.pid) - before < GROWTH_KB


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="no /proc to read sockets from")
def test_nothing_listens_beyond_the_loopback(served):
    """The kernel's own list: state 0A is listening; 0100007F is 127.0.0.1."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    six = Path("/proc/net/tcp6")
    lines += six.read_text().splitlines()[1:] if six.exists() else []
    fields = [line.split() for line in lines]
    mine = [f[1] for f in fields if f[3] == "0A" and f[1].endswith(f":{served.port:04X}")]
    assert mine == [f"0100007F:{served.port:04X}"]


def raw(address, request, pieces=()):
    """Send bytes as they are; gives the status line and what else came."""
    with opened(address) as connection:
        connection.sendall(request)
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:  # the server has heard enough
            pass
        return connection.makefile("rb").read()


def opened(address):
    """A connection that has said nothing yet."""
    host, port = address.removeprefix("http://").strip("/").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def asked(address):
    """Status of a short request."""
    host = address.removeprefix("http://").strip("/").encode()
    request = b"GET /api/model HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
    return int(raw(address, request).split()[1])


def head(address, *lines):
    host = address.removeprefix("http://").strip("/")
    fixed = ("POST /api/answer HTTP/1.1", f"Host: {host}", "Content-Type: image/png")
    return "\r\n".join((*fixed, "Connection: close", *lines, "", "")).encode()


@pytest.fixture(scope="module")
def strict():
    """A page with small limits."""
    with serving(desk(settings=ServeSettings(body_bytes=1000, body_seconds=0.3))) as address:
        yield address


def test_an_upload_that_is_declared_too_large_is_refused_unread(strict):
    assert raw(strict, head(strict, "Content-Length: 1001")).startswith(b"HTTP/1.1 413")


def test_an_upload_that_grows_too_large_is_refused_while_it_comes(strict):
    piece = b"100\r\n" + b"x" * 256 + b"\r\n"
    reply = raw(strict, head(strict, "Transfer-Encoding: chunked"), [piece] * 5)
    assert reply.startswith(b"HTTP/1.1 413")


def test_an_upload_that_never_ends_is_given_up(strict):
    assert raw(strict, head(strict, "Content-Length: 900"), [b"x"]).startswith(b"HTTP/1.1 408")


def test_who_finds_no_room_is_told_before_the_upload_when_to_come_back():
    """One upload has begun and holds the only place."""
    few = ServeSettings(waiting=1, body_seconds=60)
    with serving(desk(settings=few)) as address, opened(address) as slow:
        slow.sendall(head(address, "Content-Length: 500") + b"x")
        time.sleep(0.2)
        reply = raw(address, head(address, "Content-Length: 900000"))  # nothing of it is sent
        assert reply.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 2" in reply
        assert b"Too many" in reply


def test_few_uploads_are_read_at_once():
    """The second picture is here whole, and waits unread until the first is given up."""
    few = ServeSettings(uploads=1, body_seconds=0.5)
    with serving(desk(settings=few)) as address, opened(address) as slow:
        slow.sendall(head(address, "Content-Length: 500") + b"x")
        time.sleep(0.2)
        begun, picture = time.monotonic(), png()
        reply = raw(address, head(address, f"Content-Length: {len(picture)}"), [picture])
        assert reply.startswith(b"HTTP/1.1 200")
        assert time.monotonic() - begun > 0.2
        assert slow.recv(12) == b"HTTP/1.1 408"


SILENT = ("", "GET /api/model HT", "GET /api/model HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")


def test_idle_connections_do_not_shut_the_page():
    """More than are let in at once, silent or with half a header: after a moment they are closed.

    So is one that has been answered and then begins, byte by byte, a request without an end.
    """
    with serving(desk(settings=ServeSettings(header_seconds=0.5))) as address, ExitStack() as stack:
        again = stack.enter_context(opened(address))
        again.sendall(b"GET /api/model HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert again.recv(12) == b"HTTP/1.1 200"
        again.sendall(b"G")
        idle = [stack.enter_context(opened(address)) for _ in range(CONNECTIONS + 2)]
        for i, connection in enumerate(idle):
            connection.sendall(SILENT[i % len(SILENT)].encode())
        assert asked(address) == 503
        until = time.monotonic() + 30
        while asked(address) != 200:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert {connection.recv(1) for connection in idle} == {b""}
        assert again.makefile("rb").read().endswith(b"}")  # to its end, which is here


def test_a_connection_in_use_is_kept():
    """One that asks now and then outlives many looks."""
    with serving(desk(settings=ServeSettings(header_seconds=0.4))) as address:
        host, port = address.removeprefix("http://").strip("/").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        connection.connect()
        mine = connection.sock
        for _ in range(6):
            connection.request("GET", "/api/model")
            assert connection.getresponse().read()
            time.sleep(0.2)
        assert connection.sock is mine


def test_two_hosts_or_none_are_refused(strict):
    assert raw(strict, head(strict, "Host: evil.example")).startswith(b"HTTP/1.1 400")
    assert raw(strict, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_paths_lead_nowhere_on_the_wire(strict):
    """As sent: a client library would tidy them up."""
    host = strict.removeprefix("http://").strip("/").encode()
    for path in (b"/../../etc/passwd", b"/page/../app.py", b"/%2e%2e/%2e%2e/etc/passwd", b"//etc"):
        request = b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
        assert raw(strict, request).startswith(b"HTTP/1.1 404")


def test_a_client_that_leaves_disturbs_nobody(strict):
    host, port = strict.removeprefix("http://").strip("/").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(head(strict, "Content-Length: 500") + b"x")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.request("POST", "/api/answer", png(), OCTETS)
    assert connection.getresponse().status == 200


def test_a_port_in_use_is_one_clear_line(tmp_path, capsys):
    with listen(ServeSettings(port=0)) as taken:
        port = taken.getsockname()[1]
        code = main(["serve", "--model", str(tmp_path / "x.onnx"), "--port", str(port)])
    assert code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert f"port {port} of 127.0.0.1" in line
    assert "--port" in line


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("192.0.2.1", "is no address of this computer"),  # documentation only, RFC 5737
        ("nonexistent.invalid", "is no host that this computer knows"),  # RFC 2606
        ("", "is no host that this computer knows"),
        ("a..b", "is no host that this computer knows"),
    ],
)
def test_a_host_that_is_not_ours_is_refused_and_the_port_not_blamed(host, reason):
    with pytest.raises(InputError) as refused:
        listen(ServeSettings(host=host, port=0))
    said = str(refused.value)
    assert f"--host {host}: {reason}" in said
    assert "--port" not in said


def test_the_address_and_the_warning():
    with listen(ServeSettings(port=0)) as listener:
        assert address_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/"
    assert warning_of(ServeSettings()) == ""
    warning = warning_of(ServeSettings(host="0.0.0.0"))
    assert "0.0.0.0" in warning
    assert "no password" in warning


ENDING = """
from neurogaze.serve.running import answer_until_stopped, listen, server_of
from neurogaze.serve.settings import ServeSettings

async def app(scope, receive, send):
    raise AssertionError

settings = ServeSettings(port=0)
listener = listen(settings)
print("ready", flush=True)
answer_until_stopped(server_of(app, settings), listener)
print("closed", listener.fileno())
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_ctrl_c_ends_it_quietly():
    process = subprocess.Popen(
        [sys.executable, "-c", ENDING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    try:
        process.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    assert (process.returncode, said.strip(), errors) == (0, "closed -1", "")
