"""Ways to look at an image, against crops cut by hand and formulas on the probabilities."""

import copy

import numpy as np
import pytest
import torch
from scipy.special import softmax

from neurogaze.errors import InputError
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.pipeline.judging import load_student, student_context
from neurogaze.pipeline.views import View, corners, opinion, predict, training_shares, views_of


@pytest.fixture(scope="module")
def student(tiny_run):
    return load_student(tiny_run.run / "student" / "last.ckpt")


@pytest.fixture(scope="module")
def images():
    return SyntheticFaces(16, 24).load("valid").images


def test_a_mirrored_set_has_the_same_mirrored_scores(student, images):
    """Averaging an image with its mirror cannot tell one from the other."""
    plain, _ = predict(student, images, View(flip=True))
    mirrored, _ = predict(student, images[:, :, ::-1].copy(), View(flip=True))
    np.testing.assert_allclose(plain, mirrored, atol=1e-6)
    alone, _ = predict(student, images)
    assert np.abs(alone - plain).max() > 1e-6


def test_corners_are_those_of_the_picture():
    picture = torch.arange(16, dtype=torch.uint8).reshape(1, 4, 4)
    found = [corner[0].tolist() for corner in corners(picture, 2)]
    assert found == [[[0, 1], [4, 5]], [[2, 3], [6, 7]], [[8, 9], [12, 13]], [[10, 11], [14, 15]]]


def test_ten_crops_are_five_and_their_mirrors_the_centre_first():
    picture = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (2, 48, 48), np.uint8))
    prepared = FacePreprocessing(size=44)
    found = list(views_of(picture, prepared, View(crops="ten")))
    assert len(found) == 10
    pixels = (picture.float() / 255 - 0.5) / 0.25
    starts = [(2, 2), (0, 0), (0, 4), (4, 0), (4, 4)]
    for (top, left), straight, mirrored in zip(starts, found[::2], found[1::2], strict=True):
        expected = pixels[:, None, top : top + 44, left : left + 44]
        torch.testing.assert_close(straight, expected)
        torch.testing.assert_close(mirrored, expected.flip(3))


def test_ten_crops_are_the_mean_of_ten_logits(student, images):
    probabilities, embeddings = predict(student, images, View(crops="ten"))
    pixels = ((images.astype(np.float32) / 255 - 0.5) / 0.25)[:, None]
    logits = []
    with torch.no_grad():
        for top, left in [(2, 2), (0, 0), (0, 4), (4, 0), (4, 4)]:
            cut = pixels[:, :, top : top + 44, left : left + 44]
            for one in (cut, cut[..., ::-1]):
                logits.append(student(torch.from_numpy(one.copy())).logits.double().numpy())
    expected = softmax(np.mean(logits, axis=0), axis=1)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    seen = opinion(student, images, View(crops="ten"))
    np.testing.assert_allclose(seen.single, logits[0], atol=1e-4)
    np.testing.assert_allclose(embeddings, predict(student, images)[1], atol=1e-6)


def test_ten_crops_of_a_picture_as_small_as_the_input_are_refused(student, images):
    with pytest.raises(InputError, match="44 x 44 for an input of 44"):
        predict(student, images[:, 2:46, 2:46], View(crops="ten"))


def test_a_prior_divides_by_powers_of_the_class_shares(student, images):
    """Menon et al. (2021), equation 9: p_c becomes p_c / share_c ** tau, renormalised."""
    other = copy.copy(student)
    counts = [40, 30, 9, 8, 7, 3, 2, 1]
    other.provenance = student.provenance | {"train": {"class_counts": counts}}
    plain, _ = predict(other, images)
    found, _ = predict(other, images, View(prior=0.3))
    expected = plain / (np.array(counts) / 100) ** 0.3
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True), rtol=1e-9)
    assert (found[:, 7] > plain[:, 7]).all()


def test_the_prior_is_that_of_the_targets(student):
    """Sizes of classes stand for it only where the label was the target."""
    other, counts = copy.copy(student), [40, 30, 9, 8, 7, 3, 2, 1]
    shares = [0.3, 0.3, 0.1, 0.1, 0.1, 0.05, 0.03, 0.02]
    records = {"class_counts": counts, "target_shares": shares}
    for target in ("majority", "votes", "sampled"):
        other.provenance = {"settings": {"target": target}, "train": records}
        np.testing.assert_allclose(training_shares(other), shares)
        other.provenance = {"settings": {"target": target}, "train": {"class_counts": counts}}
        if target == "majority":
            np.testing.assert_allclose(training_shares(other), np.array(counts) / 100)
            continue
        with pytest.raises(InputError, match="its training pictures are at hand"):
            training_shares(other)


def test_a_prior_of_a_class_never_seen_is_refused(student, images):
    other = copy.copy(student)
    counts = [40, 30, 9, 8, 7, 3, 2, 0]
    other.provenance = student.provenance | {"train": {"class_counts": counts}}
    with pytest.raises(InputError, match="knows no contempt"):
        predict(other, images, View(prior=0.3))


def test_a_temperature_is_a_power_of_the_probabilities(student, images):
    plain, _ = predict(student, images)
    found, _ = predict(student, images, View(temperature=2.0))
    expected = np.sqrt(plain)
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True), rtol=1e-9)


def test_everything_together_is_divided_by_the_temperature_last(student, images):
    other = copy.copy(student)
    counts = np.array([40, 30, 9, 8, 7, 3, 2, 1])
    other.provenance = student.provenance | {"train": {"class_counts": counts.tolist()}}
    view = View(flip=True, undo_weights=True, prior=0.5, temperature=0.5)
    weights = other.loss.ce.class_weight.double().numpy()
    mean = opinion(other, images, View(flip=True)).mean
    expected = softmax((mean - np.log(weights) - 0.5 * np.log(counts / 100)) / 0.5, axis=1)
    np.testing.assert_allclose(predict(other, images, view)[0], expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (View(), "one view"),
        (View(flip=True), "image and mirror"),
        (View(undo_weights=True), "one view, class weights undone"),
        (View(crops="ten", prior=0.3, temperature=1.234), "ten crops, prior 0.3, T 1.23"),
    ],
)
def test_a_view_says_what_it_is(student, view, said):
    assert str(view) == said
    table = SyntheticFaces(16, 24).load("valid")
    assert student_context(student, table, view)["protocol"].endswith(said)
    named = view.named("student")
    assert named == ("student" if view == View() else f"student ({said})")
    assert view.named(named) == named
    assert view.bare(named) == view.bare("student") == "student"


@pytest.mark.parametrize(
    "wrong", [{"flip": True, "crops": "ten"}, {"temperature": 0.0}, {"crops": "five"}]
)
def test_a_view_that_means_nothing_is_refused(wrong):
    with pytest.raises(InputError):
        View(**wrong)
