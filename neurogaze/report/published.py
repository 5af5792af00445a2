"""Published scores, one row of a published table each, to stand beside ours.

Facts restated from the papers named in every row, per cent throughout. What a number cannot mean is
said beside it. Faces: arXiv 2509.11916. Recordings: `published_eeg`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """One published number.

    Args:
        column: heading in the paper.
        metric: name of the score of ours that answers to it.
        value: per cent.
        spread: standard deviation over folds, per cent; None where none is given.
    """

    column: str
    metric: str
    value: float
    spread: float | None = None

    @property
    def written(self) -> str:
        """As printed, such as "99.61 ± 0.05"."""
        return f"{self.value:.2f}" + ("" if self.spread is None else f" ± {self.spread:.2f}")


@dataclass(frozen=True)
class Published:
    """One row of a published table.

    Args:
        row_id: names the row in a file of matches, such as "neurogaze/T1/B3".
        table: heading of the table.
        source: paper and part of it.
        protocol: data and how they were kept apart, as far as it is known.
        name: of the row in the paper.
        scores: its numbers.
        caveat: what keeps them from being a target, "" where nothing is known against them.
    """

    row_id: str
    table: str
    source: str
    protocol: str
    name: str
    scores: tuple[Score, ...]
    caveat: str = ""


def cells(line: str) -> list[str]:
    """The cells of a line of a text table.

    >>> cells("B0 | CE only | 78.22")
    ['B0', 'CE only', '78.22']
    """
    return [cell.strip() for cell in line.split("|")]


def score(text: str, column: str, metric: str) -> Score | None:
    """A number with its spread, as "99.61+-0.05"; None for "-".

    >>> score("99.61+-0.05", "V", "accuracy").written
    '99.61 ± 0.05'
    """
    if text == "-":
        return None
    value, _, spread = text.partition("+-")
    return Score(column, metric, float(value), float(spread) if spread else None)


def scores(texts: Sequence[str], columns: Sequence[tuple[str, str]]) -> tuple[Score, ...]:
    """The numbers of one row that the paper gives.

    Args:
        texts: a cell a column.
        columns: (heading, metric of ours).
    """
    found = [score(t, *names) for t, names in zip(texts, columns, strict=True)]
    return tuple(one for one in found if one is not None)


PAPER = "arXiv 2509.11916"
EIGHT_WAY = (
    ("Acc", "accuracy"),
    ("Macro-F1", "macro_f1_8way"),
    ("bACC", "balanced_accuracy_8way"),
)
CROSS = (
    ("present-only Acc", "present_restricted_accuracy"),
    ("present-only F1", "present_restricted_macro_f1"),
    ("present-only bACC", "present_restricted_balanced_accuracy"),
    ("8-way Acc", "accuracy"),
    ("8-way F1", "macro_f1_8way"),
    ("8-way bACC", "balanced_accuracy_8way"),
)

VALIDATION = """
B0 | CE only | 78.22 | 51.29 | 49.77
B1 | + KD | 82.31 | 63.56 | 59.28
B2 | + KD + Proto-KD | 81.48 | 64.21 | 60.30
B3 | full (+ D-Geo) | 83.06 | 64.74 | 59.90
T=1 | full (T=1) | 83.66 | 65.39 | 61.32
"""
MAIN = """
affectnet_mini | AffectNet-mini | 76.30 | 75.60 | 75.77 | 76.30 | 75.60 | 75.77
ckplus | CK+ | 64.93 | 49.33 | 52.46 | 55.86 | 39.23 | 36.25
ferplus | FERPlus valid | 83.06 | 64.74 | 59.90 | 83.06 | 64.74 | 59.90
"""
SECOND = """
affectnet_mini | AffectNet-mini | 76.28 | 75.46 | 75.47 | 76.28 | 75.46 | 75.47
ckplus | CK+ | 64.32 | 49.75 | 52.89 | 54.43 | 37.92 | 34.44
ferplus | FERPlus valid | 82.38 | 65.37 | 60.41 | 82.38 | 65.37 | 60.41
"""
PROTOCOL = (
    "trained on FERPlus train, checkpoint and weight of D-Geo chosen by what is reported; no "
    "seeds, no deviations"
)
CAVEATS = {
    "T1/T=1": "a temperature cannot move these scores: another training or checkpoint",
    "affectnet_mini": "the subset is not defined; above models trained on AffectNet, so it may "
    "have been trained on; the weight of D-Geo was chosen by it",
    "ckplus": "981 pictures by arithmetic; the weight of D-Geo was chosen by it",
}


def _rows(
    number: str, table: str, source: str, text: str, columns: Sequence[tuple[str, str]]
) -> list[Published]:
    """Rows of one text table of the paper on faces."""
    origin, found = f"{PAPER}, {source}", []
    for line in text.strip().splitlines():
        key, name, *values = cells(line)
        caveat = CAVEATS.get(f"{number}/{key}", CAVEATS.get(key, ""))
        numbers = scores(values, columns)
        row_id = f"neurogaze/{number}/{key}"
        found.append(Published(row_id, table, origin, PROTOCOL, name, numbers, caveat))
    return found


FACES: tuple[Published, ...] = (
    *_rows("T1", "FERPlus validation, 8-way", "by a third-party reading note", VALIDATION,
           EIGHT_WAY),
    *_rows("T2", "Cross-dataset, main model A3_full", "overview figure", MAIN, CROSS),
    *_rows("T3", "Cross-dataset, second model without a name", "overview figure", SECOND, CROSS),
)  # fmt: skip
"""Every published row on faces."""
