"""The camera of the page: whatever goes wrong or too fast, none stays on unseen."""

import pytest

from tests.serve.conftest import serving, watched
from tests.serve.pretend import desk, png

OPENED = """
window.opened = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  window.opened.push(stream);
  return stream;
};
null;
"""
"""Keeps every stream that the page was given."""

LATE = "const given = window.leave = {}; given.wait = new Promise((done) => (given.give = done));"
HELD = """
const late = navigator.mediaDevices.getUserMedia;
navigator.mediaDevices.getUserMedia = async (wanted) => {
  await window.leave.wait;
  return late(wanted);
};
null;
"""
"""Leave to use the camera comes when the test says so."""


@pytest.fixture(scope="module")
def address():
    with serving(desk()) as address:
        yield address


@pytest.fixture
def page(browser, address):
    with watched(browser, address) as page:
        page.evaluate(OPENED)
        yield page


def tracks(page):
    """State of the camera in each stream."""
    return page.evaluate("opened.map((stream) => stream.getTracks()[0].readyState)")


def until(page, words):
    """Wait until an expression holds; asked from here, since the page forbids `eval`."""
    for _ in range(1200):
        if page.evaluate(words):
            return
        page.wait_for_timeout(50)
    raise AssertionError(words)


def test_two_clicks_open_one_camera_and_stop_ends_it(page):
    page.evaluate("const b = document.getElementById('camera'); b.click(); b.click();")
    page.locator("#status", has_text="The camera is on").wait_for()
    until(page, "opened.length === 2")
    assert sorted(tracks(page)) == ["ended", "live"]
    page.locator("#stop").click()
    page.locator("#status", has_text="The camera is off.").wait_for()
    assert tracks(page) == ["ended", "ended"]


def test_a_camera_that_cannot_be_shown_is_let_go(page):
    page.evaluate("HTMLMediaElement.prototype.play = () => Promise.reject(new Error('no')); null;")
    page.locator("#camera").click()
    page.locator("#error", has_text="The camera cannot be used: no.").wait_for()
    assert tracks(page) == ["ended"]
    assert page.locator("#camera").is_visible()
    assert not page.locator("#stop").is_visible()


def test_a_picture_takes_the_wish_for_the_camera_back(page):
    page.evaluate(LATE + HELD)
    page.locator("#camera").click()
    picture = {"name": "a.png", "mimeType": "image/png", "buffer": png(size=(300, 200))}
    page.locator("#file").set_input_files(picture)
    page.locator("#status", has_text="face").wait_for()
    said = page.locator("#status").inner_text()
    page.evaluate("leave.give()")
    until(page, "opened.length === 1 && opened[0].getTracks()[0].readyState === 'ended'")
    assert page.locator("#status").inner_text() == said
    assert page.locator("#still").is_visible()
