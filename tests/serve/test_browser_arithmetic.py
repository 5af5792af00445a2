"""The arithmetic of the static demo, run in Node.js, is that of the package."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from neurogaze.affect import EMOTIONS, grid_centers
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.contract import Contract, CropRule, VAReadout, to_json
from neurogaze.deploy.cropping import Square, crop_face, sampled, square_of
from neurogaze.deploy.detection import Cropped
from neurogaze.deploy.network import Outputs
from neurogaze.deploy.recogniser import answers_of
from neurogaze.faces.preprocessing import FacePreprocessing, to_input

PAGES = Path(__file__).parents[2] / "neurogaze" / "serve" / "browser_pages"

SQUARES = (
    (0, 0, 48), (30, 12, 48), (10, 5, 20), (3, 7, 70), (20.5, 11.25, 61.3), (-20, -8, 80),
    (0, 0, 97), (60, 40, 90),
)  # fmt: skip
"""Left, top, side: as they are, enlarged, shrunk, between pixels, and beyond the edges."""


def in_node(folder, code, **given):
    """What a script prints as JSON, the page's arithmetic imported; `given` is its input."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    for name in ("arithmetic.js", "square.js"):
        shutil.copy(PAGES / name, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "given.json").write_text(json.dumps(given))
    (folder / "run.mjs").write_text(
        'import * as page from "./arithmetic.js";\nimport { readFileSync } from "node:fs";\n'
        'import { defaultSquare } from "./square.js";\n'
        f'const given = JSON.parse(readFileSync("given.json"));\n{code}\n'
    )
    done = subprocess.run([node, "run.mjs"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


READ = """
const { rgb, width, height } = given;
const read = (left, top, w, h) => {
  const rgba = [];
  for (let y = top; y < top + h; y += 1)
    for (let x = left; x < left + w; x += 1)
      rgba.push(...rgb.slice(3 * (y * width + x), 3 * (y * width + x) + 3), 255);
  return rgba;
};
"""
CROP = f"""{READ}
const crops = given.squares.map(([left, top, side]) =>
  [...page.cropGrey(read, width, height, {{ left, top, side }})]);
console.log(JSON.stringify(crops));
"""


@pytest.mark.parametrize(
    ("height", "width", "squares"), [(97, 130, SQUARES), (430, 420, [(5, 9, 400)])]
)
def test_the_page_samples_a_square_as_the_package_does(tmp_path, height, width, squares):
    """Also where blocks of pixels are averaged before, as in the larger picture."""
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    given = {"rgb": rgb.ravel().tolist(), "width": width, "height": height}
    crops = in_node(tmp_path, CROP, squares=squares, **given)
    for (left, top, side), crop in zip(squares, crops, strict=True):
        expected = sampled(rgb, Square(left + side / 2, top + side / 2, side))
        difference = np.array(crop).reshape(48, 48) - expected.astype(int)
        assert np.abs(difference).max() <= 1, (left, top, side)  # sums in another order
        assert np.mean(difference != 0) < 0.002, (left, top, side)


WHOLE = f"""{READ}
const square = defaultSquare(width, height);
console.log(JSON.stringify([square, [...page.cropGrey(read, width, height, square)]]));
"""


@pytest.mark.parametrize(
    "size", [(48, 48), (97, 130), (100, 97), (61, 48), (20, 33), (96, 99), (300, 301), (5, 4)]
)
def test_a_whole_picture_is_cut_as_the_package_cuts_a_face_crop(tmp_path, size):
    """To the level, as students saw such pictures in training; sampling would give others."""
    rgb = np.random.default_rng(5).integers(0, 256, (*size, 3), dtype=np.uint8)
    given = {"rgb": rgb.ravel().tolist(), "width": size[1], "height": size[0]}
    square, crop = in_node(tmp_path, WHOLE, **given)
    (box,) = Cropped().detect(rgb)
    assert (square["left"], square["top"], square["side"]) == (box.left, box.top, box.width)
    expected = crop_face(rgb, box, CropRule())
    np.testing.assert_array_equal(np.array(crop).reshape(48, 48), expected)


def test_a_square_that_was_moved_is_no_longer_the_whole_picture(tmp_path):
    code = (
        'import { confined } from "./square.js";\n'
        "console.log(JSON.stringify(confined(defaultSquare(90, 60), 90, 60)));"
    )
    assert "whole" not in in_node(tmp_path, code)


def test_a_square_of_48_whole_pixels_comes_back(tmp_path):
    level = np.random.default_rng(1).integers(0, 256, (60, 60, 1), dtype=np.uint8)
    rgb = np.broadcast_to(level, (60, 60, 3))
    given = {"rgb": rgb.ravel().tolist(), "width": 60, "height": 60}
    (crop,) = in_node(tmp_path, CROP, squares=[(7, 3, 48)], **given)
    assert np.array_equal(np.array(crop).reshape(48, 48), level[3:51, 7:55, 0])


@pytest.mark.parametrize(("size", "channels"), [(44, 1), (43, 1), (48, 3), (64, 1)])
def test_the_page_prepares_as_the_package_does(tmp_path, size, channels):
    prep = FacePreprocessing(size, channels, mean=0.45, std=0.2)
    face = np.random.default_rng(2).integers(0, 256, (1, 48, 48), dtype=np.uint8)
    code = "console.log(JSON.stringify([...page.prepare(given.grey, given.prep)]));"
    rule = {"size": size, "channels": channels, "mean": 0.45, "std": 0.2}
    found = in_node(tmp_path, code, grey=face.ravel().tolist(), prep=rule)
    expected = to_input(torch.from_numpy(face), prep).numpy().ravel()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_page_reads_out_as_the_package_does(tmp_path):
    rng = np.random.default_rng(4)
    logits, cosines = rng.normal(0, 3, (1, 8)), rng.uniform(-1, 1, (1, 25))
    contract = Contract(
        EMOTIONS, FacePreprocessing(), CropRule(), temperature=1.7, abstain_below=0.999,
        va=VAReadout(0.2, shown=True, reason=""), centers=tuple(map(tuple, grid_centers(5))),
        grid_sha256="0" * 64, prototypes_sha256="1" * 64,
    )  # fmt: skip
    told = json.loads(to_json(contract))
    code = "console.log(JSON.stringify(page.readOut(given.l, given.c, given.told)));"
    found = in_node(tmp_path, code, l=logits[0].tolist(), c=cosines[0].tolist(), told=told)
    answers = answers_of(Outputs(logits, np.zeros((1, 4)), cosines), contract)
    np.testing.assert_allclose(found["probabilities"], answers.probabilities[0], atol=1e-12)
    np.testing.assert_allclose(found["va"], answers.va[0], atol=1e-12)
    assert found["entropy"] == pytest.approx(answers.entropy[0])
    assert (found["label"], found["nearest"]) == (answers.label[0], answers.nearest[0])
    assert found["abstained"] is True


def test_what_is_not_shown_is_null(tmp_path):
    told = {"temperature": 1, "abstain_below": 0, "va": {"temperature": 1, "shown": False}}
    code = (
        "console.log(JSON.stringify([page.readOut([1, 2], [0.1], given.told),"
        " page.readOut([1, 2], [], { ...given.told, va: null })]));"
    )
    with_grid, without = in_node(tmp_path, code, told=told)
    assert (with_grid["va"], with_grid["nearest"]) == (None, -1)
    assert (without["va"], without["nearest"], without["abstained"]) == (None, -1, False)


def test_the_square_of_a_detectors_box(tmp_path):
    rule = CropRule(margin=1.3, drop=0.05)
    square = square_of(Box(10, 20, 30, 44, 1.0), rule)
    told = {"box": {"x": 10, "y": 20, "width": 30, "height": 44}}
    told["rule"] = {"margin": 1.3, "drop": 0.05, "level_eyes": True}
    code = "console.log(JSON.stringify(page.detectorSquare(given.box, given.rule)));"
    found = in_node(tmp_path, code, **told)
    middle = found["left"] + found["side"] / 2, found["top"] + found["side"] / 2
    assert (*middle, found["side"]) == pytest.approx((square.x, square.y, square.side))
