"""The drawn face: each action changes the part it belongs to, each view does what it says."""

import numpy as np
import pytest

from neurogaze.faces.corpora import drawing
from neurogaze.faces.corpora.drawing import ACTIONS, PERSON, VIEW, FaceParameters, draw
from neurogaze.faces.corpora.people import PEOPLE, sample_people, sample_views


def plain_face(action=None, amount=1.0, n=1, **view):
    """An average person, frontal, evenly lit, noiseless."""
    actions = np.zeros((n, len(ACTIONS)), dtype=np.float32)
    if action:
        actions[:, ACTIONS.index(action)] = amount
    middle = {name: (near[0] + near[1]) / 2 for name, (near, _) in PEOPLE.items()}
    person = middle | {"beard": 0.0, "side": 1.0}
    still = dict.fromkeys(VIEW, 0.0) | {"zoom": 1.0, "gain": 1.0, "background": 0.5} | view
    people = np.array([[person[name] for name in PERSON]] * n, dtype=np.float32)
    views = np.array([[still[name] for name in VIEW]] * n, dtype=np.float32)
    return draw(FaceParameters(actions, people, views), seed=0)[0].astype(float)


PLACES = {
    "inner_brow": (5, 24),
    "outer_brow": (5, 24),
    "brow_lower": (5, 26),
    "lid": (14, 26),
    "cheek": (14, 42),
    "nose_wrinkle": (14, 42),
    "lip_corner": (26, 46),
    "smirk": (30, 44),
    "mouth_open": (26, 48),
    "lip_press": (30, 44),
}
"""Picture rows between which the main effect of an action lies."""


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_changes_its_own_rows(action):
    change = np.abs(plain_face(action) - plain_face()).sum(axis=1)
    first, last = PLACES[action]
    assert change.sum() > 150
    assert change[first:last].sum() > 0.8 * change.sum()


@pytest.mark.parametrize("action", ACTIONS)
def test_only_the_smirk_is_lopsided(action):
    face = plain_face(action)
    lopsided = np.abs(face - face[:, ::-1]).max()
    assert lopsided > 60 if action == "smirk" else lopsided < 1


def test_open_mouth_and_closed_eyes():
    mouth, eyes = (slice(33, 42), slice(20, 28)), (slice(16, 20), slice(12, 36))
    assert plain_face("mouth_open")[mouth].mean() < plain_face()[mouth].mean() - 30
    wide, shut = plain_face("lid", 1.0)[eyes], plain_face("lid", -1.0)[eyes]
    assert wide.max() > shut.max() + 20  # the white of the eye shows


def test_views():
    face = plain_face()
    shifted = plain_face(shift_x=0.25)  # six of 48 pixels
    np.testing.assert_allclose(shifted[:, 6:], face[:, :-6], atol=2)
    brighter = plain_face(gain=1.2)
    inside = (face > 20) & (face < 200)
    np.testing.assert_allclose(brighter[inside] / face[inside], 1.2, atol=0.05)
    lit = plain_face(light_x=0.3)
    assert lit[:, 30:].mean() > lit[:, :18].mean() + 10
    assert np.abs(np.diff(plain_face(blur=0.2), axis=1)).mean() < np.abs(np.diff(face)).mean()
    assert np.std(plain_face(noise=0.05) - face) == pytest.approx(0.05 * 255, rel=0.1)


def test_turn_is_about_the_middle():
    quarter = plain_face(angle=np.pi / 2)
    inner = (slice(8, 40), slice(8, 40))
    turned = np.rot90(plain_face(), k=-1)
    assert np.corrcoef(quarter[inner].ravel(), turned[inner].ravel())[0, 1] > 0.99


def test_parts_stay_within_the_rows_they_are_painted_on(monkeypatch):
    rng = np.random.default_rng(5)
    actions = rng.uniform(-1, 1.3, size=(64, len(ACTIONS)))
    for domain in (0.0, 1.0):
        people, views = sample_people(64, domain, rng), sample_views(64, domain, rng)
        faces = FaceParameters(actions, people, views)
        windowed = draw(faces, seed=0)
        with monkeypatch.context() as patch:
            patch.setattr(drawing, "PARTS", tuple((part, -9, 9) for part, *_ in drawing.PARTS))
            np.testing.assert_array_equal(windowed, draw(faces, seed=0))


def test_equal_seed_equal_noise():
    rng = np.random.default_rng(0)
    faces = FaceParameters(
        np.zeros((3, len(ACTIONS))), sample_people(3, 0, rng), sample_views(3, 0, rng)
    )
    assert np.array_equal(draw(faces, seed=1), draw(faces, seed=1))
    assert not np.array_equal(draw(faces, seed=1), draw(faces, seed=2))
