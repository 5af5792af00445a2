"""ILSS against the values of its authors' plot."""

import pytest

from neurogaze.errors import InputError
from neurogaze.evaluation.ilss import ilss


@pytest.mark.parametrize(
    ("mean", "sd", "expected"),
    [
        (99.74, 0.06, 8.05),
        (98.97, 0.49, 7.11),
        (99.51, 0.79, 6.93),
        (98.66, 1.46, 6.63),
        (97.98, 1.92, 6.48),
        (97.01, 2.74, 6.28),
        (84.54, 10.18, 5.21),
    ],
)
def test_published_systems(mean, sd, expected):
    assert ilss(mean, sd) == pytest.approx(expected, abs=0.005)


def test_no_spread_reaches_the_ceiling():
    assert ilss(100, 0) == pytest.approx(10)
    assert ilss(0, 0) == 0


@pytest.mark.parametrize(("mean", "sd"), [(-1, 0), (101, 0), (50, -0.1), (float("nan"), 1)])
def test_what_is_no_percentage_is_refused(mean, sd):
    with pytest.raises(InputError, match="0 to 100"):
        ilss(mean, sd)
