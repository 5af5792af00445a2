"""Pictures of every kind come in right, and hostile bytes end in one clear line."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from neurogaze.deploy.pictures import Limits, read_rgb
from neurogaze.errors import InputError

RED, WHITE = (255, 0, 0), (255, 255, 255)
CORNERS = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]] * 8 + [[[0] * 3] * 3] * 8, np.uint8)


def encoded(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def big_corners():
    """16 x 24: red, green, blue above, black below; large enough for the blocks of a JPEG."""
    return np.repeat(CORNERS, 8, axis=1)


def png(width, height, depth, colour, rows=b""):
    """A PNG written by hand, after its specification."""

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_a_path_and_its_bytes_give_the_same_pixels(tmp_path, kind):
    path = tmp_path / "a"
    path.write_bytes(encoded(Image.fromarray(big_corners()), kind))
    for source in (path, path.read_bytes()):
        np.testing.assert_array_equal(read_rgb(source), big_corners())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_are_close(kind):
    found = read_rgb(encoded(Image.fromarray(big_corners()), kind, quality=95)).astype(int)
    assert np.abs(found[2:6, 2:6] - RED).max() < 25
    assert found.shape == (16, 24, 3)


def test_one_pixel_is_a_right_answer():
    assert read_rgb(encoded(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG")).tolist() == [[[1, 2, 3]]]


def test_black_and_white_and_grey():
    assert read_rgb(encoded(Image.new("1", (2, 1), 1), "PNG")).tolist() == [[list(WHITE)] * 2]
    assert read_rgb(encoded(Image.new("L", (1, 1), 77), "PNG")).tolist() == [[[77] * 3]]


def test_palette_is_looked_up():
    palette = Image.new("P", (2, 1))
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.putpixel((1, 0), 1)
    assert read_rgb(encoded(palette, "PNG")).tolist() == [[[0, 0, 0], [10, 20, 30]]]


def test_a_transparent_palette_entry_is_white():
    palette = Image.new("P", (2, 1))
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.putpixel((1, 0), 1)
    found = read_rgb(encoded(palette, "PNG", transparency=0))
    assert found.tolist() == [[list(WHITE), [10, 20, 30]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(("alpha", "expected"), [(255, 100), (0, 255), (51, 224)])
def test_alpha_is_laid_on_white(kind, alpha, expected):
    """100 a + 255 (1 - a)."""
    picture = Image.new("RGBA", (4, 4), (100, 100, 100, alpha))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    found = read_rgb(encoded(picture, kind, **options)).astype(int)
    assert np.abs(found - expected).max() <= 1


def test_grey_with_alpha():
    found = read_rgb(encoded(Image.new("LA", (1, 1), (100, 51)), "PNG")).astype(int)
    assert np.abs(found - 224).max() <= 1


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
@pytest.mark.parametrize(
    ("ink", "light"),
    [((0, 0, 0, 0), 255), ((0, 0, 0, 255), 0), ((0, 0, 0, 128), 127), ((255, 255, 255, 0), 0)],
)
def test_ink_becomes_light(kind, ink, light):
    found = read_rgb(encoded(Image.new("CMYK", (8, 8), ink), kind)).astype(int)
    assert np.abs(found - light).max() <= 3


def test_cyan_ink_takes_red_away():
    found = read_rgb(encoded(Image.new("CMYK", (1, 1), (255, 0, 0, 0)), "TIFF"))
    assert found.tolist() == [[[0, 255, 255]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_grey_are_scaled_not_clipped(kind):
    levels = np.array([[0, 257, 32768, 65535]], dtype=np.uint16)
    found = read_rgb(encoded(Image.fromarray(levels), kind))
    assert found[0, :, 0].tolist() == [0, 1, 128, 255]
    assert (found == found[..., :1]).all()


def test_sixteen_bits_with_white_as_zero():
    levels = Image.fromarray(np.array([[0, 65535]], dtype=np.uint16))
    found = read_rgb(encoded(levels, "TIFF", tiffinfo={262: 0}))
    assert found[0, :, 0].tolist() == [255, 0]


def test_twelve_bits_of_grey_fill_the_range():
    """A TIFF by hand: 4 pixels of 12 bits, packed: 0, 2048, 4095, 1."""
    pixels = bytes([0x00, 0x08, 0x00, 0xFF, 0xF0, 0x01])
    tags = [
        (256, 4, 4), (257, 4, 1), (258, 3, 12), (259, 3, 1), (262, 3, 1), (273, 4, 8),
        (277, 3, 1), (278, 4, 1), (279, 4, len(pixels)),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    start = 8 + len(pixels)
    content = b"II*\0" + struct.pack("<I", start) + pixels
    content += struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0)
    assert read_rgb(content)[0, :, 0].tolist() == [0, 128, 255, 0]


def test_sixteen_bits_of_colour_are_scaled_not_clipped():
    row = b"\0" + struct.pack(">6H", 0, 32768, 65535, 65535, 257, 0)
    found = read_rgb(png(2, 1, 16, 2, row)).astype(int)
    assert np.abs(found - [[[0, 128, 255], [255, 1, 0]]]).max() <= 1


def test_thirty_two_bits_of_unknown_range_are_refused():
    for mode in ("I", "F"):
        with pytest.raises(InputError, match="8-bit PNG or JPEG"):
            read_rgb(encoded(Image.new(mode, (2, 2)), "TIFF"))


TURNED = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, 1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: np.rot90(x, -1),
}
"""How a camera held so stores an upright scene; 6: its right side up, so row 0 is the right."""


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", TURNED)
def test_every_orientation_comes_back_upright(kind, orientation):
    scene = big_corners()
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(TURNED[orientation](scene)))
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95, "subsampling": 0}}
    found = read_rgb(encoded(stored, kind, exif=exif, **options.get(kind, {})))
    assert found.shape == scene.shape
    assert np.abs(found.astype(int) - scene)[2:-2:3, 2:-2:3].max() < 40


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_damaged_exif_leaves_the_picture_as_it_is():
    content = encoded(Image.fromarray(big_corners()), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    np.testing.assert_array_equal(read_rgb(content), big_corners())


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation(kind):
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, (0, 0, 255))]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert (read_rgb(content) == RED).all()


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_header_of_twenty_thousand_pixels_is_refused_before_decoding():
    """400 MB if it were decoded; a second of time would already be too much."""
    for side in (8_000, 12_000, 20_000):
        with pytest.raises(InputError, match="exceeds the 50000000 pixels"):
            read_rgb(png(side, side, 1, 0))
    with pytest.raises(InputError, match=r"upload\.png: its size 20x20 exceeds the 300 pixels"):
        read_rgb(png(20, 20, 1, 0), Limits(pixels=300), name="upload.png")


def test_a_whole_picture_of_twenty_thousand_pixels(tmp_path):
    """50 MB of zeros compress to 50 kB."""
    path = tmp_path / "bomb.png"
    path.write_bytes(png(20_000, 20_000, 1, 0, bytes(20_000 * 2_501)))
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match=r"bomb\.png: its size .* exceeds"):
        read_rgb(path)


def test_a_large_file_is_refused_unread(tmp_path):
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(60_000_000)
    assert refusal(path) == f"{path}: is larger than 50000000 bytes. Remedy: save it smaller."
    with pytest.raises(InputError, match="larger than 10 bytes"):
        read_rgb(bytes(11), Limits(bytes=10))


def refusal(path, name=""):
    """The whole message about a file: one reason and one remedy."""
    with pytest.raises(InputError) as refused:
        read_rgb(path, name=name)
    return str(refused.value)


def test_files_that_are_no_picture(tmp_path):
    path = tmp_path / "notes.jpg"
    path.write_text("dear diary")
    with pytest.raises(InputError, match=r"notes\.jpg: not a picture \(its format is unknown\)"):
        read_rgb(path)
    path.write_bytes(b"")
    assert refusal(path) == f"{path}: is empty (0 bytes). Remedy: copy the picture again."
    gone = tmp_path / "absent.png"
    assert refusal(gone) == f"{gone}: there is no such file. Remedy: check the name."
    assert refusal(tmp_path) == f"{tmp_path}: is not a regular file. Remedy: give a picture file."
    odd = tmp_path / "a\0b.png"
    told = "cannot be read (embedded null byte). Remedy: check its rights."
    assert refusal(odd, "odd.png") == f"odd.png: {told}"


def test_formats_that_nobody_photographs_in_are_refused():
    with pytest.raises(InputError, match="not a picture"):
        read_rgb(encoded(Image.new("RGB", (4, 4)), "PPM"))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    pipe = tmp_path / "pipe.png"
    assert refusal(pipe) == f"{pipe}: is not a regular file. Remedy: give a picture file."


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    """The superuser may read all, so the refusal of the system is put on."""
    path = tmp_path / "a.png"
    path.write_bytes(encoded(Image.new("RGB", (1, 1)), "PNG"))

    def refuse(self, mode="r"):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(path), "open", refuse)
    told = "cannot be read (Permission denied). Remedy: check its rights."
    assert refusal(path) == f"{path}: {told}"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF"])
def test_a_truncated_file_is_named(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    path = tmp_path / "half.png"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"half\.png: not a picture \(.*\)\. Remedy"):
        read_rgb(path)


def mutated(content, rng):
    """A few bytes changed, dropped, doubled or cut off."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        # half of all changes meet the header, where they hurt
        at = int(rng.integers(0, len(data) if rng.random() < 0.5 else min(64, len(data))))
        match rng.integers(0, 4):
            case 0:
                data[at] = rng.integers(0, 256)
            case 1:
                del data[at : at + int(rng.integers(1, 20))]
            case 2:
                data[at:at] = rng.bytes(int(rng.integers(1, 20)))
            case _:
                data[at : at + 4] = bytes([int(rng.choice([0, 127, 128, 255]))]) * 4
        if len(data) < 2:
            break
    return bytes(data[: int(rng.integers(1, len(data) + 1))] if rng.random() < 0.2 else data)


