"""Figures of a run, counted by hand."""

from pathlib import Path

import pytest

from neurogaze.deploy.rows import FaceRow, undrawn
from neurogaze.deploy.smoothing import Flips
from neurogaze.deploy.summary import Summary, Tally, peak_memory


def test_a_tally_by_hand():
    tally = Tally(Path("f.csv"), "frames")
    for t, labels in enumerate((["fear", "anger"], ["fear", "fear"], [], ["anger", None])):
        rows = [
            FaceRow("a", t, t / 2, face, label=label, abstained=label is None)
            for face, label in enumerate(labels)
        ]
        tally.add(rows or [FaceRow("a", t, t / 2, note="no face")])
    tally.add([FaceRow("b", note="cannot be judged: x; meaningless on people")], failed=True)
    found = tally.summary(2.0, reused=1)
    assert (found.seen, found.faces, found.no_face, found.unreadable) == (5, 6, 1, 1)
    assert (found.abstained, found.reused, found.rate) == (1, 1, 2.0)
    assert found.flips == (Flips(0, 1, 1.5), Flips(1, 1, 1.5))
    assert (found.found, found.found_share) == (3, 0.75)  # of the four that could be read
    assert found.generated
    assert found.exit_code == 1
    assert 10_000_000 < found.memory == pytest.approx(peak_memory(), rel=0.1)


def test_what_could_not_be_drawn_and_what_broke_off():
    tally = Tally(Path("f.csv"), "frames", videos=3)
    tally.add([FaceRow("a", 0, 0.0, 0)])
    assert tally.summary(1.0).exit_code == 0
    tally.broke_off(61)
    cut = tally.summary(1.0)
    assert (cut.seen, cut.unreadable, cut.exit_code, cut.found_share) == (62, 61, 1, 1.0)
    assert cut.rate == 1.0  # of what came
    assert "62 frames: 1 faces, 0 without a face, 61 unreadable" in cut.told()
    tally = Tally(Path("f.csv"), "pictures")
    tally.add([undrawn(FaceRow("a", note=note), "disk full") for note in ("", "no face")])
    found = tally.summary(1.0)
    assert (found.seen, found.unreadable, found.undrawn, found.exit_code) == (1, 0, 1, 1)
    assert "1 pictures could not be drawn" in found.told()


def test_what_is_told():
    flips = tuple(Flips(i, i, 60.0) for i in range(7))
    counts = {"seen": 1200, "faces": 900, "no_face": 300, "found": 900}
    told = Summary(Path("f.csv"), "frames", **counts, seconds=60.0, flips=flips).told()
    assert "a face was found in 75.0% of the frames that could be read" in told
    assert "1,200 frames: 900 faces, 300 without a face, 0 unreadable" in told
    assert "20.0 frames/s over 60.0 s" in told
    assert "label flips a minute: 3.0 (#0 0.0 over 60.0 s, #1 1.0 over 60.0 s" in told
    assert "#4 4.0 over 60.0 s, ...)" in told
    assert told.endswith("\nf.csv")
    assert "meaningless" not in told
    still = Summary(Path("f.csv"), "pictures", 3, generated=True)
    assert "flips" not in still.told()
    assert "meaningless on people" in still.told()
    assert (still.exit_code, still.rate) == (0, 0.0)
