"""Runs of this room are looked at for what they compute; `tests/report` looks at pictures."""

import pytest

from tests.conftest import blank_pictures


@pytest.fixture(scope="module", autouse=True)
def _undrawn():
    """Nor are those of module fixtures drawn; `tiny_run` is of the session, and is painted."""
    with blank_pictures():
        yield