def tried(content):
    """The picture, or the one line that refuses it."""
    try:
        return read_rgb(content, Limits(pixels=1_000_000), "upload")
    except InputError as error:
        return str(error)


def samples():
    rng = np.random.default_rng(3)
    noise = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    yield from (encoded(noise, kind) for kind in ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF"))
    yield encoded(noise, "TIFF", compression="tiff_lzw", exif=exif)
    yield encoded(noise, "TIFF", compression="jpeg")
    yield encoded(noise.convert("CMYK"), "JPEG", exif=exif)
    yield encoded(noise.convert("P"), "PNG", transparency=3)
    yield encoded(Image.fromarray(np.arange(144, dtype=np.uint16).reshape(12, 12)), "TIFF")
    yield encoded(noise, "GIF", save_all=True, append_images=[noise.rotate(90)])


@pytest.mark.filterwarnings("ignore::UserWarning")  # a runner of tests undoes our own filters
def test_mutated_files_give_a_picture_or_one_line():
    rng = np.random.default_rng(6)
    tries = [tried(mutated(content, rng)) for content in samples() for _ in range(50)]
    lines = [found for found in tries if isinstance(found, str)]
    pictures = [found for found in tries if not isinstance(found, str)]
    assert min(len(lines), len(pictures)) > 50
    assert all(line.startswith("upload: ") and line.isprintable() for line in lines)
    assert not any("0x" in line for line in lines)  # no address of an object
    for found in pictures:
        assert found.dtype == np.uint8
        assert (found.ndim, found.shape[2]) == (3, 3)
        assert found.flags.c_contiguous


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_random_bytes_behind_every_magic_number():
    rng = np.random.default_rng(7)
    for content in samples():
        for keep in (4, 12, 30):
            with pytest.raises(InputError):
                read_rgb(content[:keep] + rng.bytes(40))
