"""Advice for authors is left out; what a user must know is not."""

import logging
import warnings

from neurogaze.quiet import LOGGERS, hush


def test_advice_is_left_out_and_other_warnings_are_not():
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        hush()
        warnings.warn("The loader does not have many workers, consider more", stacklevel=1)
        warnings.warn("3 electrodes were interpolated", stacklevel=1)
    assert [str(w.message) for w in heard] == ["3 electrodes were interpolated"]


def test_notes_are_left_out_though_their_library_sets_its_levels_later(caplog):
    """Whoever asks for quiet need not wait for its import."""
    hush()
    for name in LOGGERS:
        caplog.clear()
        logger = logging.getLogger(name)
        with caplog.at_level(logging.INFO, name):  # as the import does
            logger.info("a note")
            logger.warning("a warning")
        assert [record.getMessage() for record in caplog.records] == ["a warning"], name


def test_loggers_that_are_quiet_are_those_of_lightning():
    assert all(name.startswith(("pytorch_lightning", "lightning")) for name in LOGGERS)
