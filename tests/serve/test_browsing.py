"""Readers see reports; nothing outside the folder and nothing that is no report."""

import html.parser
import os

import pytest

from neurogaze.serve.browsing import find_in, listing


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "report"
    (root / "figures").mkdir(parents=True)
    (root / ".git").mkdir()
    for name in ("report.html", "figures/a b#1.png", "student.ckpt", ".git/config.txt", "data.npz"):
        (root / name).write_text("x" * 1200)
    (tmp_path / "secret.txt").write_text("secret")
    (root / "way_out.txt").symlink_to(tmp_path / "secret.txt")
    (root / "up").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    return root


@pytest.mark.parametrize("path", ["", "/", "report.html", "figures", "figures/a b#1.png"])
def test_reports_are_found(root, path):
    assert find_in(root, path) == (root / path.strip("/")).resolve()


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "figures/../../secret.txt",
        "up/secret.txt",
        "way_out.txt",
        "loop",
        "/etc/hostname.txt",
        "//etc",
        ".git/config.txt",
        "student.ckpt",
        "data.npz",
        "absent.html",
        "report.html/x",
        "nul\0.html",
        "x" * 5000,
    ],
)
def test_everything_else_is_absent(root, path):
    assert find_in(root, path) is None


def test_a_link_that_stays_inside_is_followed(root):
    (root / "again.html").symlink_to(root / "report.html")
    assert find_in(root, "again.html") == (root / "report.html").resolve()


class Links(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.found.append(dict(attributes)["href"])


def test_a_listing_names_what_can_be_read_reports_first(root):
    page = listing(root, root.resolve())
    assert Links(page).found == ["/", "/reports/report.html", "/reports/figures/"]
    assert "1 kB" in page


def test_a_listing_survives_names_that_are_markup(root):
    (root / "figures" / "<img src=x onerror=alert(1)>'\".png").write_text("x")
    page = listing(root, (root / "figures").resolve())
    assert "<img" not in page
    address = "/reports/figures/%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%27%22.png"
    assert Links(page).found == ["/", "/reports/", address, "/reports/figures/a%20b%231.png"]


def test_names_that_no_address_holds_are_left_out(root):
    """On a disk they may be any bytes; a link by another name leads to none of them."""
    odd = os.fsdecode(b"caf\xe9")
    (root / odd).mkdir()
    (root / odd / "in.html").write_text("x")
    (root / f"{odd}.html").write_text("x")
    (root / "even.html").symlink_to(root / f"{odd}.html")
    (root / f"{odd}2.html").symlink_to(root / "report.html")
    page = listing(root, root.resolve())
    assert Links(page).found == ["/", "/reports/report.html", "/reports/figures/"]
    for path in (odd, f"{odd}.html", f"{odd}/in.html", "even.html", f"{odd}2.html"):
        assert find_in(root, path) is None


def test_a_root_whose_name_is_no_text_is_listed(root):
    root = root.rename(root.with_name(os.fsdecode(b"caf\xe9")))
    assert "<h1>caf\\xe9</h1>" in listing(root, root.resolve()).encode().decode()
