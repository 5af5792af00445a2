"""The page end to end in headless Chromium, against the command with a trained student behind it.

Nothing may reach the console, and no request may leave the host: `watched` sees to both.
"""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.deploy.boxes import Box
from tests.serve.conftest import serving, watched
from tests.serve.pretend import desk, png, png_of

FACES = re.compile(r"^[1-9] faces?; ")
"""Of the film: a cascade may see one in her hair too."""
WIDE = {"width": 1240, "height": 1000}
NARROW = {"width": 390, "height": 844}


@pytest.fixture
def keep(tmp_path):
    """Takes a picture of the page; also where NEUROGAZE_SCREENSHOTS says."""

    def take(page, name):
        path = tmp_path / f"{name}.png"
        page.screenshot(path=path, full_page=True, caret="initial")
        assert path.stat().st_size > 10_000
        if folder := os.environ.get("NEUROGAZE_SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder)

    return take


@pytest.fixture
def page(browser, served):
    with watched(browser, served.address, viewport=WIDE) as page:
        yield page


def give(page, content, name="picture.png", kind="image/png"):
    page.locator("#file").set_input_files({"name": name, "mimeType": kind, "buffer": content})


def status(page, words):
    page.locator("#status", has_text=words).wait_for()


def test_a_picture_is_answered_explained_and_stamped(page, portrait, keep):
    assert page.locator(".stamp").inner_text().startswith("Meaningless on people")
    assert "depression" in page.locator("#notice").inner_text()
    assert "last.ckpt" in page.locator("#facts").inner_text()
    give(page, portrait)
    status(page, "1 face; ")
    card = page.locator(".face")
    assert card.locator("tbody th").all_inner_texts() == list(EMOTIONS)
    shares = [float(t.removesuffix(" %")) for t in card.locator("td:last-child").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=0.5)
    page.wait_for_timeout(300)  # bars grow
    widths = card.locator(".fill").evaluate_all(
        "bars => bars.map(b => 100 * b.getBoundingClientRect().width"
        " / b.parentElement.getBoundingClientRect().width)"
    )
    np.testing.assert_allclose(widths, shares, atol=0.6)
    assert "meaningless on people" in card.locator(".sentence").inner_text()
    assert "nats" in card.locator(".certainty").inner_text()
    assert len(card.locator("figcaption").inner_text()) > 20  # why there is no plane
    box, picture = page.locator(".box").bounding_box(), page.locator("#still").bounding_box()
    middle = box["x"] + box["width"] / 2 - picture["x"], box["y"] + box["height"] / 2 - picture["y"]
    # her nose lies near column 223, row 118 of the photograph, of which 240 x 240 from 100, 0
    expected = 123 / 240 * picture["width"], 118 / 240 * picture["height"]
    np.testing.assert_allclose(middle, expected, atol=0.1 * picture["width"])
    button = card.get_by_role("button", name="Show Grad-CAM")
    button.click()
    card.locator("button[aria-pressed=true]").wait_for()
    heat = card.locator("canvas.heat")
    assert heat.is_visible()
    assert opaque(heat) > 0 or "Nothing" in card.locator(".note").inner_text()
    keep(page, "result")
    card.get_by_role("button", name="Hide Grad-CAM").click()
    assert not heat.is_visible()


def opaque(canvas):
    """Pixels of a canvas that hide something of what lies under them."""
    return canvas.evaluate(
        "c => c.getContext('2d').getImageData(0, 0, c.width, c.height)"
        ".data.filter((v, i) => i % 4 === 3 && v > 20).length"
    )


def test_what_is_no_picture_is_refused_in_words(page, portrait, keep):
    give(page, portrait)
    status(page, "1 face; ")
    error = page.get_by_role("alert")
    give(page, b"just words", "words.jpg", "image/jpeg")
    error.filter(has_text="no picture that can be read").wait_for()
    assert page.locator(".face").count() == 0  # an old answer beside a new picture would lie
    give(page, portrait + b"\0" * 10_000_000, "huge.png")
    error.filter(has_text="larger than 10 MB").wait_for()
    keep(page, "oversized")
    give(page, portrait)
    status(page, "1 face; ")
    assert not error.is_visible()


def test_a_broken_picture_is_refused_by_the_program(browser, served, portrait):
    """The browser itself writes a line to its console for any refusal."""
    with watched(browser, served.address, expected=("status of 422",)) as page:
        give(page, portrait[: len(portrait) // 2])
        page.get_by_role("alert").filter(has_text="The picture").wait_for()
        assert page.locator(".face").count() == 0


def test_no_face_and_two_faces(page, astronaut, keep):
    give(page, png(level=200, size=(320, 240)))
    status(page, "No face was found in this picture.")
    assert page.locator(".face").count() == 0
    keep(page, "no_face")
    one = astronaut[0:240, 100:340]
    give(page, png_of(np.concatenate([one, one[:, ::-1]], axis=1)))
    status(page, "2 faces; ")
    assert page.locator(".face").count() == page.locator(".box").count() == 2
    left, right = sorted(page.locator(".box").nth(i).bounding_box()["x"] for i in range(2))
    assert right - left > 0.3 * page.locator("#still").bounding_box()["width"]
    keep(page, "two_faces")


def test_the_camera_is_judged_when_asked_and_steadily(page, keep):
    page.get_by_role("button", name="Use the camera").click()
    status(page, "The camera is on")
    assert page.locator(".face").count() == 0
    page.get_by_role("button", name="Judge this moment").click()
    status(page, FACES)
    with page.expect_response("**/api/answer"), page.expect_response("**/api/answer"):
        page.get_by_label("twice a second").check()
    keep(page, "camera")
    page.get_by_role("button", name="Stop the camera").click()
    status(page, "The camera is off.")
    assert page.locator("#live").evaluate("video => video.srcObject") is None
    assert page.locator(".face").count() == 0


def test_the_report_is_read_beside_the_page(page, keep):
    page.get_by_role("link", name="Experiment report").click()
    page.get_by_role("link", name="figures/").click()
    page.get_by_role("link", name="one.png").wait_for()
    page.get_by_role("link", name="One folder up").click()
    keep(page, "reports")
    page.get_by_role("link", name="report.html").click()
    heading = page.get_by_role("heading", name="The report")
    assert heading.evaluate("h => getComputedStyle(h).color") == "rgb(1, 2, 3)"


def test_the_report_holds_no_script_that_runs(browser, served):
    """The browser says so in its console."""
    with watched(browser, served.address, expected=("Content Security Policy",)) as page:
        page.goto(f"{served.address}reports/scripted.html")
        assert page.get_by_role("heading", name="The report").is_visible()
        assert page.title() == "kept"


@pytest.fixture(scope="module")
def shown():
    """A student that shows valence and arousal, and one that is too unsure."""
    boxes = [Box(20, 15, 110, 110, 0.9), Box(190, 30, 80, 80, 0.8)]
    with serving(desk(boxes=boxes)) as sure, serving(desk(boxes=boxes, abstain_below=0.9)) as no:
        yield sure, no


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_plane_shows_where_a_face_lies(browser, shown, keep, portrait, scheme):
    with watched(browser, shown[0], viewport=WIDE, color_scheme=scheme) as page:
        give(page, portrait)
        status(page, "2 faces; ")
        plane = page.locator(".face").first.locator(".plane svg")
        assert plane.locator(".cell").count() == 26  # the nearest lies over its own
        point, near = plane.locator(".point"), plane.locator(".near")
        assert (point.get_attribute("cx"), point.get_attribute("cy")) == ("0.4", "-0.4")
        spot, cell = point.bounding_box(), near.bounding_box()
        for start, size in (("x", "width"), ("y", "height")):
            middle = spot[start] + spot[size] / 2
            assert middle == pytest.approx(cell[start] + cell[size] / 2, abs=1.5)
        assert "valence 0.40, arousal 0.40" in plane.get_attribute("aria-label")
        assert page.locator(".stamp").count() == 0 or not page.locator(".stamp").is_visible()
        page.get_by_role("button", name="Show occlusion map").first.click()
        page.locator("button[aria-pressed=true]").wait_for()
        keep(page, f"plane_{scheme}")


def test_too_unsure_is_no_answer(browser, shown, keep, portrait):
    with watched(browser, shown[1], viewport=NARROW) as page:
        give(page, portrait)
        status(page, "the largest: no answer (too unsure)")
        assert page.locator(".face h2").first.inner_text().endswith("No answer (too unsure)")
        assert page.locator("tr.top").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        keep(page, "unsure_narrow")


DROP = """(drop, numbers) => {
  const file = new File([new Uint8Array(numbers)], "dropped.png", { type: "image/png" });
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(file);
  drop.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


def test_a_picture_is_dropped_and_the_keyboard_reaches_everything(browser, shown):
    with watched(browser, shown[0], viewport=WIDE) as page:
        page.locator("#drop").evaluate(DROP, list(png(size=(300, 200))))
        status(page, "2 faces; ")
        reached = []
        for _ in range(7):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate("document.activeElement.id || document.activeElement.tagName")
            )
        assert reached[:3] == ["A", "file", "camera"]
        assert reached[3:] == ["BUTTON", "SELECT"] * 2
