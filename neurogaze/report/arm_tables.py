"""Arms of a bench on faces: with intervals, in short form, and from data set to data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from neurogaze.evaluation.human_line import ARM as ONE_RATER
from neurogaze.evaluation.results import ResultRow
from neurogaze.evaluation.scoring import TWIN_FREE
from neurogaze.report.over_seeds import Arm, Mean, Scores, has_seeds, joined, means
from neurogaze.report.tables import Table

PAPER_DIGITS = 2
"""As the tables of arXiv 2509.11916 are printed."""

EIGHT_WAY = {
    "accuracy": "accuracy",
    "macro_f1_8way": "macro-F1",
    "balanced_accuracy_8way": "balanced accuracy",
}
SHORT = {"accuracy": "Acc", "macro_f1_8way": "F1", "balanced_accuracy_8way": "bACC"}
PRESENT_SHORT = {
    "present_restricted_accuracy": "Acc",
    "present_restricted_macro_f1": "F1",
    "present_restricted_balanced_accuracy": "bACC",
}
SPREAD = "mean over seeds ± standard deviation over them"
NAMES = ("experiment", "dataset", "split", "label_rule", "protocol")
"""What tells lines apart beside the arm."""
ABLATION, CROSS = "Faces, ablation", "Faces, cross-dataset"


class Column(NamedTuple):
    """A column of scores.

    Attributes:
        name: heading.
        metric: name of the score.
        counted: whether the faces behind it stand beside it, where they are not those of the line.
    """

    name: str
    metric: str
    counted: bool = False


def arms_table(rows: Sequence[ResultRow]) -> Table | None:
    """Every arm over its seeds, full and without twins, under every label rule there is.

    Args:
        rows: results of all stages.

    Returns:
        The table; None where no arm on faces has several seeds, for then every run has a line of
        its own already.
    """
    columns = [Column(f"{name}, %", metric) for metric, name in EIGHT_WAY.items()]
    if not has_seeds(rows):
        return None
    lines = {arm: scores for arm, scores in means(rows).items() if _any(scores, columns)}
    caption = (
        f"Perceived expression by arm: {SPREAD}, and in brackets the mean of the single seeds' "
        "95 % bootstrap intervals over people or pictures, equal ones together. Overlap of these "
        "says little, since arms judge the same faces: see the contrasts. Means are over all eight "
        "classes. Twin-free: without pictures that training holds too."
    )
    return _table("Faces, arms", caption, lines, columns, Mean.written)


def ablation_table(rows: Sequence[ResultRow]) -> Table | None:
    """Arms in short form, the part without twins beside the whole; None for fewer than two arms.

    Args:
        rows: results of all stages.
    """
    columns = [Column(name, metric) for metric, name in SHORT.items()]
    found = means(rows)
    trained = {a: s for a, s in found.items() if a.arm != ONE_RATER}
    whole = {a: s for a, s in trained.items() if _any(s, columns) and not _twin_free(a)}
    lines = {arm: scores | _alone(found, arm) for arm, scores in whole.items()}
    if len({arm.arm for arm in lines}) < 2:
        return None
    columns.append(Column("F1 twin-free", _renamed("macro_f1_8way"), counted=True))
    caption = f"Arms over all eight classes, per cent: {SPREAD}, where there are several."
    return _table(ABLATION, caption, lines, columns, _short)


def _alone(found: Mapping[Arm, Scores], arm: Arm) -> Scores:
    """Scores of an arm on the part without twins, under names that say so."""
    part = found.get(arm._replace(split=f"{arm.split}, {TWIN_FREE}"), {})
    return {_renamed(metric): value for metric, value in part.items()}


def _renamed(metric: str) -> str:
    return f"{metric}, {TWIN_FREE}"


def cross_table(rows: Sequence[ResultRow]) -> Table | None:
    """Present-only and 8-way scores of each data set; None for fewer than two of these.

    Args:
        rows: results of all stages.
    """
    columns = [Column(f"present-only {name}", m) for m, name in PRESENT_SHORT.items()]
    columns += [Column(f"8-way {name}", metric) for metric, name in SHORT.items()]
    lines = {
        arm: scores
        for arm, scores in means(rows).items()
        if not _twin_free(arm) and all(column.metric in scores for column in columns)
    }
    if len({arm.dataset for arm in lines}) < 2:
        return None
    caption = (
        f"From data set to data set, per cent: {SPREAD}, where there are several. Present-only: "
        "prediction is among the classes that the data set holds, which a deployed model does not "
        "know, and the mean is over these. 8-way: over all eight, an absent class counts 0."
    )
    return _table(CROSS, caption, lines, columns, _short)


def _twin_free(arm: Arm) -> bool:
    return arm.split.endswith(TWIN_FREE)


def _any(scores: Scores, columns: Sequence[Column]) -> bool:
    return any(column.metric in scores for column in columns)


def _short(value: Mean) -> str:
    return value.written(PAPER_DIGITS, interval=False)


def _table(
    title: str,
    caption: str,
    lines: Mapping[Arm, Scores],
    columns: Sequence[Column],
    written: Callable[[Mean], str],
) -> Table | None:
    """One line an arm, sorted by data set and split; what all lines share goes to the caption."""
    if not lines:
        return None
    names = [n for n in NAMES if len({getattr(arm, n) for arm in lines}) > 1]
    shared = {n: getattr(next(iter(lines)), n) for n in NAMES if n not in names}
    kept = [c for c in columns if any(c.metric in scores for scores in lines.values())]
    notes = {arm: _notes(scores, kept) for arm, scores in lines.items()}
    differ = len(set(notes.values())) > 1
    said = [f"{n.replace('_', ' ')} {value}" for n, value in shared.items() if value]
    said += [f"notes: {note}" for note in set(notes.values()) if note and not differ]
    header = (*(n.replace("_", " ") for n in names), "arm", "seeds", "n", *(c.name for c in kept))
    body = []
    for arm in sorted(lines, key=lambda a: (a.dataset, a.split)):
        scores = lines[arm]
        cells = [_cell(scores, column, written) for column in kept]
        first = next(scores[c.metric] for c in columns if c.metric in scores)
        own = [getattr(arm, n) or "–" for n in names]
        told = [notes[arm] or "–"] if differ else []
        body.append((*own, arm.name, str(first.n_seeds), f"{first.n:,}", *cells, *told))
    ends = f"{caption} Throughout: {'; '.join(said)}." if said else caption
    return Table(title, ends, (*header, *(["notes"] if differ else [])), tuple(body))


def _notes(scores: Scores, columns: Sequence[Column]) -> str:
    """What must be said of the scores that a line shows, each once."""
    return joined(scores[c.metric].note for c in columns if c.metric in scores)


def _cell(scores: Scores, column: Column, written: Callable[[Mean], str]) -> str:
    """As "60.00 ± 1.20", with "(n = 2,948)" where the column counts its own faces."""
    if column.metric not in scores:
        return "–"
    score = scores[column.metric]
    return written(score) + (f" (n = {score.n:,})" if column.counted else "")
