"""A folder with everything bad in it, killed and taken up again, ends in the same table."""

import itertools
import os
import signal
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from neurogaze.deploy import from_pictures
from neurogaze.deploy.infer import infer
from neurogaze.deploy.infer_settings import InferSettings
from neurogaze.deploy.journal import journal_of
from neurogaze.deploy.listing import printable
from neurogaze.deploy.writing import SUFFIXES, read_faces
from neurogaze.errors import InputError
from tests.deploy.infer_fakes import Everything, network, recogniser

GROUPS = InferSettings(batch_size=2)


def pixels(seed, size=(48, 48)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Eleven pictures in two folders; one is none."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for i in range(10):
        Image.fromarray(pixels(i)).save(folder / ("sub" if i % 2 else ".") / f"{i}.png")
    (folder / "4b.jpg").write_text("not a picture")
    return folder


class Sometimes(Everything):
    """No face in every third picture; something happens at one of them."""

    def __init__(self, at=None, event=None):
        super().__init__()
        self.at, self.event = at, event

    def detect(self, rgb):
        boxes = super().detect(rgb)
        if self.asked == self.at:
            self.event()
        return [] if rgb[0, 0, 0] % 3 == 0 else boxes


def run(folder, out, detector=None, student=None, settings=GROUPS):
    detector = detector or Sometimes()
    return infer(folder, student or recogniser(), detector, out, settings, progress=False)


@pytest.fixture
def undisturbed(folder, tmp_path):
    out = tmp_path / "undisturbed.csv"
    run(folder, out)
    return out.read_bytes()


def interrupt():
    raise KeyboardInterrupt


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def test_pictures_in_the_order_of_names_each_detected_once(folder, tmp_path):
    sizes = []

    def counted(images):
        sizes.append(len(images))
        return network(images)

    detector = Everything()
    out = tmp_path / "f.csv"
    student = recogniser(counted)
    summary = run(folder, out, detector, student, InferSettings(batch_size=4))
    names = [row.file for row in read_faces(out)]
    assert names == sorted(names)
    assert len(names) == summary.seen == 11
    assert detector.asked == summary.faces == 10
    assert sizes == [4, 4, 2]  # across pictures, not one by one
    assert sorted(p.name for p in tmp_path.iterdir()) == [".f.csv.lock", "f.csv", "photos"]


def test_each_face_has_the_answer_of_its_own_picture(folder, tmp_path):
    run(folder, tmp_path / "f.csv", Everything())
    for row in read_faces(tmp_path / "f.csv"):
        if row.face is None:
            continue
        face = np.asarray(Image.open(folder / row.file).convert("L"))
        wanted = recogniser().answers(face[None]).probabilities[0]
        assert row.probabilities == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize("at", [1, 2, 3, 6, 9, 10])
def test_interrupted_and_taken_up_again(folder, tmp_path, undisturbed, capsys, at):
    out = tmp_path / "f.csv"
    with pytest.raises(KeyboardInterrupt):
        run(folder, out, Sometimes(at, interrupt))
    assert not out.exists()
    assert "of 11 pictures are kept in" in capsys.readouterr().err
    again = Sometimes()
    summary = run(folder, out, again)
    assert out.read_bytes() == undisturbed
    assert again.asked + summary.reused == 10  # the one that is no picture is tried again
    assert again.asked < 10 or at <= 3
    assert (summary.seen, summary.unreadable, summary.exit_code) == (11, 1, 1)
    assert not journal_of(out).exists()


def test_killed_again_and_again(folder, tmp_path, undisturbed):
    """A child process is killed outright at its sixth picture until nothing is left to do."""
    out = tmp_path / "f.csv"
    for _ in range(9):
        child = os.fork()
        if not child:
            try:
                run(folder, out, Sometimes(6, kill))
            finally:
                os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        assert not out.exists()
    assert out.read_bytes() == undisturbed
    assert not journal_of(out).exists()


def test_a_torn_journal_costs_a_group_at_most(folder, tmp_path, undisturbed):
    out = tmp_path / "f.csv"
    with pytest.raises(KeyboardInterrupt):
        run(folder, out, Sometimes(9, interrupt))
    journal = journal_of(out)
    journal.write_bytes(journal.read_bytes()[:-20])
    assert run(folder, out).reused > 0
    assert out.read_bytes() == undisturbed


@pytest.mark.parametrize("change", ["model", "settings", "detector", "folder"])
def test_a_journal_of_something_else_is_not_used(folder, tmp_path, capsys, change):
    out = tmp_path / "f.csv"
    with pytest.raises(KeyboardInterrupt):
        run(folder, out, Sometimes(9, interrupt))
    student, settings, detector = recogniser(), GROUPS, Sometimes()
    if change == "model":
        student = recogniser(abstain_below=0.2)
    elif change == "settings":
        settings = InferSettings(batch_size=4)
    elif change == "detector":
        detector.identity = "everything, of another file"
    else:
        folder = folder.rename(tmp_path / "elsewhere")
    summary = run(folder, out, detector, student, settings)
    assert summary.reused == 0
    assert detector.asked == 10
    assert "all is judged anew" in capsys.readouterr().err


def test_a_changed_picture_is_judged_again(folder, tmp_path):
    out = tmp_path / "f.csv"
    with pytest.raises(KeyboardInterrupt):
        run(folder, out, Sometimes(9, interrupt))
    Image.fromarray(pixels(99, (50, 50))).save(folder / "0.png")
    run(folder, out)
    fresh = tmp_path / "fresh.csv"
    run(folder, fresh)
    assert list(read_faces(out)) == list(read_faces(fresh))


def test_two_processes_do_not_write_one_table(folder, tmp_path):
    def second():
        with pytest.raises(InputError, match="another process"):
            run(folder, tmp_path / "f.csv")

    run(folder, tmp_path / "f.csv", Sometimes(2, second))
    assert len(list(read_faces(tmp_path / "f.csv"))) == 11


def test_the_lock_outlives_the_run(folder, tmp_path):
    """A process that waits behind an unlinked lock would be let in beside a third one."""
    run(folder, tmp_path / "f.csv")
    before = (tmp_path / ".f.csv.lock").stat().st_ino
    run(folder, tmp_path / "f.csv")
    assert (tmp_path / ".f.csv.lock").stat().st_ino == before


def test_a_journal_of_somebody_else_is_kept(folder, tmp_path):
    diary = journal_of(tmp_path / "f.csv")
    diary.write_text("my diary\n")
    with pytest.raises(InputError, match="no journal"):
        run(folder, tmp_path / "f.csv")
    assert diary.read_text() == "my diary\n"


def test_what_could_not_be_read_is_tried_again(folder, tmp_path, undisturbed, monkeypatch):
    """As after `chmod`, which leaves time and size of a file as they were."""
    out, real = tmp_path / "f.csv", from_pictures.read_rgb

    def refused(path):
        if path.name == "0.png":
            raise InputError(path, "cannot be read (Permission denied)", "change its rights")
        return real(path)

    monkeypatch.setattr(from_pictures, "read_rgb", refused)
    with pytest.raises(KeyboardInterrupt):
        run(folder, out, Sometimes(7, interrupt))
    monkeypatch.setattr(from_pictures, "read_rgb", real)
    summary = run(folder, out)
    assert summary.unreadable == 1  # "4b.jpg" is still no picture
    rows = {row.file: row for row in read_faces(out)}
    assert "cannot" not in rows["0.png"].note
    assert summary.reused > 0


def test_drawings_do_not_go_among_other_files(folder, tmp_path):
    """Nor after a second try, when a journal might seem to say that the folder is its own."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "0.png").write_text("mine")
    settings = InferSettings(annotated=tmp_path / "mine")
    for _ in range(2):
        with pytest.raises(InputError, match="not empty"):
            run(folder, tmp_path / "f.csv", settings=settings)
    assert (tmp_path / "mine" / "0.png").read_text() == "mine"


def test_a_picture_that_cannot_be_drawn_stops_no_other(folder, tmp_path, capsys):
    long = "n" * 240 + ".png"
    Image.fromarray(pixels(3)).save(folder / long)
    settings = InferSettings(batch_size=2, annotated=tmp_path / "drawn")
    (folder / "4b.jpg").unlink()
    summary = run(folder, tmp_path / "f.csv", Everything(), settings=settings)
    notes = {row.file: row.note for row in read_faces(tmp_path / "f.csv")}
    assert notes.pop(long).startswith("cannot be drawn: ")
    assert set(notes.values()) == {""}
    assert (summary.undrawn, summary.unreadable, summary.exit_code) == (1, 0, 1)
    assert len(list((tmp_path / "drawn").rglob("*.png"))) == 10
    assert f"{long}: cannot be drawn" in capsys.readouterr().err


def test_annotated_pictures_beside_a_resumed_table(folder, tmp_path):
    settings = InferSettings(batch_size=2, annotated=tmp_path / "drawn")
    with pytest.raises(KeyboardInterrupt):
        run(folder, tmp_path / "f.csv", Sometimes(6, interrupt), settings=settings)
    run(folder, tmp_path / "f.csv", settings=settings)
    drawn = {p.relative_to(tmp_path / "drawn") for p in (tmp_path / "drawn").rglob("*.png")}
    assert drawn == {p.relative_to(folder) for p in folder.rglob("*.png")}


def test_drawings_that_are_gone_are_made_again(folder, tmp_path):
    settings = InferSettings(batch_size=2, annotated=tmp_path / "drawn")
    with pytest.raises(KeyboardInterrupt):
        run(folder, tmp_path / "f.csv", Sometimes(6, interrupt), settings=settings)
    gone = sorted((tmp_path / "drawn").glob("*.png"))[0]
    left = len(list((tmp_path / "drawn").rglob("*.png"))) - 1
    gone.unlink()
    summary = run(folder, tmp_path / "f.csv", settings=settings)
    assert summary.reused == left > 0
    drawn = {p.relative_to(tmp_path / "drawn") for p in (tmp_path / "drawn").rglob("*.png")}
    assert drawn == {p.relative_to(folder) for p in folder.rglob("*.png")}


def test_each_picture_has_a_drawing_of_its_own(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    names = ["x.bmp", "x.bmp.png", "x.bmp.png.png", "x.png", "x.jpg", "x.jpg.png", "a**b[.png"]
    for seed, name in enumerate(names):
        Image.fromarray(pixels(seed, (240 + seed, 240))).save(folder / name)
    settings = InferSettings(annotated=tmp_path / "drawn")
    assert run(folder, tmp_path / "f.csv", Everything(), settings=settings).exit_code == 0
    sizes = [Image.open(path).height for path in (tmp_path / "drawn").iterdir()]
    assert len(set(sizes)) == len(names)
    kept = {path.name for path in (tmp_path / "drawn").iterdir()} & set(names)
    assert kept >= {"x.png", "x.jpg", "x.jpg.png", "a**b[.png"}


def test_a_film_of_single_pictures_is_refused_before_anything_is_written(folder, tmp_path):
    settings = InferSettings(annotated=tmp_path / "shown.mp4")
    with pytest.raises(InputError, match="is a video, but pictures are read"):
        run(folder, tmp_path / "f.csv", settings=settings)
    assert list(tmp_path.iterdir()) == [folder]


def huge_png(path):
    """A header that promises 20,000 x 20,000 pixels, and little behind it."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def adversarial(folder):
    """Write everything; names that begin with "bad" must fail, all others must not."""
    folder.mkdir()
    picture = Image.fromarray(pixels(0, (60, 50)))
    picture.save(folder / "ok.png")
    whole = (folder / "ok.png").read_bytes()
    (folder / "bad truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "bad empty.png").write_bytes(b"")
    (folder / "bad text.jpg").write_text("this is no picture")
    huge_png(folder / "bad huge.png")
    (folder / "bad loop").symlink_to(folder, target_is_directory=True)
    Image.fromarray(pixels(1, (1, 1))).save(folder / "ok one pixel.png")
    deep = np.arange(2500, dtype=np.uint16).reshape(50, 50) * 26
    Image.fromarray(deep).save(folder / "ok 16 bit.png")
    picture.convert("CMYK").save(folder / "ok ink.jpg")
    picture.convert("P").save(folder / "ok palette.png")
    picture.convert("RGBA").save(folder / "ok alpha.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(folder / "ok turned.jpg", exif=exif)
    frames = [Image.fromarray(pixels(i)) for i in range(3)]
    frames[0].save(folder / "ok animated.gif", save_all=True, append_images=frames[1:])
    os.mkfifo(folder / "bad pipe.png")
    if os.geteuid():  # rights bind everybody but root
        picture.save(folder / "bad rights.png")
        (folder / "bad rights.png").chmod(0)
    with open(os.fsencode(folder) + b"/ok caf\xe9.png", "wb") as stream:  # noqa: PTH123
        stream.write(whole)
    return folder


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_hostile_files_end_in_a_row_and_the_batch_goes_on(tmp_path, capsys, suffix):
    folder = adversarial(tmp_path / "photos")
    out = tmp_path / f"faces{suffix}"
    summary = run(folder, out, Everything())
    rows = {row.file: row for row in read_faces(out)}
    assert len(rows) == summary.seen == len(list(folder.iterdir()))
    errors = capsys.readouterr().err
    for name, row in rows.items():
        if name.startswith("bad"):
            assert row.note.startswith("cannot be judged: ")
            assert errors.count(f"{name}: cannot be judged: ") == 1
            assert row.face is None
        else:
            assert row.note == ""
            assert row.face == 0
    assert (rows["ok turned.jpg"].width, rows["ok turned.jpg"].height) == (60.0, 50.0)
    assert "ok caf\\udce9.png" in rows
    notes = {name: row.note for name, row in rows.items()}
    assert notes["bad empty.png"] == "cannot be judged: is empty (0 bytes)"
    assert notes["bad pipe.png"] == "cannot be judged: is not a regular file"
    assert summary.exit_code == 1
    assert summary.unreadable == sum(name.startswith("bad") for name in rows)


TWINS = ("caf\\udce9.png", "caf\udce9.png")
"""As text: a name with a backslash in it, and one with a byte that is no UTF-8."""


@pytest.mark.parametrize("later", [0, 1_000])
def test_names_that_print_alike_are_two_pictures(tmp_path, later):
    """Of one size, and perhaps of one time, so that nothing but the name tells them apart."""
    folder, out = tmp_path / "photos", tmp_path / "f.csv"
    folder.mkdir()
    for seed, name in enumerate(TWINS):
        Image.fromarray(pixels(seed)).save(folder / name, "BMP")  # which compresses nothing
        os.utime(folder / name, ns=(1, 10**18 + seed * later))
    settings = InferSettings(annotated=tmp_path / "drawn")
    assert run(folder, out, Everything(), settings=settings).exit_code == 0
    rows = list(read_faces(out))
    wanted = [recogniser().answers(pixels_grey(seed)[None]).probabilities[0] for seed in (0, 1)]
    assert len({row.file for row in rows}) == len(list((tmp_path / "drawn").iterdir())) == 2
    order = sorted((0, 1), key=lambda seed: folder / TWINS[seed])
    for row, seed in zip(rows, order, strict=True):
        assert row.probabilities == pytest.approx(wanted[seed], abs=2e-6)


def pixels_grey(seed):
    return np.asarray(Image.fromarray(pixels(seed)).convert("L"))


def test_names_are_printed_so_that_no_two_are_alike():
    plain = ["a.png", "caf\u00e9.png", "sub/a\\b.png", "\\udc.png", "\\ud7ff.png"]
    assert [printable(name) for name in plain] == plain
    parts = ["\udce9", "\\udce9", "\\", "\\\\", "u", "dce9", "x"]
    names = {"".join(some) for n in (1, 2, 3) for some in itertools.product(parts, repeat=n)}
    printed = {printable(name) for name in names}
    assert len(printed) == len(names)
    assert all(name.encode() for name in printed)
