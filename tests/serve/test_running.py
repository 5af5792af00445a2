"""The page behind a real port: many at once, hostile bodies, this computer only, a clean end."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from neurogaze.cli import main
from neurogaze.errors import InputError
from neurogaze.serve.running import address_of, listen, warning_of
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


def crowd(port, picture, n):
    """`n` pictures from 16 clients, each with a connection of its own; gives (status, faces)."""
    local = threading.local()

    def ask(_):
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        local.connection.request("POST", "/api/answer", picture, OCTETS)
        reply = local.connection.getresponse()
        return reply.status, len(json.loads(reply.read())["faces"])

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(ask, range(n)))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
def test_500_requests_from_16_clients_without_an_error_or_growth(served, astronaut):
    picture = png_of(np.ascontiguousarray(astronaut[50:190:2, 150:290:2])) + BALLAST
    crowd(served.port, picture, WARM)
    before = resident_kb(served.pid)
    answers = crowd(served.port, picture, REQUESTS)
    assert set(answers) == {(200, 1)}
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
    host, port = address.removeprefix("http://").strip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:  # the server has heard enough
            pass
        return connection.makefile("rb").read()


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


def test_a_host_of_somebody_else_is_refused():
    with pytest.raises(InputError, match=r"192\.0\.2\.1"):  # documentation only, RFC 5737
        listen(ServeSettings(host="192.0.2.1", port=0))


def test_the_address_and_the_warning():
    with listen(ServeSettings(port=0)) as listener:
        assert address_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}/"
    assert warning_of(ServeSettings()) == ""
    warning = warning_of(ServeSettings(host="0.0.0.0"))
    assert "0.0.0.0" in warning
    assert "no password" in warning


ENDING = """
from neurogaze.serve.running import answer_until_stopped, listen
from neurogaze.serve.settings import ServeSettings

async def app(scope, receive, send):
    raise AssertionError

listener = listen(ServeSettings(port=0))
print("ready", flush=True)
answer_until_stopped(app, listener)
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
