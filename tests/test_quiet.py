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
    assert all(logging.getLogger(name).level == logging.WARNING for name in LOGGERS)
