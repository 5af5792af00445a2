"""Parts of a model card, each from a model's contract or from result rows; no figure is typed."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.evaluation.human_line import ARM as ONE_RATER
from neurogaze.evaluation.metrics import confusion_matrix
from neurogaze.evaluation.results import ResultRow, model_parts
from neurogaze.report import tables
from neurogaze.report.markup import to_markdown
from neurogaze.report.region_table import region_table
from neurogaze.report.robustness_tables import robustness_tables
from neurogaze.report.tables import Table, percent

ABSENT = "Not measured: no result row says anything of it."

WORST = 3
"""Classes and confusions that are named as failures."""

CONDITION = re.compile(r": (clean|all|[a-z_]+( \d)?)$")
"""Ends the experiment of a row of `neurogaze robustness`."""

INTENDED = (
    "Research on perceived expression: what observers would call the expression of a face. The "
    "output is the perceived expression, never what a person feels.",
    "Valence and arousal of a face are a projection onto the prototype space, not a measurement.",
    "The geometric term of the training (D-Geo) is a geometric regulariser, not a depression "
    "detector.",
    "No gaze is used, whatever the name suggests.",
)
NOT_FOR = (
    "identification of people",
    "surveillance",
    "depression or any other health screening",
    "the workplace or education (EU AI Act, Art. 5(1)(f))",
    "autistic people: unvalidated",
    "any decision about a person: fairness not audited",
)
OWN_ROWS = (
    "give the results of this model alone: of `neurogaze evaluate` and `robustness` without "
    "--baseline on its checkpoint, of `evaluate` and `explain` on this file"
)
"""What to do about rows of another model."""

EXPORTED = re.compile(r"exported, (?P<precision>\w+), ")
CHECKPOINT = re.compile(r"(last epoch|epoch \d+ of \d+)(,|$)")
DIVIDED = re.compile(r", T (?P<temperature>[^,]+)$")
"""Protocols of rows of an exported file and of a single checkpoint, and the temperature in both."""

UNNAMED_WEIGHTS = (
    "weights not named: an earlier version wrote these results, which may be of another epoch of "
    "this training"
)
UNNAMED_FILE = "maps are of the file that their line names; their rows name no precision"
UNROUNDED = "judged in float32, before the rounding to {precision}"
ANOTHER_TEMPERATURE = "its file at temperature {found}, and this one carries {own}"
DIVIDED_OTHERWISE = "judged at temperature {found}, the model file carries {own}"
"""What rows are refused for or marked with that may differ from what the model file says."""

FOREIGN = (
    "{place}: no confusions are named, for the {n:,} predictions beside the rows ({right:.1f} % "
    "right) do not give the scores of any row here."
)
"""Said of predictions that are not those of the model."""

SAME = 1e-6
"""Two computations of one score from the same predictions differ by less."""

GRID_OWNER = (
    "The prototype grid was made from recordings; sharing a grid made from a corpus under "
    "agreement needs its owner's permission."
)


def facts(contract: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the model is and was made from, as names and values."""
    known, prep = contract["provenance"], contract["preprocessing"]
    train = known.get("train", {})
    found = [
        ("Data", f"{known.get('dataset', 'unknown')}, split {train.get('split', 'unknown')}"),
        ("Label rule", str(known.get("rule", "unknown"))),
        ("Training faces", _number(train.get("n"))),
        ("Held out", str(known.get("held_out") or "nothing")),
        ("Training target", str(known.get("settings", {}).get("target", "unknown"))),
        ("Initialisation", initialisation(known)),
        ("Input", "{size} x {size} pixels, {channels} channel(s)".format(**prep)),
        ("Precision", str(contract["precision"])),
        ("Prototype grid", contract["grid_sha256"] or "none"),
        ("Weights, SHA-256", contract["weights_sha256"] or "unknown"),
        ("Configuration, SHA-256", configuration(contract) or "unknown"),
        ("Package version", str(contract["version"])),
    ]
    if (without := known.get("settings", {}).get("without")) is not None:
        found.append(("Left out of training", str(without)))
    return found


def configuration(contract: Mapping[str, Any]) -> str:
    """Hash of the configuration of the training; "" where the file does not know it."""
    return str(contract["provenance"].get("config_hash", ""))


def alien(contract: Mapping[str, Any], row: ResultRow) -> str:
    """What a row is of, where that is not this model; "" for a row of this model.

    A row of a checkpoint names its configuration and its weights, a row of an exported file its
    weights, its precision and its temperature. The grid is compared besides: a pinned one is in no
    configuration by its content. The line of a person, beside which models are judged, is of none.
    """
    if _is_person(row):
        return ""
    if not _of_this_model(contract, row):
        return row.config_hash or "no model that it names"
    if row.grid_hash != contract["grid_sha256"]:
        return f"a student with {row.grid_hash or 'no grid'}"
    if exported := EXPORTED.match(row.protocol):
        found, own = exported["precision"], str(contract["precision"])
        if found != own:
            return f"its {found} file, and this one is {own}"
        other = _temperatures(contract, row)
        return ANOTHER_TEMPERATURE.format(**other) if other else ""
    alone = _is_map(row) or CHECKPOINT.match(row.protocol)
    return "" if alone else f"more than one checkpoint ({row.protocol})"


