"""A contact sheet shows every face it is given, and says what it must."""

import numpy as np
import pytest
from PIL import Image, ImageColor

from neurogaze.deploy import contact_sheet as sheets
from neurogaze.deploy import strokes
from neurogaze.deploy.boxes import Box
from neurogaze.deploy.rows import Place, Reading, empty_row, face_row
from neurogaze.errors import InputError
from tests.deploy.infer_fakes import recogniser


def rows(count, generated=False):
    contract = recogniser(generated=generated).contract
    rng = np.random.default_rng(0)
    return [
        face_row(
            Place(f"{i}.png"),
            0,
            Box(4, 6, 20, 20, 1),
            Reading(rng.dirichlet([0.5] * 8), rng.uniform(-1, 1, 2)),
            contract,
        )
        for i in range(count)
    ]


def flat(colour, shape=(30, 30, 3)):
    return np.full(shape, colour, dtype=np.uint8)


def test_every_crop_is_on_the_sheet_in_its_place():
    crops = [flat(c) for c in ((255, 0, 255), (0, 255, 255), (250, 250, 0), (0, 0, 250))]
    sheet = sheets.contact_sheet(crops, rows(4))
    card, gap, half = sheets.CARD, sheets.GAP, sheets.FACE // 2
    for i, crop in enumerate(crops):
        x = sheets.MARGIN + (i % 3) * (card[0] + gap) + gap + half
        y = sheets.TITLE + (i // 3) * (card[1] + gap) + sheets.HEAD + gap // 2 + half
        assert tuple(sheet[y, x]) == tuple(crop[0, 0])


def test_the_longest_bar_is_as_long_as_its_probability():
    from PIL import ImageDraw

    row = rows(1)[0]
    canvas = Image.new("RGB", (400, 160), "white")
    strokes.draw_bars(ImageDraw.Draw(canvas), row, 0, 0, (400, 160))
    name, share = strokes.likeliest(row)
    pixels = np.asarray(canvas)
    middle = pixels[10 + 20 * row.probabilities.index(share)]
    filled = (middle == ImageColor.getrgb(strokes.COLOURS[name])).all(axis=1).sum()
    empty = (middle == ImageColor.getrgb(strokes.PALE)).all(axis=1).sum()
    assert filled / (filled + empty) == pytest.approx(share, abs=0.02)


def test_the_stamp_of_drawn_faces():
    plain, drawn = (sheets.contact_sheet([flat(0)], rows(1, g)) for g in (False, True))
    assert tuple(plain[-3, 3]) == ImageColor.getrgb(strokes.INK)
    assert tuple(drawn[-3, 3]) == ImageColor.getrgb(strokes.ALARM)


def test_sheets_from_files(tmp_path):
    for i in range(5):
        picture = np.zeros((40, 40, 3), dtype=np.uint8)
        picture[6:26, 4:24] = 50 * i
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
    found = rows(5)
    nobody = empty_row(Place("gone.png"), recogniser().contract)
    whole = sheets.sheet_of(tmp_path, [nobody, *found])
    assert (whole == sheets.contact_sheet([flat(50 * i) for i in range(5)], found)).all()
    few = sheets.sheet_of(tmp_path, found, most=2)
    assert (few == sheets.contact_sheet([flat(0), flat(200)], [found[0], found[4]])).all()
    alone = sheets.sheet_of(tmp_path / "0.png", found[:1])
    assert (alone == sheets.contact_sheet([flat(0, (20, 20))], found[:1])).all()  # grey will do


def test_what_makes_no_sheet(tmp_path):
    nobody = empty_row(Place("a.png"), recogniser().contract)
    for crops, given in (([], []), ([flat(0)], rows(2)), ([flat(0)], [nobody])):
        with pytest.raises(InputError, match="contact sheet"):
            sheets.contact_sheet(crops, given)
    with pytest.raises(InputError, match="contact sheet"):
        sheets.sheet_of(tmp_path, [nobody])


def test_cells_of_the_grid_are_those_of_the_model():
    drawn = [sheets.contact_sheet([flat(0)], rows(1, True), cells=n) for n in (0, 5, 7)]
    assert not (drawn[0] == drawn[1]).all()
    assert not (drawn[1] == drawn[2]).all()
