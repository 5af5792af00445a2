"""A contract and result rows as a model card takes them."""

import copy

from neurogaze.affect import EMOTIONS
from neurogaze.evaluation.results import ResultRow, model_hash

COUNTS = [400, 300, 120, 110, 90, 10, 20, 8]

CONTRACT = {
    "labels": list(EMOTIONS),
    "preprocessing": {"size": 44, "channels": 1, "mean": 0.5, "std": 0.25},
    "crop": {"margin": 1.2, "drop": 0.0, "level_eyes": True},
    "temperature": 1.4321,
    "abstain_below": 0.6123,
    "va": {"temperature": 0.1, "shown": False, "reason": "no recording was in the cell of fear"},
    "centers": [],
    "grid_sha256": "a" * 64,
    "prototypes_sha256": "b" * 64,
    "weights_sha256": "c" * 64,
    "precision": "float32",
    "generated": False,
    "provenance": {
        "config_hash": "e" * 64,
        "dataset": "toy_faces",
        "rule": "majority",
        "held_out": {"n_folds": 10, "fold": 0, "seed": 0},
        "settings": {"target": "votes", "without": None},
        "train": {"split": "train", "n": 1058, "class_counts": COUNTS},
    },
    "calibration": {
        "objective": "nll",
        "n": 117,
        "dataset": "toy_faces",
        "abstain": {
            "risk": 0.1,
            "rule": "guaranteed",
            "coverage": 0.71,
            "error": 0.062,
            "bound": 0.098,
        },
    },
    "version": "9.9.9",
}


def contract(**changes):
    """The contract with other values, safe to alter."""
    return copy.deepcopy(CONTRACT) | changes


def row(metric, value, n=200, **changes) -> ResultRow:
    """A result row of that student."""
    said = {
        "experiment": "toy",
        "arm": "student",
        "dataset": "toy_faces",
        "split": "valid",
        "protocol": "last epoch, plain weights, one view",
        "label_rule": "majority",
        "seed": 0,
        "config_hash": model_hash("e" * 64, "c" * 64),
        "grid_hash": "a" * 64,
        "split_hash": "",
        "code_version": "9.9.9",
        "low": value - 0.02,
        "high": value + 0.02,
    }
    return ResultRow(metric=metric, value=value, n=n, **said | changes)


RECALLS = [0.9, 0.93, 0.85, 0.6, 0.8, 0.2, 0.35, 0.0]


def rows():
    """Scores, calibration, one spoiled condition and regions."""
    scores = [row("accuracy", 0.8417), row("macro_f1_8way", 0.6123), row("ece", 0.0432)]
    scores += [row("balanced_accuracy_8way", 0.59), row("aurc", 0.0512)]
    recalls = zip(EMOTIONS, RECALLS, strict=True)
    scores += [row(f"recall_{name}", value, 25, low=None, high=None) for name, value in recalls]
    scores[-1] = row("recall_contempt", 0.0, 0, low=None, high=None)  # no such face
    spoiled = [
        row("accuracy", 0.5 + 0.01 * severity, experiment=f"toy: noise {severity}")
        for severity in range(1, 6)
    ]
    clean = [row("accuracy", 0.8417, experiment="toy: clean")]
    regions = [
        row("region_iou", 0.2345, arm="grad-cam"),
        row("region_chance", 0.1234, arm="grad-cam"),
    ]
    return scores + clean + spoiled + regions
