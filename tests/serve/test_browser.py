"""The static demo: what is built, and that it says in Chromium what Python says."""

import json
import os
import re
import shutil
import sys
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from neurogaze.affect import EMOTIONS, grid_centers
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import (
    Contract,
    CropRule,
    VAReadout,
    from_json,
    prototypes_hash,
    tensors_hash,
)
from neurogaze.deploy.cropping import crop_face
from neurogaze.deploy.network import DeployedNetwork
from neurogaze.deploy.onnx_export import onnx_graph
from neurogaze.deploy.onnx_file import sealed
from neurogaze.deploy.recogniser import open_recogniser
from neurogaze.errors import InputError
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.models.student import Student
from neurogaze.serve.browser import RUNTIME_FILES, build_browser_page
from tests.serve.test_camera import OPENED, tracks, until

PAGES = Path(__file__).parents[2] / "neurogaze" / "serve" / "browser_pages"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
)  # fmt: skip


def contract_for(prototypes, **changes):
    parts = {
        "labels": EMOTIONS,
        "preprocessing": FacePreprocessing(),
        "crop": CropRule(),
        "temperature": 0.7,
        "va": VAReadout(0.2, shown=True, reason=""),
        "centers": tuple((round(v, 6), round(a, 6)) for v, a in grid_centers(5).tolist()),
        "grid_sha256": "0" * 64,
        "prototypes_sha256": prototypes_hash(prototypes),
        "generated": True,
    }
    return Contract(**parts | changes)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An untrained student with a grid, whose logits are made to differ, as an ONNX file."""
    torch.manual_seed(3)
    student = Student("resnet10t", embedding_dim=32, stem="imagenet").eval()
    student.classify.weight.data *= 20
    prototypes = torch.nn.functional.normalize(torch.randn(25, 32), dim=1)
    contract = contract_for(prototypes, weights_sha256=tensors_hash(student.state_dict()))
    network = DeployedNetwork(student, prototypes).eval()
    path = tmp_path_factory.mktemp("model") / "student.onnx"
    graph = onnx_graph(network, contract.preprocessing)
    path.write_bytes(sealed(graph, contract).SerializeToString())
    return path


@pytest.fixture
def runtime(tmp_path):
    """Files with the names of the real ones, among others that are not needed."""
    folder = tmp_path / "dist"
    folder.mkdir()
    for name in (*RUNTIME_FILES, "ort.webgpu.mjs"):
        (folder / name).write_text(f"// {name}")
    return folder


def test_the_folder_holds_page_model_contract_and_runtime_only(model, runtime, tmp_path):
    page = build_browser_page(model, tmp_path / "demo", runtime)
    assert page == tmp_path / "demo" / "index.html"
    names = {p.name for p in PAGES.iterdir()} | set(RUNTIME_FILES.values())
    assert {p.name for p in page.parent.iterdir()} == names | {"demo.json", "model.onnx"}
    assert (page.parent / "model.onnx").read_bytes() == model.read_bytes()
    settings = json.loads((page.parent / "demo.json").read_text())
    told = from_json(json.dumps(settings["contract"]), page)
    assert told == open_recogniser(model).contract
    assert settings["stamp"] == "Trained on generated faces: meaningless on people."
    assert settings["bytes"] == model.stat().st_size


def test_no_page_names_a_host_and_all_that_is_named_is_there(model, runtime, tmp_path):
    folder = build_browser_page(model, tmp_path / "demo", runtime).parent
    for file in PAGES.iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "//" not in re.sub(r"(?m)(^|[;,{]) *//.*$| // .*$", "", text), file.name
        for name in re.findall(r'(?:from "\./|href="|src=")([\w.]+)"', text):
            assert (folder / name).is_file(), f"{file.name} names {name}"


def test_an_older_demo_is_replaced_and_anything_else_refused(model, runtime, tmp_path):
    out = tmp_path / "demo"
    build_browser_page(model, out, runtime)
    (out / "index.html").write_text("of an older version")
    (out / "plane.js").unlink()
    build_browser_page(model, out, runtime)
    assert (out / "index.html").read_bytes() == (PAGES / "index.html").read_bytes()
    assert (out / "plane.js").is_file()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").write_text("mine")
    with pytest.raises(InputError, match="photos: holds something else than a browser demo"):
        build_browser_page(model, tmp_path / "photos", runtime)
    assert (tmp_path / "photos" / "me.jpg").read_text() == "mine"


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "text", ['{"scenes": [1, 2]}', "[]", "my first demo tape", '"model bytes stamp contract"', ""]
)
def test_a_strangers_demo_json_is_no_demo(model, runtime, tmp_path, text):
    (tmp_path / "tapes").mkdir()
    (tmp_path / "tapes" / "demo.json").write_text(text)
    with pytest.raises(InputError, match=r"tapes/demo\.json: is not that of a browser demo"):
        build_browser_page(model, tmp_path / "tapes", runtime)
    assert (tmp_path / "tapes" / "demo.json").read_text() == text


@pytest.mark.parametrize("extra", ["notes.txt", ".hidden", "index.html/mine.txt"])
def test_a_demo_with_one_file_of_somebody_in_it_is_kept(model, runtime, tmp_path, extra):
    out = tmp_path / "demo"
    build_browser_page(model, out, runtime)
    if (out / extra).parent != out:
        (out / "index.html").unlink()
        (out / "index.html").mkdir()
    (out / extra).write_text("mine")
    before, name = contents(out), Path(extra).parts[0]
    with pytest.raises(InputError, match=f"demo: holds something else .*: {re.escape(name)}"):
        build_browser_page(model, out, runtime)
    assert contents(out) == before


def test_what_is_put_into_a_demo_while_it_is_built_is_kept(model, runtime, tmp_path, monkeypatch):
    """npm may take minutes, in which somebody saves a file there."""
    out = tmp_path / "demo"
    build_browser_page(model, out, runtime)

    def fetch(folder):
        shutil.copytree(runtime, folder, dirs_exist_ok=True)
        (out / "notes.txt").write_text("mine")

    monkeypatch.setattr("neurogaze.serve.browser.fetch_runtime", fetch)
    with pytest.raises(InputError, match="holds something else"):
        build_browser_page(model, out)
    assert (out / "notes.txt").read_text() == "mine"
    assert {p.name for p in tmp_path.iterdir()} == {"demo", "dist"}


def test_a_failed_build_leaves_what_was_there(model, runtime, tmp_path):
    out = tmp_path / "demo"
    build_browser_page(model, out, runtime)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    (runtime / "ort-wasm-simd-threaded.wasm").unlink()
    with pytest.raises(InputError, match=r"dist: lacks ort-wasm-simd-threaded\.wasm"):
        build_browser_page(model, out, runtime)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert {p.name for p in tmp_path.iterdir()} == {"demo", "dist"}


def test_a_folder_reached_in_a_circle_is_refused(model, runtime, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="loop/demo: is reached by links that lead in a circle"):
        build_browser_page(model, tmp_path / "loop" / "demo", runtime)


def test_a_file_that_is_no_student_is_refused(runtime, tmp_path):
    (tmp_path / "x.onnx").write_text("text")
    with pytest.raises(InputError, match=r"x\.onnx"):
        build_browser_page(tmp_path / "x.onnx", tmp_path / "demo", runtime)


def fake_npm(folder, monkeypatch, body):
    """A program called npm, and nothing else on the path."""
    folder.mkdir()
    program = folder / "npm"
    program.write_text(f"#!{sys.executable}\nimport sys, tarfile, io\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def packing(names):
    return f"""
