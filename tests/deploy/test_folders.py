"""Whatever a folder holds, its pictures are listed once, in order, and the rest is said."""

import errno
import os

import pytest

from neurogaze.deploy import folders
from neurogaze.deploy.folders import find_pictures
from neurogaze.errors import InputError


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(found, root):
    return [path.relative_to(root).as_posix() for path in found.paths]


def test_pictures_of_all_depths_in_order(tmp_path):
    for name in ("b.png", "a.JPG", "c/d/e.webp", "c/a.tiff", "notes.txt", ".hidden.png"):
        touch(tmp_path / name)
    touch(tmp_path / ".thumbnails" / "t.png")
    found = find_pictures(tmp_path)
    assert names(found, tmp_path) == ["a.JPG", "b.png", "c/a.tiff", "c/d/e.webp"]
    assert found.refused == []


def test_videos_are_counted_and_passed_over(tmp_path):
    touch(tmp_path / "a.png", tmp_path / "b.mp4", tmp_path / "c" / "d.MKV", tmp_path / ".e.mp4")
    found = find_pictures(tmp_path)
    assert (names(found, tmp_path), found.videos) == (["a.png"], 2)


OTHERS = (
    "avif",
    "cr2",
    "dng",
    "eps",
    "heic",
    "HEIF",
    "ico",
    "jp2",
    "jxl",
    "nef",
    "psd",
    "svg",
    "xbm",
)


def test_pictures_of_other_types_are_counted_and_passed_over(tmp_path):
    touch(*(tmp_path / "sub" / f"x.{ending}" for ending in OTHERS))
    for name in ("a.png", "a.png~", "notes.txt", "b.mp4", ".c.heic"):
        touch(tmp_path / name)
    found = find_pictures(tmp_path)
    assert (names(found, tmp_path), found.videos) == (["a.png"], 1)
    assert found.others == len(OTHERS)


def test_a_file_counts_whatever_its_suffix(tmp_path):
    touch(tmp_path / "upload")
    assert find_pictures(tmp_path / "upload").paths == [tmp_path / "upload"]


def test_an_empty_folder_holds_none(tmp_path):
    assert find_pictures(tmp_path) == folders.Found([], [])


def test_a_source_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"absent: there is no such file or folder"):
        find_pictures(tmp_path / "absent")
    (tmp_path / "link").symlink_to(tmp_path / "absent")
    with pytest.raises(InputError, match="broken link"):
        find_pictures(tmp_path / "link")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    with pytest.raises(InputError, match="link"):
        find_pictures(tmp_path / "self")


def test_loops_of_links_end_and_every_picture_comes_once(tmp_path):
    touch(tmp_path / "a" / "one.png", tmp_path / "b" / "two.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b" / "self").symlink_to(tmp_path / "b")
    found = find_pictures(tmp_path)
    assert names(found, tmp_path) == ["a/one.png", "b/two.png"]
    reason = "leads to a folder that is read already"
    assert found.refused == [(tmp_path / "a/up", reason), (tmp_path / "b/self", reason)]


def test_two_links_that_lead_to_each_other(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.png").symlink_to(tmp_path / "in" / "y.png")
    (tmp_path / "in" / "y.png").symlink_to(tmp_path / "in" / "x.png")
    touch(tmp_path / "in" / "z.png")
    found = find_pictures(tmp_path / "in")
    assert names(found, tmp_path) == ["in/z.png"]
    assert [path.name for path, _ in found.refused] == ["x.png", "y.png"]


def test_a_link_out_of_the_folder_is_followed(tmp_path):
    touch(tmp_path / "else" / "far.png", tmp_path / "in" / "near.png")
    (tmp_path / "in" / "away").symlink_to(tmp_path / "else")
    (tmp_path / "in" / "again").symlink_to(tmp_path / "else")
    found = find_pictures(tmp_path / "in")
    assert names(found, tmp_path / "in") == ["again/far.png", "near.png"]
    assert [path.name for path, _ in found.refused] == ["away"]


def test_a_broken_link_and_a_pipe_are_said(tmp_path):
    touch(tmp_path / "good.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    found = find_pictures(tmp_path)
    assert names(found, tmp_path) == ["good.png"]
    assert found.refused == [
        (tmp_path / "gone.png", "is a broken link"),
        (tmp_path / "pipe.png", "is not a regular file"),
    ]


def refusing_scandir(name, real=os.scandir):
    """The system's refusal, which the superuser never meets."""

    def scandir(path):
        if os.path.basename(path) == name:  # noqa: PTH119
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    return scandir


def test_a_folder_that_may_not_be_entered_stops_nothing(tmp_path, monkeypatch):
    touch(tmp_path / "shut" / "x.png", tmp_path / "open" / "y.png")
    monkeypatch.setattr(os, "scandir", refusing_scandir("shut"))
    found = find_pictures(tmp_path)
    assert names(found, tmp_path) == ["open/y.png"]
    assert found.refused == [(tmp_path / "shut", "cannot be read (Permission denied)")]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser enters every folder")
def test_a_folder_without_rights(tmp_path):
    touch(tmp_path / "shut" / "x.png", tmp_path / "y.png")
    (tmp_path / "shut").chmod(0)
    try:
        found = find_pictures(tmp_path)
    finally:
        (tmp_path / "shut").chmod(0o700)
    assert names(found, tmp_path) == ["y.png"]
    assert found.refused == [(tmp_path / "shut", "cannot be read (Permission denied)")]


def test_names_that_are_no_text_are_kept(tmp_path):
    name = os.fsdecode(b"\xff\xfe.png")
    touch(tmp_path / name)
    assert [path.name for path in find_pictures(tmp_path).paths] == [name]
