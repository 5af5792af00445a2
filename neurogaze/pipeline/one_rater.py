"""The line of one person beside a student, on the very pictures that judge the student."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurogaze.evaluation.human_line import human_rows
from neurogaze.evaluation.results import ResultRow
from neurogaze.evaluation.scoring import TWIN_FREE
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.votes import read_votes
from neurogaze.faces.images import FaceCorpus, FaceTable
from neurogaze.faces.twins import twin_free


def rater_rows(
    corpus: FaceCorpus,
    table: FaceTable,
    context: Mapping[str, Any],
    train: FaceTable | None = None,
) -> list[ResultRow]:
    """How well one rater agrees with the others on the same pictures, where raters are known.

    Intervals resample what those of the student resample, by the same draws.

    Args:
        corpus: only FER+ publishes counts of votes; any other has no such rows.
        table: the pictures; labels of another rule than "majority" have no such rows.
        context: `experiment`, `seed` and `code_version` of the rows beside it.
        train: what the student was trained on; the line of the part without twins follows.
    """
    if not isinstance(corpus, FerPlus) or table.rule != "majority":
        return []
    sheet = read_votes(corpus.votes_path)
    votes = sheet.votes[[row_of(name) for name in table.ids.tolist()]]
    parts = {table.split: np.ones(len(table), dtype=bool)}
    if train is not None:
        alone = twin_free(table, train)
        parts |= {f"{table.split}, {TWIN_FREE}": alone} if 0 < alone.sum() < len(table) else {}
    rows = []
    for split, kept in parts.items():
        said = {**context, "split": split, "split_hash": table.sha256}
        rows += human_rows(votes[kept], table.dataset, said, table.units[kept])
    return rows


def row_of(name: str) -> int:
    """Row of the votes file in the id of a picture of FER+.

    >>> row_of("row00012/fer0000011.png")
    12
    """
    return int(name.partition("/")[0].removeprefix("row"))
