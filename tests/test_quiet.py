"""Advice for authors is left out; what a user must know is not."""

import subprocess
import sys
import warnings

from neurogaze.quiet import LOGGERS, hush

LATER = """
from neurogaze.quiet import hush
hush()
import logging
import lightning_fabric
for name in ("lightning_fabric", "lightning_fabric.utilities.seed"):
    logging.getLogger(name).info("a note")
    logging.getLogger(name).warning("a warning")
"""


def test_advice_is_left_out_and_other_warnings_are_not():
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        hush()
        warnings.warn("The loader does not have many workers, consider more", stacklevel=1)
        warnings.warn("3 electrodes were interpolated", stacklevel=1)
    assert [str(w.message) for w in heard] == ["3 electrodes were interpolated"]


def test_notes_of_lightning_are_left_out_though_its_import_comes_later():
    """In a process of its own: here it is imported already."""
    said = subprocess.run(
        [sys.executable, "-c", LATER], capture_output=True, text=True, check=True
    ).stderr
    assert "a warning" in said
    assert "a note" not in said


def test_loggers_that_are_quiet_are_those_of_lightning():
    assert all(name.startswith(("pytorch_lightning", "lightning")) for name in LOGGERS)