with tarfile.open("some.tgz", "w:gz") as archive:
    for name in {list(names)!r}:
        info = tarfile.TarInfo(name)
        info.size = len(name)
        archive.addfile(info, io.BytesIO(name.encode()))
"""


def test_a_missing_npm_is_said(model, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"npm: is not installed\. Remedy: .*--runtime"):
        build_browser_page(model, tmp_path / "demo")
    assert not list(tmp_path.iterdir())


def test_what_npm_says_when_it_fails_is_told(model, tmp_path, monkeypatch):
    fake_npm(tmp_path / "bin", monkeypatch, "sys.exit('npm error code ENOTFOUND')")
    with pytest.raises(InputError, match=r"onnxruntime-web@.*: failed: npm error code ENOTFOUND"):
        build_browser_page(model, tmp_path / "demo")
    assert not (tmp_path / "demo").exists()


def test_only_the_needed_files_of_the_package_are_taken(model, tmp_path, monkeypatch):
    needed = [f"package/dist/{name}" for name in RUNTIME_FILES]
    fake_npm(tmp_path / "bin", monkeypatch, packing([*needed, "../evil.js", "package/dist/x.js"]))
    out = build_browser_page(model, tmp_path / "demo").parent
    for path in needed:
        assert (out / RUNTIME_FILES[Path(path).name]).read_text() == path
    assert not list(tmp_path.rglob("evil.js")) + list(tmp_path.rglob("x.js"))


def test_a_package_without_the_runtime_is_refused(model, tmp_path, monkeypatch):
    fake_npm(tmp_path / "bin", monkeypatch, packing(["package/dist/other.js"]))
    with pytest.raises(InputError, match=r"some\.tgz: lacks dist/ort"):
        build_browser_page(model, tmp_path / "demo")


# The real build in a browser.


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def served(model, tmp_path_factory):
    """Address of the demo with the real runtime."""
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed")
    pytest.importorskip("playwright.sync_api")
    try:
        page = build_browser_page(model, tmp_path_factory.mktemp("site") / "demo")
    except InputError as error:
        if not error.where.startswith("npm"):
            raise
        pytest.skip(f"the runtime cannot be fetched: {error}")
    handler = partial(Quiet, directory=str(page.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(served):
    """The page in Chromium; at the end nothing was said to the console or asked of another host."""
    from playwright.sync_api import sync_playwright

    said, asked = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(FLAGS)
        )
        page = browser.new_page(viewport={"width": 1100, "height": 1000})
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(served)
        page.wait_for_selector("body[data-ready=yes]")
        yield page
        browser.close()
    assert said == []
    assert len(asked) > 5
    assert all(url.startswith((served, "data:")) for url in asked)


def photograph():
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:220, 130:410])


def shown(page):
    """The eight probabilities on the page, and the square they are of."""
    rows = page.locator("#bars li")
    values = [row.split("\n") for row in rows.all_inner_texts()]
    assert [row[0] for row in values] == list(EMOTIONS)
    text = page.locator("#where").inner_text()
    side, left, top = map(
        int, re.fullmatch(r"square of (\d+) pixels at (\d+), (\d+)", text).groups()
    )
    return [float(row[-1].removesuffix(" %")) / 100 for row in values], Box(
        left, top, side, side, 1
    )


def settled(page, action):
    """Do something that changes the square, and wait for the answer."""
    before = page.locator("#where").inner_text()
    action()
    page.wait_for_function("t => document.getElementById('where').textContent !== t", arg=before)
    page.wait_for_timeout(300)


def check_answer(page, rgb, recogniser, whole=False):
    """What is shown is what onnxruntime says in Python of the same square."""
    found, box = shown(page)
    box = replace(box, cropped=whole)
    face = crop_face(rgb, box, CropRule(margin=1.0, level_eyes=False))
    answers = recogniser.answers(face[None])
    np.testing.assert_allclose(found, answers.probabilities[0], rtol=0, atol=1e-3)
    assert page.locator("#label").inner_text() == EMOTIONS[answers.label[0]]
    valence, arousal = answers.va[0]
    told = page.locator("#va").inner_text()
    numbers = re.match(r"valence (-?[\d.]+), arousal (-?[\d.]+): a projection", told).groups()
    assert [float(n) for n in numbers] == pytest.approx([valence, arousal], abs=0.006)
    assert f"cell {answers.nearest[0] + 1} of 25" in told
    return box, answers


def check_focus(page):
    """Who comes by keyboard sees that the button for pictures is reached."""
    button = page.locator("label.button")
    plain = button.evaluate("b => getComputedStyle(b).outlineStyle")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "file"
    assert (plain, button.evaluate("b => getComputedStyle(b).outlineStyle")) == ("none", "solid")


def luminance(colour):
    """Relative luminance of `#rrggbb` (WCAG 2.1)."""
    levels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_of_an_error_can_be_read(scheme):
    """WCAG 2.1, 1.4.3: 4.5 to 1."""
    text = (PAGES / "style.css").read_text()
    assert "#status.bad { color: var(--bad)" in text
    both = [re.findall(rf"--{name}: (#[0-9a-f]+);", text)[scheme] for name in ("bad", "card")]
    shades = [c if len(c) == 7 else "#" + "".join(2 * d for d in c[1:]) for c in both]
    dark, bright = sorted(luminance(shade) for shade in shades)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_the_page_says_what_python_says(page, model, tmp_path):
    recogniser, rgb = open_recogniser(model), photograph()
    Image.fromarray(rgb).save(tmp_path / "person.png")
    (tmp_path / "words.png").write_text("no picture")
    assert "meaningless on people" in page.locator("#stamp").inner_text()

    settled(page, lambda: page.set_input_files("#file", tmp_path / "person.png"))
    whole, first = check_answer(page, rgb, recogniser, whole=True)
    told = page.locator("#status").inner_text()
    assert told == f"{EMOTIONS[first.label[0]]}. Drag the square to read another face"
    check_focus(page)
    assert (whole.left, whole.top, whole.width) == (30, 0, 220)

    canvas = page.locator("#picture").bounding_box()
    scale = canvas["width"] / rgb.shape[1]
    page.mouse.move(canvas["x"] + 150 * scale, canvas["y"] + 110 * scale)
    settled(page, lambda: page.locator("#picture").press("-"))
    for _ in range(10):
        settled(page, lambda: page.locator("#picture").press("-"))
    check_answer(page, rgb, recogniser)  # the 11 steps of the keys

    def drag():
        page.mouse.down()
        page.mouse.move(canvas["x"] + 124 * scale, canvas["y"] + 106 * scale)
        page.mouse.up()

    settled(page, drag)
    moved, second = check_answer(page, rgb, recogniser)
    assert (moved.left, moved.top) != (whole.left, whole.top)
    assert np.abs(first.probabilities - second.probabilities).max() > 0.01
    if os.environ.get("NEUROGAZE_SCREENSHOTS"):
        folder = Path(os.environ["NEUROGAZE_SCREENSHOTS"])
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / "browser.png", full_page=True)

    page.set_input_files("#file", tmp_path / "words.png")
    page.wait_for_selector("#status.bad")
    assert page.locator("#status").inner_text() == (
        "words.png is no picture that this browser can read"
    )
    check_camera(page)


def check_camera(page):
    """Two clicks leave one camera on, and the third none."""
    page.evaluate(OPENED)
    twice = "const b = document.getElementById('camera'); b.click(); b.click();"
    settled(page, lambda: page.evaluate(twice))
    assert page.locator("#camera").inner_text() == "Stop the camera"
    until(page, "opened.length === 2")
    page.locator("#camera").click()
    assert page.locator("#camera").inner_text() == "Use the camera"
    assert tracks(page) == ["ended", "ended"]
