"""Figures: the numbers in them, the same bytes each time, and the user's style left alone."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot, rcParams
from PIL import Image
from sklearn.decomposition import PCA

from neurogaze.affect import EMOTIONS
from neurogaze.artefacts import write_npz
from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError
from neurogaze.report import drawing, figures_eeg, figures_faces, figures_grid, figures_training
from neurogaze.report.inputs import Topomaps, read_topomaps


def size_of(png: bytes) -> tuple[int, int]:
    image = Image.open(io.BytesIO(png))
    image.verify()
    assert "Software" not in image.info
    return image.size


def face_case(n: int = 200, classes: int = 8) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    return generator.integers(0, classes, n), generator.dirichlet(np.full(8, 0.5), n)


def maps(n_groups: int = 2) -> Topomaps:
    generator = np.random.default_rng(0)
    values = generator.normal(-20, 1, (n_groups, 14, 2))
    values[-1] = generator.normal(0, 1, (14, 2))
    groups = tuple(f"group {i}" for i in range(n_groups))
    return Topomaps(values.astype(np.float32), groups, EPOC, ("theta", "alpha"))


@pytest.mark.parametrize(
    ("draw", "width"),
    [
        (lambda grid: figures_grid.grid_figure(grid), 10.2),
        (lambda _: figures_faces.confusion_figure(*face_case(classes=5)), 10.4),
        (lambda _: figures_faces.reliability_figure(*face_case()), 5.0),
        (lambda _: figures_faces.embedding_figure(face_case()[1], face_case()[0]), 5.35),
        (lambda _: figures_eeg.va_figure(*np.random.default_rng(0).uniform(-1, 1, (2, 9, 2))), 8.4),
        (lambda _: figures_eeg.topomap_figure(maps()), 5.8),
    ],
    ids=["grid", "confusion", "reliability", "embedding", "va", "topomap"],
)
def test_the_same_data_gives_the_same_bytes(made_grid, draw, width):
    first = draw(made_grid)
    with pyplot.style.context({"font.size": 30, "axes.facecolor": "red"}):
        again = draw(made_grid)
        assert rcParams["font.size"] == 30
    assert first == again
    assert size_of(first)[0] == int(width * drawing.DPI)
    assert pyplot.get_fignums() == []


def test_one_row_of_faces_can_be_drawn():
    chances = np.eye(8)[[2]]
    assert size_of(figures_faces.confusion_figure(np.array([2]), chances))
    assert size_of(figures_faces.reliability_figure(np.array([2]), chances))


def test_one_topomap_can_be_drawn():
    one = maps(1)
    flat = Topomaps(np.ones_like(one.values[:, :, :1]), one.groups, EPOC, ("theta",))
    assert size_of(figures_eeg.topomap_figure(flat))


@pytest.mark.parametrize("unit", ["nats", "bits", "standard deviations of the person"])
def test_a_topomap_is_labelled_in_the_unit_that_was_stored(tmp_path, monkeypatch, unit):
    seen, real = [], drawing.png
    monkeypatch.setattr(drawing, "png", lambda figure: seen.append(figure) or real(figure))
    drawn = maps(1)
    named = {k: np.array(getattr(drawn, k)) for k in ("values", "groups", "channels", "bands")}
    write_npz(tmp_path / "topomaps.npz", named | {"unit": np.array(unit)})
    figures_eeg.topomap_figure(read_topomaps(tmp_path / "topomaps.npz"))
    assert seen[0].get_supxlabel() == f"differential entropy, {unit}"


def test_trial_means_are_drawn_against_ratings_with_their_ccc(monkeypatch):
    seen, real = [], drawing.png
    monkeypatch.setattr(drawing, "png", lambda figure: seen.append(figure) or real(figure))
    truth = np.array([[-1.0, 0.0], [0.0, 0.5], [1.0, 1.0]])
    figures_eeg.va_figure(truth, np.column_stack([truth[:, 0], np.zeros(3)]))
    left, right = seen[0].axes
    assert left.get_title(loc="left") == "valence, CCC 1.00 (n = 3)"
    assert right.get_title(loc="left") == "arousal, CCC 0.00 (n = 3)"
    np.testing.assert_array_equal(left.collections[0].get_offsets(), truth[:, [0, 0]])
    assert (left.get_xlabel(), left.get_ylabel()) == ("rated", "predicted from EEG")


def test_predictions_beyond_the_axes_are_drawn_at_the_edge_and_counted(monkeypatch):
    seen, real = [], drawing.png
    monkeypatch.setattr(drawing, "png", lambda figure: seen.append(figure) or real(figure))
    truth = np.array([[-1.0, 0.0], [0.0, 0.5], [1.0, 1.0], [0.5, 0.5]])
    figures_eeg.va_figure(truth, np.array([[3.0, 0.0], [-1.5, 0.0], [1.05, 0.0], [2.0, 0.0]]))
    left, right = seen[0].axes
    assert left.get_title(loc="left").endswith("(n = 4, 3 beyond)")
    assert right.get_title(loc="left").endswith("(n = 4)")
    drawn = [dots.get_offsets().tolist() for dots in left.collections]
    top = left.get_ylim()[1]
    assert drawn == [[[1.0, 1.05]], [[-1.0, top], [0.5, top]], [[0.0, -top]]]
    shapes = [dots.get_paths()[0].vertices.tolist() for dots in left.collections]
    assert shapes[0] != shapes[1] != shapes[2]


def test_an_unknown_electrode_is_named():
    lost = Topomaps(np.ones((1, 2, 1), np.float32), ("g",), ("O1", "Q9"), ("theta",))
    with pytest.raises(InputError, match="Q9"):
        figures_eeg.topomap_figure(lost)


def test_the_principal_plane_is_that_of_scikit_learn():
    points = np.random.default_rng(1).normal(size=(60, 9)) * np.arange(1, 10)
    ours, share = figures_faces.principal_plane(points)
    reference = PCA(2).fit(points)
    theirs = reference.transform(points)
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-9)
    np.testing.assert_allclose(share, reference.explained_variance_ratio_)
    flipped, _ = figures_faces.principal_plane(points[:, ::-1])
    np.testing.assert_allclose(flipped, ours, atol=1e-9)


def test_equal_points_have_a_plane():
    points, share = figures_faces.principal_plane(np.ones((5, 4)))
    assert np.isfinite(points).all()
    assert share.tolist() == [0, 0]


def test_curves_are_means_of_an_epoch_without_blanks():
    log = pd.DataFrame(
        {
            "epoch": [0, 0, 1],
            "step": [9, 9, 19],
            "train/loss_step": [9.0, 9.0, 9.0],
            "train/loss_epoch": [np.nan, 2.0, 1.0],
            "train/kd": [0.5, 0.7, 0.4],
            "val/loss": [3.0, np.nan, 2.0],
            "val/macro_f1_8way": [np.nan, 0.3, 0.4],
            "val/empty": [np.nan] * 3,
            "lr": [0.1] * 3,
        }
    )
    losses, scores = figures_training.curves(log)
    assert list(losses) == ["train/loss", "train/kd", "val/loss"]
    assert losses["train/loss"].tolist() == [2.0, 1.0]
    assert losses["train/kd"].tolist() == pytest.approx([0.6, 0.4])
    assert list(scores) == ["val/macro_f1_8way"]
    assert scores["val/macro_f1_8way"].tolist() == [0.3, 0.4]
    assert size_of(figures_training.learning_figure(log))


GRADIENTS = {
    "epoch": [0, 0, 1],
    "train/loss": [9.0, 7.0, 4.0],
    "train/share_ce": [0.75, 0.25, 0.4],
    "train/share_proto": [0.25, 0.75, 0.6],
    "train/cos_ce_proto": [-0.5, 0.5, 0.1],
    "val/loss": [3.0, np.nan, 2.0],
}


def test_shares_and_angles_of_gradients_are_no_losses(monkeypatch):
    """Shares have a panel of their own, on a scale of their own; angles are in the file alone."""
    log = pd.DataFrame(GRADIENTS)
    losses, scores = figures_training.curves(log)
    assert (list(losses), list(scores)) == (["train/loss", "val/loss"], [])
    shares = figures_training.gradient_shares(log)
    assert shares.to_dict("list") == {"ce": [0.5, 0.4], "proto": [0.5, 0.6]}
    seen, real = [], drawing.png
    monkeypatch.setattr(drawing, "png", lambda figure: seen.append(figure) or real(figure))
    assert figures_training.learning_figure(log)
    drawn = {a.get_title(loc="left"): [line.get_label() for line in a.lines] for a in seen[0].axes}
    assert drawn == {
        "Loss and its terms": ["train/loss", "val/loss"],
        "Share of the gradient": ["ce", "proto"],
    }


def test_a_log_without_gradients_has_no_panel_of_them():
    log = pd.DataFrame({k: v for k, v in GRADIENTS.items() if "share" not in k})
    assert figures_training.gradient_shares(log).empty
    assert figures_training.gradient_shares(pd.DataFrame()).empty


@pytest.mark.parametrize("log", [pd.DataFrame(), pd.DataFrame({"epoch": [0], "lr": [0.1]})])
def test_a_log_without_curves_gives_no_figure(log):
    assert figures_training.learning_figure(log) is None


def test_every_emotion_has_its_own_colour_and_marker():
    assert list(drawing.EMOTION_COLOURS) == list(EMOTIONS)
    assert len(set(drawing.EMOTION_COLOURS.values())) == 8
    assert len(set(drawing.EMOTION_MARKERS.values())) == 8
