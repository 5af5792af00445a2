"""A student is shown a file in use as it was shown it in training, however the file is written."""

import numpy as np
import pytest
from PIL import Image

from neurogaze.deploy.contract import CropRule
from neurogaze.deploy.cropping import crop_face
from neurogaze.deploy.detection import Cropped
from neurogaze.deploy.pictures import read_rgb
from neurogaze.faces.corpora.folder import FaceFolder
from neurogaze.faces.corpora.manifest import Manifest

ORIENTATION = 0x0112
UPPER_BRIGHT = np.repeat(np.array([255] * 24 + [0] * 24, np.uint8)[:, None], 48, axis=1)


def turned(path, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(UPPER_BRIGHT).save(path, exif=exif)


def see_through(path):
    rgba = np.zeros((48, 48, 4), np.uint8)
    rgba[12:36, 12:36] = (128, 128, 128, 255)
    Image.fromarray(rgba).save(path)


def deep(path):
    Image.fromarray(UPPER_BRIGHT.astype(np.uint16) * 257).save(path)


def ink(path):
    Image.fromarray(UPPER_BRIGHT).convert("RGB").convert("CMYK").save(path)


WRITERS = {f"turned{n}.png": lambda path, n=n: turned(path, n) for n in range(1, 9)} | {
    "turned.jpg": lambda path: turned(path, 6),
    "turned.tif": lambda path: turned(path, 6),
    "see_through.png": see_through,
    "deep.png": deep,
    "ink.jpg": ink,
}


@pytest.mark.parametrize("name", WRITERS)
def test_folders_and_manifests_show_what_deployment_shows(tmp_path, name):
    WRITERS[name](tmp_path / name)
    rgb = read_rgb(tmp_path / name)
    used = crop_face(rgb, Cropped().detect(rgb)[0], CropRule())
    (tmp_path / "list.csv").write_text(f"path,label_name\n{name},happy\n")
    for corpus, split in (
        (FaceFolder(tmp_path, strict=True), "unlabelled"),
        (Manifest(tmp_path / "list.csv", strict=True), "valid"),
    ):
        np.testing.assert_array_equal(corpus.load(split).images[0], used)


def test_what_each_file_means(tmp_path):
    """A camera on its side had its upper edge to the right; nothing behind a face is white."""
    for name, write in WRITERS.items():
        write(tmp_path / name)
    table = FaceFolder(tmp_path).load("unlabelled")
    seen = dict(zip(table.ids.tolist(), table.images, strict=True))
    for name in ("turned6.png", "turned.tif"):
        np.testing.assert_array_equal(seen[name], np.rot90(UPPER_BRIGHT, -1))
    np.testing.assert_array_equal(seen["deep.png"], UPPER_BRIGHT)
    assert seen["see_through.png"][0, 0] == 255
    assert seen["see_through.png"][24, 24] == 128
