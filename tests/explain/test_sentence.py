"""Sentences that claim no more than is known."""

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.explain.nearest import Near
from neurogaze.explain.sentence import GENERATED, NO_FEELING, sentence

CHANCES = np.array([0.12, 0.83, 0.03, 0.02, 0, 0, 0, 0])


def test_everything_that_is_known_is_said():
    near = [Near(18, 0.4, 0.4, 0.9), Near(13, 0.4, 0.0, 0.8)]
    said = sentence(CHANCES, near, (0.611, -0.001))
    assert said == (
        "Perceived expression: happiness, 83 %; next neutral, 12 %. "
        "Nearest prototypes at (valence, arousal) (+0.40, +0.40), (+0.40, +0.00). "
        "Read-out of the grid: valence +0.61, arousal +0.00 (prototype-space, no measurement). "
        "This is no measurement of what the person feels."
    )


def test_what_is_not_known_is_not_said():
    said = sentence(CHANCES, va=(np.nan, np.nan))
    assert "valence" not in said
    assert "prototype" not in said
    assert said.endswith(NO_FEELING)


def test_one_who_abstains_names_no_expression():
    said = sentence(CHANCES, abstained=True)
    assert said.startswith("No perceived expression is named")
    assert "Perceived expression: happiness" not in said


def test_a_student_of_drawn_faces_is_stamped():
    assert sentence(CHANCES, generated=True).startswith(GENERATED)
    assert GENERATED not in sentence(CHANCES)


@pytest.mark.parametrize("chances", [np.ones(7) / 7, np.full(8, np.nan)])
def test_what_is_no_distribution_is_refused(chances):
    with pytest.raises(InputError, match="probabilities"):
        sentence(chances)
