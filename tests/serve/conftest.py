"""Servers on free ports of the loopback, and a browser that keeps a record of everything."""

import re
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from neurogaze.serve.app import create_app
from neurogaze.serve.running import address_of, listen, server_of
from neurogaze.serve.settings import ServeSettings
from tests.serve.pretend import png_of

STARTING = 300
"""Seconds that a process may take to load torch on a busy machine."""


class Served(NamedTuple):
    """A running `neurogaze serve`."""

    address: str
    port: int
    pid: int


@contextmanager
def serving(desk, reports=None):
    """An application in a thread of this process, behind a real port; gives its address."""
    listener = listen(ServeSettings(port=0))
    server = server_of(create_app(desk, reports), desk.settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield address_of(listener)
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listener.close()


@pytest.fixture(scope="session")
def astronaut():
    """The one real photograph of the suite, `uint8 [512, 512, 3]`; it ships with scikit-image."""
    return pytest.importorskip("skimage.data").astronaut()


@pytest.fixture(scope="session")
def portrait(astronaut):
    """Her face and shoulders, as PNG."""
    return png_of(np.ascontiguousarray(astronaut[0:240, 100:340]))


@pytest.fixture(scope="session")
def report_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports") / "report"
    (folder / "figures").mkdir(parents=True)
    style = "<style>h1 { color: rgb(1, 2, 3); }</style>"
    script = "<script>document.title = 'ran'</script>"
    text = f"<!DOCTYPE html><title>kept</title>{style}<h1>The report</h1>"
    (folder / "report.html").write_text(text)
    (folder / "scripted.html").write_text(text + script)
    (folder / "results.md").write_text("| a |\n")
    (folder / "figures" / "one.png").write_bytes(png_of(np.zeros((8, 8, 3), np.uint8)))
    return folder


@pytest.fixture(scope="session")
def served(tiny_run, report_folder, tmp_path_factory):
    """The command itself, with a student trained for seconds and the detector of OpenCV.

    At the end it is told Ctrl-C, and must leave quietly with everything in order.
    """
    pytest.importorskip("cv2")
    model, folder = tiny_run.run / "student" / "last.ckpt", tmp_path_factory.mktemp("served")
    words = ["serve", "--model", str(model), "--port", "0", "--reports", str(report_folder)]
    with (folder / "errors").open("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "neurogaze", *words],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=folder,
        )
        stopwatch = threading.Timer(STARTING, process.kill)
        stopwatch.start()
        line = process.stdout.readline()
        stopwatch.cancel()
        found = re.match(r"(http://127\.0\.0\.1:(\d+)/)", line)
        assert found, (line, Path(errors.name).read_text())
        yield Served(found[1], int(found[2]), process.pid)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, Path(errors.name).read_text()
        assert said.strip() == "closed"
        assert Path(errors.name).read_text() == ""
        assert [p.name for p in folder.iterdir()] == ["errors"]


class Record(NamedTuple):
    """What a page did: words of its console, errors of its scripts, addresses that it asked."""

    console: list
    crashes: list
    requests: list


ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@pytest.fixture(scope="module")  # its event loop must not outlive the module
def browser(astronaut, tmp_path_factory):
    """Headless Chromium whose camera films the photograph."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is missing")
    film = tmp_path_factory.mktemp("camera") / "film.y4m"
    film.write_bytes(filmed(astronaut))
    arguments = [*ARGUMENTS, f"--use-file-for-fake-video-capture={film}"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=arguments, timeout=120_000)
        yield browser
        browser.close()


def filmed(rgb, frames=2):
    """Her face as YUV4MPEG2, 640 x 480 in 4:2:0; ITU-R 601, studio range."""
    picture = np.repeat(np.repeat(rgb[0:240, 60:380], 2, axis=0), 2, axis=1)
    red, green, blue = np.moveaxis(picture.astype(np.float64), -1, 0)
    y = 16 + (65.5 * red + 128.6 * green + 25.0 * blue) / 255
    u = 128 + (-37.8 * red - 74.2 * green + 112.0 * blue) / 255
    v = 128 + (112.0 * red - 93.8 * green - 18.2 * blue) / 255
    planes = (np.rint(p).clip(0, 255).astype(np.uint8) for p in (y, u[::2, ::2], v[::2, ::2]))
    frame = b"FRAME\n" + b"".join(plane.tobytes() for plane in planes)
    return b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + frames * frame


@contextmanager
def watched(browser, address, expected=(), **settings):
    """A page on `address`; at its end nothing may have gone wrong or gone elsewhere.

    Args:
        browser: of the fixture.
        address: to open.
        expected: words of console errors that a test provokes.
        settings: of the browser's context.
    """
    context = browser.new_context(permissions=["camera"], **settings)
    context.set_default_timeout(60_000)
    page, record = context.new_page(), Record([], [], [])
    page.on("console", lambda m: m.type in ("error", "warning") and record.console.append(m.text))
    page.on("pageerror", lambda error: record.crashes.append(str(error)))
    context.on("request", lambda request: record.requests.append(request.url))
    try:
        page.goto(address)
        page.get_by_text("Ready.").wait_for()
        yield page
        surprises = [t for t in record.console if not any(words in t for words in expected)]
        elsewhere = [u for u in record.requests if not u.startswith((address, f"blob:{address}"))]
        assert surprises == []
        assert record.crashes == []
        assert elsewhere == []
        assert len(record.requests) > 4
    finally:
        context.close()
