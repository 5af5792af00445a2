"""Keep advice meant for the authors of a training away from its user."""

from __future__ import annotations

import logging
import warnings

LOGGERS = (
    "pytorch_lightning",
    "lightning.pytorch",
    "pytorch_lightning.utilities.rank_zero",
    "lightning_fabric",
    "lightning_fabric.utilities.seed",
)
ADVICE = (
    ".*does not have many workers.*",
    ".*Checkpoint directory .* exists and is not empty.*",
    ".*smaller than the logging interval.*",
    ".*LeafSpec.*",
    ".*is already saved during checkpointing.*",
    ".*args parameter is intended to run from within Python.*",
    ".*isinstance\\(treespec.*",
    ".*It is recommended to use .self.log.*sync_dist=True.*",  # scores are of summed counts already
)


def hush() -> None:
    """Keep notes of Lightning's loggers, and its advice, from being shown.

    It need not be imported for it, which takes seconds; its import sets the levels of its loggers,
    so these are left alone.
    """
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_tells_of_trouble)
    for message in ADVICE:
        warnings.filterwarnings("ignore", message)


def _tells_of_trouble(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
