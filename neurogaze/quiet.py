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
    """Lower the levels of Lightning's loggers and leave out its advice."""
    import pytorch_lightning  # noqa: F401  (its import sets the levels that are lowered here)

    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in ADVICE:
        warnings.filterwarnings("ignore", message)
