"""Pictures come in as grey levels; everything else is named."""

import os

import numpy as np
import pytest
from PIL import Image

from neurogaze.errors import InputError
from neurogaze.faces.corpora.places import PICTURES
from neurogaze.faces.decoding import read_grey
from neurogaze.faces.upright import read_upright


def test_grey_pixels_come_back_unchanged(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "face.png")
    np.testing.assert_array_equal(read_grey(tmp_path / "face.png", (48, 48)), pixels)


def test_colour_becomes_luma(tmp_path):
    Image.new("RGB", (3, 2), (200, 100, 50)).save(tmp_path / "face.png")
    luma = round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)  # ITU-R 601
    assert read_grey(tmp_path / "face.png").tolist() == [[luma] * 3] * 2


def test_size_is_height_by_width(tmp_path):
    Image.new("L", (40, 48)).save(tmp_path / "face.png")
    assert read_grey(tmp_path / "face.png", (48, 40)).shape == (48, 40)
    with pytest.raises(InputError, match="48x40 pixels"):
        read_grey(tmp_path / "face.png", (40, 48))


def test_sixteen_bits_are_refused(tmp_path):
    Image.fromarray(np.full((4, 4), 3000, dtype=np.uint16)).save(tmp_path / "face.png")
    with pytest.raises(InputError, match="I;16"):
        read_grey(tmp_path / "face.png")


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n garbage"])
def test_files_that_are_no_picture(tmp_path, content):
    (tmp_path / "face.png").write_bytes(content)
    with pytest.raises(InputError, match=r"face\.png: not a picture"):
        read_grey(tmp_path / "face.png")


def test_content_of_another_format_is_refused_whatever_its_name(tmp_path):
    """PostScript is a program: no decoder of it, which starts Ghostscript, is even asked."""
    for kind in ("EPS", "PPM", "TGA"):
        Image.new("L", (48, 48), 90).save(tmp_path / "face.png", kind)
        with pytest.raises(InputError, match=r"face\.png: not a picture \(its format is unknown"):
            read_grey(tmp_path / "face.png")


def test_every_ending_of_a_corpus_has_its_format(tmp_path):
    for ending in (*PICTURES, ".gif"):
        Image.new("L", (4, 3), 90).save(tmp_path / f"face{ending}")
        assert np.abs(read_grey(tmp_path / f"face{ending}") - 90.0).max() <= 3


def test_truncated_picture(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    (tmp_path / "face.png").write_bytes((tmp_path / "whole.png").read_bytes()[:900])
    with pytest.raises(InputError, match="not a picture"):
        read_grey(tmp_path / "face.png")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "face.png")
    for read in (read_grey, read_upright):
        with pytest.raises(InputError, match="not a regular file"):
            read(tmp_path / "face.png")


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_grey(tmp_path / "face.png")
