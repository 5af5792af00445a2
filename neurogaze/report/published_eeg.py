"""Published scores on recordings: all tables of arXiv 2511.13954 and its ablations.

Accuracy per window, per cent, mean and standard deviation over five folds. Windows of one trial lie
on both sides of these folds, overlap across them, and share the label of their clip, so the figures
say how well a clip is recognised again. Baselines are quoted there from their own papers, under
other protocols.
"""

from __future__ import annotations

from collections.abc import Sequence

from neurogaze.report.published import Published, cells, scores

PAPER = "arXiv 2511.13954"
LEAKY = "5 folds of windows: windows of one trial on both sides (LEAKY)"
QUOTED = "quoted from its paper, under another protocol"
OURS = "RBTransformer"
AXES = (
    ("V", "valence_accuracy_window"),
    ("A", "arousal_accuracy_window"),
    ("D", "dominance_accuracy_window"),
)
EMOTION = (("Acc", "emotion_accuracy_window"),)
NAMES = {"V": "valence", "A": "arousal", "D": "dominance", "-": "emotion"}

DEAP_BINARY = """
ACRNN | 93.72+-3.21 | 93.38+-3.73 | -
GANSER | 93.86 | 94.38 | -
4D-CRNN | 94.22+-2.61 | 94.58+-3.69 | -
BiDCNN | 94.38+-2.61 | 94.72+-2.56 | -
CLDTA | 94.58+-1.40 | 94.11+-2.10 | -
DFCN | 94.59 | 95.32 | 94.78
RACNN | 96.65+-2.65 | 97.11+-2.01 | -
4D-ANN | 96.90+-1.65 | 97.39+-1.75 | -
TRPO-NET | 97.87+-1.89 | 98.08+-1.83 | 98.33+-1.55
TDMNN | 98.08+-2.13 | 98.25+-2.85 | -
RBTransformer | 99.84+-0.02 | 99.83+-0.05 | 99.82+-0.06
"""
DREAMER_BINARY = """
GANSER | 85.28 | 84.16 | -
DGCNN | 86.23+-12.29 | 84.54+-10.18 | 85.02+-10.25
DFCN | 93.15 | 91.30 | 92.04
RACNN | 95.55+-2.18 | 97.01+-2.74 | -
ACRNN | 97.93+-1.73 | 97.98+-1.92 | 98.23+-1.42
BiDCNN | 98.35+-0.87 | 98.66+-1.46 | 99.01+-0.96
TRPO-NET | 98.86+-0.57 | 98.97+-0.49 | 98.93+-0.69
TDMNN | 99.45+-0.91 | 99.51+-0.79 | -
RBTransformer | 99.61+-0.05 | 99.74+-0.06 | 99.79+-0.04
"""
SEED = """
DGCNN | 90.40+-8.49
4D-CRNN | 94.74+-2.32
CLDTA | 95.09+-4.48
SST-EmotionNet | 96.02+-2.17
4D-ANN | 96.25+-1.86
TDMNN | 97.20+-1.57
3DCANN | 97.35
GANSER | 97.71
RBTransformer | 99.51+-0.02
"""
DEAP_NINE = """
TRPO-NET | 97.63+-2.38 | 97.74+-2.26 | 97.88+-2.24
RBTransformer | 99.87+-0.04 | 99.84+-0.04 | 99.87+-0.05
"""
DREAMER_FIVE = """
TRPO-NET | 98.18+-0.97 | 98.37+-0.93 | 98.40+-0.80
RBTransformer | 99.54+-0.06 | 99.55+-0.04 | 99.60+-0.05
"""
EXTENDED = """
SEED | - | 99.51+-.02 | 99.51+-.02 | 99.51+-.02
DEAP, 2 classes | V | 99.84+-.02 | 99.83+-.02 | 99.83+-.02
DEAP, 2 classes | A | 99.83+-.06 | 99.83+-.06 | 99.83+-.06
DEAP, 2 classes | D | 99.81+-.07 | 99.81+-.06 | 99.81+-.07
DEAP, 9 classes | V | 99.87+-.06 | 99.86+-.03 | 99.86+-.04
DEAP, 9 classes | A | 99.84+-.05 | 99.84+-.05 | 99.84+-.04
DEAP, 9 classes | D | 99.86+-.06 | 99.87+-.04 | 99.87+-.05
DREAMER, 2 classes | V | 99.58+-.05 | 99.60+-.06 | 99.59+-.06
DREAMER, 2 classes | A | 99.61+-.12 | 99.67+-.07 | 99.64+-.09
DREAMER, 2 classes | D | 99.63+-.06 | 99.72+-.09 | 99.68+-.06
DREAMER, 5 classes | V | 99.54+-.06 | 99.54+-.05 | 99.54+-.05
DREAMER, 5 classes | A | 99.49+-.06 | 99.46+-.09 | 99.47+-.07
DREAMER, 5 classes | D | 99.56+-.05 | 99.58+-.14 | 99.57+-.09
"""
ABLATIONS = """
full | 99.74+-.06 | 99.61+-.12 | 99.67+-.07 | 99.64+-.09
ADASYN for SMOTE | 99.72+-.08 | 99.54+-.12 | 99.67+-.11 | 99.61+-.11
no SMOTE, no smoothing | 99.71+-.03 | 99.61+-.05 | 99.58+-.04 | 99.60+-.04
no weight decay | 99.71+-.07 | 99.54+-.13 | 99.64+-.07 | 99.59+-.09
no dropout | 99.52+-.05 | 99.32+-.15 | 99.34+-.08 | 99.33+-.07
no electrode identity | 98.63+-.17 | 98.06+-.21 | 98.11+-.25 | 98.08+-.22
no inter-cortical attention | 68.82+-.26 | 63.96+-.25 | 68.78+-.35 | 63.90+-.29
"""
NO_BLOCKS = "whole blocks are removed, their feed-forward parts too: only band means are left"


