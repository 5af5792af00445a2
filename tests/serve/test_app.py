"""Every address of the page, and every way of asking that is refused."""

import json
import os
import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from neurogaze.errors import InputError
from neurogaze.serve import app as application
from neurogaze.serve.app import PAGES, create_app
from neurogaze.serve.settings import ServeSettings
from tests.serve.pretend import desk, png

BASE = "http://127.0.0.1:8000"
OCTETS = {"content-type": "application/octet-stream"}
FOLDER = Path(application.__file__).parent / "pages"


@pytest.fixture
def reports(tmp_path):
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "report.html").write_text("<p>the report</p>")
    (folder / "weights.ckpt").write_text("weights")
    (tmp_path / "secret.html").write_text("secret")
    return folder


@pytest.fixture
def client(reports):
    app = create_app(desk(settings=ServeSettings(body_bytes=20_000)), reports)
    with TestClient(app, base_url=BASE, raise_server_exceptions=False) as client:
        yield client


def ask(client, data=None, address="/api/answer", **headers):
    body = png() if data is None else data
    return client.post(address, content=body, headers=OCTETS | headers)


def test_a_picture_is_answered(client):
    reply = ask(client)
    assert reply.status_code == 200
    assert reply.json()["faces"][0]["label"] == "happiness"
    assert ask(client, **{"content-type": "image/png"}).status_code == 200


def test_an_explanation_is_answered(client):
    reply = ask(client, b"\x80" * 48 * 48, "/api/explain/fear")
    assert reply.status_code == 200
    assert set(reply.json()) == {"heat", "note"}
    assert ask(client, b"\x80", "/api/explain/fear").status_code == 422
    assert ask(client, b"\x80" * 48 * 48, "/api/explain/joy").status_code == 422


def test_the_page_is_served_with_everything_that_it_names(client):
    for address, (name, kind) in PAGES.items():
        reply = client.get(address)
        assert reply.status_code == 200
        assert reply.headers["content-type"] == kind
        assert reply.content == (FOLDER / name).read_bytes()
    named = re.findall(r'(?:src|href)="(/[^"]*)"', client.get("/").text)
    assert {client.get(address).status_code for address in named} == {200}


def test_nothing_of_the_page_comes_from_elsewhere():
    for path in FOLDER.iterdir():
        hosts = set(re.findall(r"https?://[\w.]+", path.read_text()))
        assert hosts <= {"http://www.w3.org"}, path.name  # the name of SVG, never fetched


def test_every_response_tells_the_browser_to_be_strict(client):
    replies = [client.get("/"), client.get("/absent"), client.get("/api/answer"), ask(client, b"x")]
    replies += [client.get("/", headers={"host": "evil.example"}), client.get("/reports/")]
    for reply in replies:
        said = reply.headers
        assert "default-src" in said["content-security-policy"]
        assert "frame-ancestors 'none'" in said["content-security-policy"]
        assert "unsafe-eval" not in said["content-security-policy"]
        assert said["x-content-type-options"] == "nosniff"
        assert said["referrer-policy"] == "no-referrer"
        assert said["permissions-policy"].startswith("camera=(self)")
        assert said["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in said
    assert "unsafe-inline" not in client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in client.get("/reports/").headers["content-security-policy"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_wrong_methods(client, method):
    for address in ("/api/answer", "/api/explain/fear"):
        reply = client.request(method, address)
        assert reply.status_code == 405
        assert reply.headers["allow"] == "POST"
    if method != "GET":
        for address in ("/", "/api/model", "/reports/", "/reports/report.html"):
            assert client.request(method, address).status_code == 405
            assert client.head(address).status_code == 200


@pytest.mark.parametrize("path", ["absent", "docs", "redoc", "openapi.json", "page/", "api"])
def test_unknown_addresses_are_told_so_without_an_echo(client, path):
    reply = client.get(f"/{path}?word=echo_of_me")
    assert reply.status_code == 404
    assert reply.json() == {"error": "There is nothing here."}


@pytest.mark.parametrize(
    "path",
    [
        "/reports/../secret.html",
        "/reports/%2e%2e/secret.html",
        "/reports/..%2fsecret.html",
        "/reports/%2e%2e%2fsecret.html",
        "/reports/..%5csecret.html",
        "/reports/%00.html",
        "/reports//etc/hostname",
        "/reports/weights.ckpt",
        "/page/../app.py",
        "/page/%2e%2e/app.py",
        "/page/..%2fapp.py",
        "/page/app.py",
    ],
)
def test_no_path_leads_out(client, path):
    reply = client.get(path)
    assert reply.status_code == 404
    assert "secret" not in reply.text


def test_a_folder_with_a_name_that_is_no_utf_8_is_listed(client, reports):
    (reports / os.fsdecode(b"caf\xe9.html")).write_text("x")
    reply = client.get("/reports/")
    assert reply.status_code == 200
    assert "report.html" in reply.text


def test_reports_are_browsed_where_there_are_some(client, reports):
    assert "report.html" in client.get("/reports/").text
    assert client.get("/reports/report.html").text == "<p>the report</p>"
    assert client.get("/api/model").json()["reports"] is True
    without = TestClient(create_app(desk()), base_url=BASE)
    assert without.get("/reports/").status_code == 404
    assert without.get("/api/model").json()["reports"] is False
    with pytest.raises(InputError, match="no folder"):
        create_app(desk(), reports / "absent")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_posts_of_other_sites_are_refused(client, headers):
    assert ask(client, **headers).status_code == 403
    assert ask(client, origin=BASE, **{"sec-fetch-site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
def test_a_name_that_was_made_to_point_here_is_refused(client, host):
    assert client.get("/api/model", headers={"host": host}).status_code == 400
    assert ask(client, host=host).status_code == 400


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""],
)
def test_what_a_form_of_any_site_could_send_is_refused(client, kind):
    assert ask(client, **{"content-type": kind}).status_code == 415


def test_sizes_are_refused_whether_declared_or_not(client):
    assert ask(client, b"x" * 20_001).status_code == 413
    chunks = (b"x" * 5_000 for _ in range(10))
    assert ask(client, chunks).status_code == 413
    assert ask(client, b"").status_code == 400
    assert ask(client, b"x" * 20_000).status_code == 422


def test_a_file_that_is_no_picture_is_told_in_plain_words(client):
    reply = ask(client, b"hello")
    assert reply.status_code == 422
    assert reply.json()["error"].startswith("The picture ")
    assert "hello" not in reply.text


def test_nothing_is_written(client, tmp_path, monkeypatch):
    """Neither here nor where temporary files go, however large the upload."""
    import tempfile

    def files():
        return sorted(str(p) for p in tmp_path.rglob("*"))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def forbidden(*args, **kwargs):
        raise AssertionError("a temporary file")

    before = files()
    monkeypatch.setattr(os, "mkdir", forbidden)
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", forbidden)
    noise = os.urandom(19_000)
    assert ask(client).status_code == 200
    assert ask(client, png() + noise).status_code == 200
    assert files() == before


def test_a_bug_is_told_without_its_inside(reports):
    broken = desk()

    def fail(rgb):
        raise RuntimeError("inner words")

    broken.detector.detect = fail
    with TestClient(create_app(broken), base_url=BASE, raise_server_exceptions=False) as client:
        reply = ask(client)
    assert reply.status_code == 500
    assert "inner words" not in reply.text
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "error" in json.loads(reply.text)