def _of_this_model(contract: Mapping[str, Any], row: ResultRow) -> bool:
    """Whether a row names this model: its weights, or the configuration where it names no more."""
    settings, weights = model_parts(row.config_hash)
    own = str(contract["weights_sha256"])
    if weights and own:
        return weights == own
    return settings in {configuration(contract), own} - {""}


def _is_person(row: ResultRow) -> bool:
    """Whether a row says how one rater agrees with the others; `evaluate` leaves such rows too."""
    return row.arm == ONE_RATER and not row.config_hash


def _is_map(row: ResultRow) -> bool:
    """Whether a row is of `neurogaze explain`."""
    return row.metric.startswith("region_")


def _temperatures(contract: Mapping[str, Any], row: ResultRow) -> dict[str, str]:
    """Temperature by which the logits behind a row were divided, and that of the model file.

    Protocols round it to three digits; a row whose value it is says it to the last.

    Returns:
        {} where they are the same.
    """
    own, found = float(contract["temperature"]), DIVIDED.search(row.protocol)
    said = found["temperature"] if found else "1"
    same = said == f"{own:.3g}"
    if row.metric == "temperature":
        said, same = f"{row.value:g}", math.isclose(row.value, own)
    return {} if same else {"found": said, "own": f"{own:g}"}


def marks(contract: Mapping[str, Any], row: ResultRow) -> list[str]:
    """What must be said of a row of this model that was not measured on just this file."""
    if _is_map(row):
        return [UNNAMED_FILE]
    if _is_person(row) or EXPORTED.match(row.protocol):
        return []
    said, precision = [], contract["precision"]
    if not model_parts(row.config_hash)[1] and row.config_hash != contract["weights_sha256"]:
        said.append(UNNAMED_WEIGHTS)
    if precision != "float32":
        said.append(UNROUNDED.format(precision=precision))
    if other := _temperatures(contract, row):
        said.append(DIVIDED_OTHERWISE.format(**other))
    return said


def marked(contract: Mapping[str, Any], row: ResultRow) -> ResultRow:
    """A row whose note says its `marks`; tables show notes."""
    notes = dict.fromkeys(filter(None, [row.note, *marks(contract, row)]))
    return dataclasses.replace(row, note="; ".join(notes))


def remarks(contract: Mapping[str, Any], rows: Sequence[ResultRow]) -> list[str]:
    """Each mark once, with the results that bear it, for the head of a card.

    Tables of spoiled pictures and of maps show no notes.
    """
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        place = f"{row.arm!r} in {CONDITION.sub('', row.experiment)!r}"
        for mark in marks(contract, row):
            found.setdefault(mark, {})[place] = None
    return [f"Results of {', '.join(places)}: {mark}." for mark, places in found.items()]


def initialisation(provenance: Mapping[str, Any]) -> str:
    """What the weights started from."""
    warmed, logits = provenance.get("init_from"), provenance.get("teacher_logits")
    start = "scratch (random weights, no pretraining)"
    if warmed:
        start = f"warm-up without labels: {_short(warmed)}"
    return f"{start}; distilled from stored logits {_short(logits)}" if logits else start


def _short(record: Any) -> str:
    """A record on one line."""
    if not isinstance(record, Mapping):
        return str(record)
    return ", ".join(f"{key} {value}" for key, value in sorted(record.items()))[:200]


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "unknown"


def counts_table(contract: Mapping[str, Any]) -> Table | None:
    """Training faces of each class; None where the model does not say."""
    counts = contract["provenance"].get("train", {}).get("class_counts")
    if not counts:
        return None
    total = max(sum(counts), 1)
    rows = tuple(
        (name, f"{count:,}", f"{100 * count / total:.1f}")
        for name, count in zip(EMOTIONS, counts, strict=True)
    )
    caption = "Faces of each class in training, by label."
    return Table("Training classes", caption, ("class", "faces", "%"), rows)


def split_conditions(rows: Sequence[ResultRow]) -> tuple[list[ResultRow], list[ResultRow]]:
    """Rows on pictures as they are, and rows of the robustness test, which name a condition."""
    plain = [row for row in rows if not CONDITION.search(row.experiment)]
    return plain, [row for row in rows if CONDITION.search(row.experiment)]


def metric_tables(rows: Sequence[ResultRow]) -> list[str]:
    """Scores as Markdown."""
    makers = (tables.faces_table, tables.present_table, tables.class_table, tables.recall_table)
    return _written(make(rows) for make in makers)


