"""People and views stay in their ranges and depend on the domain as stated."""

import numpy as np
import pytest

from neurogaze.faces.corpora.drawing import PERSON, VIEW
from neurogaze.faces.corpora.people import (
    BEARDED,
    PEOPLE,
    TILT,
    VIEWS,
    sample_people,
    sample_views,
)


@pytest.mark.parametrize(
    ("sample", "ranges", "names"),
    [(sample_people, PEOPLE, PERSON), (sample_views, VIEWS, VIEW)],
)
@pytest.mark.parametrize("domain", [0.0, 0.5, 1.0])
def test_ranges(sample, ranges, names, domain):
    table = sample(2000, domain, np.random.default_rng(0))
    assert table.shape == (2000, len(names))
    assert table.dtype == np.float32
    for name, (near, far) in ranges.items():
        low, high = (1 - domain) * np.array(near) + domain * np.array(far)
        column = table[:, names.index(name)]
        assert low - 1e-6 <= column.min() < low + 0.05 * (high - low) + 1e-6
        assert high - 0.05 * (high - low) - 1e-6 < column.max() <= high + 1e-6


def test_beards_sides_and_tilt():
    people = sample_people(4000, 0.0, np.random.default_rng(1))
    assert (people[:, PERSON.index("beard")] > 0).mean() == pytest.approx(BEARDED, abs=0.03)
    assert people[:, PERSON.index("side")].mean() == pytest.approx(0.0, abs=0.05)
    for domain, degrees in zip((0.0, 1.0), TILT, strict=True):
        angles = sample_views(4000, domain, np.random.default_rng(1))[:, VIEW.index("angle")]
        assert np.degrees(angles.std()) == pytest.approx(degrees, rel=0.06)


def test_people_of_two_domains_are_relatives():
    """Equal seeds give equal places within the range of each domain."""
    near = sample_people(50, 0.0, np.random.default_rng(2))
    far = sample_people(50, 1.0, np.random.default_rng(2))
    column = PERSON.index("eye_size")
    assert np.corrcoef(near[:, column], far[:, column])[0, 1] == pytest.approx(1.0, abs=1e-4)