def _quality(axis: str) -> list[tuple[str, str]]:
    """Columns of precision, recall and F1 of one axis."""
    named = (("P", "macro_precision"), ("R", "macro_recall"), ("F1", "macro_f1"))
    return [(column, f"{axis}_{metric}_window") for column, metric in named]


def _rows(
    number: str, title: str, text: str, columns: Sequence[tuple[str, str]]
) -> list[Published]:
    """Rows of a table of models."""
    source, found = f"{PAPER}, Table {number}", []
    for line in text.strip().splitlines():
        name, *values = cells(line)
        numbers, row_id = scores(values, columns), f"rbtransformer/{number}/{name}"
        caveat = "" if name == OURS else QUOTED
        found.append(Published(row_id, title, source, LEAKY, name, numbers, caveat))
    return found


def _extended() -> list[Published]:
    """Table VI: one task a row."""
    found = []
    for line in EXTENDED.strip().splitlines():
        task, axis, *values = cells(line)
        name = task if axis == "-" else f"{task}, {NAMES[axis]}"
        numbers, row_id = scores(values, _quality(NAMES[axis])), f"rbtransformer/VI/{name}"
        source = f"{PAPER}, Table VI"
        found.append(Published(row_id, "Precision, recall and F1", source, LEAKY, name, numbers))
    return found


def _ablations() -> list[Published]:
    """The ablations, of arousal on DREAMER in two classes."""
    columns, found = [("Acc", "arousal_accuracy_window"), *_quality("arousal")], []
    title, source = "Ablations, DREAMER, arousal, 2 classes", f"{PAPER}, figure of its repository"
    for line in ABLATIONS.strip().splitlines():
        name, *values = cells(line)
        caveat = NO_BLOCKS if "attention" in name else ""
        numbers, row_id = scores(values, columns), f"rbtransformer/ablations/{name}"
        found.append(Published(row_id, title, source, LEAKY, name, numbers, caveat))
    return found


RECORDINGS: tuple[Published, ...] = (
    *_rows("I", "DEAP, 2 classes", DEAP_BINARY, AXES),
    *_rows("II", "DREAMER, 2 classes", DREAMER_BINARY, AXES),
    *_rows("III", "SEED, 3 classes", SEED, EMOTION),
    *_rows("IV", "DEAP, 9 classes", DEAP_NINE, AXES),
    *_rows("V", "DREAMER, 5 classes", DREAMER_FIVE, AXES),
    *_extended(),
    *_ablations(),
)
"""Every published row on recordings."""