def calibration_tables(rows: Sequence[ResultRow]) -> list[str]:
    """How far probabilities can be believed, as Markdown."""
    return _written([tables.calibration_table(rows)])


def corruption_tables(rows: Sequence[ResultRow]) -> list[str]:
    """Scores on spoiled pictures as Markdown."""
    return _written(robustness_tables(rows) if rows else [])


def region_tables(rows: Sequence[ResultRow]) -> list[str]:
    """Where maps point, as Markdown."""
    return _written([region_table(rows)])


def _written(found: Any) -> list[str]:
    return [to_markdown(table) for table in found if table is not None]


def calibration_sentences(contract: Mapping[str, Any]) -> list[str]:
    """Temperature, threshold and read-out as the model file carries them."""
    fitted, va = contract["calibration"], contract["va"]
    if not fitted:
        return ["Not calibrated: no temperature was fitted, and the model never abstains."]
    said = [
        f"Temperature {contract['temperature']:.4f} ({fitted.get('objective', '')}), fitted on "
        f"{_number(fitted.get('n'))} held-out faces of {fitted.get('dataset', 'unknown')}."
    ]
    abstain = fitted.get("abstain") or {}
    if abstain:
        said.append(
            f"No label below confidence {contract['abstain_below']:.4f}: for a risk of "
            f"{100 * abstain['risk']:.1f} % ({abstain['rule']}) it answers "
            f"{100 * abstain['coverage']:.1f} % of these faces, {100 * abstain['error']:.1f} % of "
            f"the answers wrong, upper bound {100 * abstain['bound']:.1f} %."
        )
    else:
        said.append("It never abstains.")
    if va:
        shown = "shown" if va["shown"] else f"not shown: {va['reason']}"
        said.append(f"Prototype-space valence and arousal: {shown}.")
    return said


def failures(
    rows: Sequence[ResultRow], confused: Mapping[str, Sequence[tuple[str, str, int, int]]]
) -> list[str]:
    """The weakest classes and commonest confusions of each data set, from results.

    Args:
        rows: with `recall_<emotion>`.
        confused: by data set and split: (label, named, how often, faces of the label), the worst
            first; see `confusions`.
    """
    said = []
    for key, found in _recalls(rows).items():
        worst = sorted(found, key=lambda row: (row.value, row.metric))[:WORST]
        named = "; ".join(
            f"{row.metric.removeprefix('recall_')} {percent(row)} % of {row.n:,}" for row in worst
        )
        said.append(f"{', '.join(filter(None, key))}: least often recognised {named}.")
    for place, pairs in confused.items():
        named = "; ".join(
            f"{label} called {other} in {n:,} of {of:,} ({100 * n / of:.0f} %)"
            for label, other, n, of in pairs
        )
        if named:
            said.append(f"{place}: most confused {named}.")
    return said


def source(
    rows: Sequence[ResultRow], place: tuple[str, str], scores: Mapping[str, float], n: int
) -> ResultRow | None:
    """The accuracy row that predictions are behind: every score of its line is theirs.

    Args:
        rows: results of the model.
        place: data set and split of the predictions.
        scores: of the predictions, as `metrics.face_scores` names them.
        n: faces among them.
    """
    here = [row for row in rows if (row.dataset, row.split) == place and row.metric in scores]
    for row in here:
        line = [other for other in here if _line(other) == _line(row)]
        same = (abs(other.value - scores[other.metric]) < SAME for other in line)
        if row.metric == "accuracy" and row.n == n and all(same):
            return row
    return None


def _line(row: ResultRow) -> tuple[str, ...]:
    """What rows of one judgement share, beside data set and split."""
    return (row.experiment, row.arm, row.protocol, row.config_hash)


def _recalls(rows: Sequence[ResultRow]) -> dict[tuple[str, ...], list[ResultRow]]:
    """Recall rows of classes that the data hold, by data set, split, label rule and arm."""
    found: dict[tuple[str, ...], dict[str, ResultRow]] = {}
    for row in rows:
        if row.metric.startswith("recall_") and row.n:
            key = (row.dataset, row.split, row.label_rule, row.arm)
            found.setdefault(key, {})[row.metric] = row  # each view repeats the plain rows
    return {key: list(named.values()) for key, named in found.items()}


def confusions(
    truth: NDArray[np.int64], called: NDArray[np.int64]
) -> list[tuple[str, str, int, int]]:
    """The commonest confusions as shares of their label, the worst first.

    Args:
        truth: class of each face, `[N]`.
        called: class named, `[N]`.
    """
    counts = confusion_matrix(truth, called)
    support = counts.sum(axis=1)
    pairs = [
        (EMOTIONS[i], EMOTIONS[j], int(counts[i, j]), int(support[i]))
        for i in range(len(EMOTIONS))
        for j in range(len(EMOTIONS))
        if i != j and counts[i, j] > 0
    ]
    return sorted(pairs, key=lambda pair: (-pair[2] / pair[3], -pair[2], pair[:2]))[:WORST]
