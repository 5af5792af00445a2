"""Pictures of a grid: what stands in each panel, and where."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from neurogaze.prototypes.stability import Stability
from neurogaze.report import drawing, figures_attention, figures_explained, figures_grid
from neurogaze.report.grid_inputs import Explained
from tests.report.conftest import BANDS, explained

EMPTY = [0, 1, 4, 20, 24]


@pytest.fixture
def figures(monkeypatch):
    """Figures as they are turned to bytes."""
    seen, real = [], drawing.png

    def keep(figure):
        seen.append(figure)
        return real(figure)

    monkeypatch.setattr(drawing, "png", keep)
    return seen


def texts(axes):
    return [text.get_text() for text in axes.texts]


def case(**changes):
    arrays = explained()
    names = {"channels": tuple(arrays["channels"].tolist()), "bands": BANDS}
    return Explained(**(arrays | names | changes))


def stability():
    """Nothing can be told of the empty cells, nor of cell 2, which holds one person."""
    cosine = np.full(25, 0.9)
    cosine[[*EMPTY, 2]] = np.nan
    return Stability(cosine, cosine - 0.2, cosine + 0.05)


def test_counts_and_people_stand_in_their_cells(made_grid, figures):
    figures_grid.grid_figure(made_grid)
    plane, gram, _bar = figures[0].axes
    shown = texts(plane)
    assert len(shown) == 25
    assert [i for i, text in enumerate(shown) if text == "empty"] == EMPTY
    assert shown[12] == f"{made_grid.counts[12]:,}\n{made_grid.n_subjects[12]} people"
    assert (plane.get_xlabel(), plane.get_ylabel()) == ("valence", "arousal")
    hatched = [patch for patch in plane.patches if patch.get_hatch()]
    assert [patch.get_xy() for patch in hatched[:2]] == [(-1.0, -1.0), (-0.6, -1.0)]
    assert len(hatched) == 5
    gram_matrix = made_grid.prototypes @ made_grid.prototypes.T
    np.testing.assert_allclose(gram.images[0].get_array(), gram_matrix, atol=1e-6)
    assert [t.get_text() for t in gram.get_xticklabels()] == ["−0.8", "−0.4", "0", "+0.4", "+0.8"]


def test_the_atlas_has_a_panel_for_neighbours_people_and_members(made_grid, figures):
    figures_grid.atlas_figure(made_grid, stability())
    near, drawn, apart = figures[0].axes
    assert near.get_title(loc="left") == "Cosine with neighbouring cells"
    assert all(
        [i for i, t in enumerate(texts(a)) if t == "empty"] == EMPTY for a in figures[0].axes
    )
    assert texts(drawn)[12] == "0.90\n[0.70, 0.95]"
    assert texts(drawn)[2] == "one\nperson"
    assert texts(apart)[12] == "0.24"
    rows = made_grid.prototypes.astype(float)
    beside = np.mean([rows[12] @ rows[k] for k in (7, 11, 13, 17)])
    assert texts(near)[12] == f"{beside:.2f}".replace("-", "−")
    assert to_hex(drawn.patches[2].get_facecolor()) == drawing.EMPTY


def test_large_grids_leave_no_room_for_intervals():
    assert figures_grid.interval_texts(stability(), 9)[12] == "0.90"


def test_neighbours_that_were_filled_do_not_count(made_grid):
    cosine = figures_grid.neighbour_cosine(made_grid)
    assert np.flatnonzero(np.isnan(cosine)).tolist() == EMPTY
    rows = made_grid.prototypes.astype(float)
    assert cosine[5] == pytest.approx(np.mean([rows[5] @ rows[6], rows[5] @ rows[10]]))
    lonely = np.ones(25, bool)
    lonely[12] = False
    assert np.isnan(figures_grid.neighbour_cosine(replace(made_grid, filled=lonely))).all()


def test_saliency_has_a_map_for_each_axis_and_band(figures):
    figures_explained.saliency_figure(case())
    maps = figures[0].axes[:8]
    assert len(figures[0].axes) == 10  # two colour bars
    assert [axes.get_title(loc="center") for axes in maps[:4]] == list(BANDS)
    assert [axes.get_ylabel() for axes in (maps[0], maps[4])] == ["valence", "arousal"]
    top = explained()["saliency"].max(axis=(1, 2))
    for axes, limit in zip(maps, np.repeat(top, 4), strict=True):
        assert axes.images[0].get_clim() == (0.0, pytest.approx(limit))


def test_the_principal_contrast_is_found_again():
    """Cells that differ in one mix of bands only, over a common map that does not count."""
    rng = np.random.default_rng(0)
    mix, counts = np.array([0.6, 0.0, 0.8]), np.array([5, 1, 9, 0])
    maps = rng.normal(size=(4, 6))
    maps -= counts @ maps / counts.sum()
    cells = maps[:, :, None] * mix + rng.normal(size=(1, 6, 3))
    cells[3] = np.nan
    weights, found, share = figures_explained.principal_contrast(cells, counts)
    np.testing.assert_allclose(weights, mix, atol=1e-9)
    np.testing.assert_allclose(found[:3], maps[:3], atol=1e-9)
    assert np.isnan(found[3]).all()
    assert share == pytest.approx(1.0)


def test_each_cell_has_its_map_at_its_place(made_grid, figures):
    figures_explained.cell_maps_figure(case(), made_grid)
    panels = figures[0].axes[:25]
    assert len(figures[0].axes) == 26
    names = [axes.get_title(loc="center") for axes in panels]
    order = np.arange(25).reshape(5, 5)[::-1].ravel()
    expected = ["" if cell in EMPTY else f"n = {made_grid.counts[cell]:,}" for cell in order]
    assert names == expected
    assert [bool(axes.images) for axes in panels] == [cell not in EMPTY for cell in order]
    assert ["empty" in texts(axes) for axes in panels] == [cell in EMPTY for cell in order]
    assert [axes.get_xlabel() for axes in panels[20:]] == ["−0.8", "−0.4", "0", "+0.4", "+0.8"]
    assert [axes.get_ylabel() for axes in panels[::5]] == ["+0.8", "+0.4", "0", "−0.4", "−0.8"]
    assert "gamma" in figures[0].get_suptitle()


def test_electrodes_without_a_place_are_left_out(figures):
    names = (*explained()["channels"].tolist()[:-1], "CB1")
    figures_explained.saliency_figure(case(channels=names))
    figures_attention.attention_figure(case().attention, names)
    assert "CB1" not in texts(figures[1].axes[0])
    assert "CB1" in [label.get_text() for label in figures[1].axes[1].get_xticklabels()]


def test_attention_is_drawn_as_lines_between_named_electrodes(figures):
    channels = case().channels
    weights = np.full((14, 14), 0.5 / 13)
    weights[[0, 13], [13, 0]] += 0.4
    weights /= weights.sum(axis=1, keepdims=True)
    figures_attention.attention_figure(weights, channels)
    head, matrix, _bar = figures[0].axes
    assert texts(head) == list(channels)
    lines = [line for line in head.lines if len(line.get_xdata()) == 2]
    assert len(lines) == 1  # only AF3 and AF4 lie above even attention
    ends = sorted(lines[0].get_xdata())
    assert ends[0] == pytest.approx(-ends[1], abs=0.03)
    np.testing.assert_allclose(matrix.images[0].get_array(), weights * 14)
    assert [label.get_text() for label in matrix.get_yticklabels()] == list(channels)
    assert "1 / 14" in figures[0].get_supxlabel()


def test_even_attention_has_no_lines(figures):
    figures_attention.attention_figure(np.full((14, 14), 1 / 14), case().channels)
    head = figures[0].axes[0]
    assert head.get_title(loc="left") == "Seen from above: no pair above even attention"
    assert not [line for line in head.lines if len(line.get_xdata()) == 2]
