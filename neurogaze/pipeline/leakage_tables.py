"""The tables of the demonstration of leakage, as result rows and as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import neurogaze
from neurogaze.eeg.targets import ClassTarget
from neurogaze.evaluation.permutations import Scheme
from neurogaze.evaluation.results import ResultRow
from neurogaze.pipeline.held_out import protocol_name
from neurogaze.pipeline.null_signal import ChanceBand, Score, spanning

TARGET = ClassTarget("valence", 2, "at_least")
"""The rule of the published code: a rating in the middle of its scale is high."""

METRIC = "valence_accuracy_window"
ITSELF, SPAN = "refits of the classifier itself", "span of the bands of 1-NN and linear"

SCHEMES: dict[str, tuple[Scheme, ...]] = {
    "a": ("within_subject",),
    "b": ("within_subject", "joint_clip"),
}
DATA = {
    "a": "ratings by lot, a mark of every person and recording",
    "b": "ratings that go with the clip, a mark of every person and clip",
}


def result_rows(scores: Iterable[Score], seed: int, config_hash: str) -> list[ResultRow]:
    """Every score as a row, and every band as a row of its own.

    Args:
        scores: of both tables.
        seed: of the run.
        config_hash: of its settings.
    """
    rows = []
    for score in scores:
        common: dict[str, Any] = {
            "experiment": "leakage",
            "dataset": f"fingerprints (generated): {DATA[score.table]}",
            "split": "held-out",
            "protocol": protocol_name(score.split),
            "label_rule": TARGET.name,
            "metric": METRIC,
            "n": score.n,
            "seed": seed,
            "config_hash": config_hash,
            "grid_hash": "",
            "split_hash": score.split.sha256,
            "code_version": neurogaze.__version__,
        }
        stamp = "LEAKY, paper_code" if score.split.leaky else "paper_code"
        arm = score.classifier
        rows.append(
            ResultRow(arm=arm, value=score.accuracy, low=None, high=None, note=stamp, **common)
        )
        for scheme, band in score.bands.items():
            arm = f"chance (99 % band), {scheme}: {score.classifier}"
            middle, note = (band.low + band.high) / 2, f"{stamp}, {band.source}"
            rows.append(
                ResultRow(arm=arm, value=middle, low=band.low, high=band.high, note=note, **common)
            )
    return rows


def markdown(scores: Sequence[Score]) -> str:
    """Both tables as text."""
    lines = [
        "Accuracy over single windows, features `paper_code`, high from the middle of the scale.",
        "In brackets the 99 % band of chance, by who exchanged the ratings.",
    ]
    heads = {"within_subject": "within each person", "joint_clip": "clips renamed"}
    for name, schemes in SCHEMES.items():
        mine = [score for score in scores if score.table == name]
        columns = ["protocol", "classifier", "accuracy", *(heads[scheme] for scheme in schemes)]
        lines += ["", f"**({name}) {DATA[name].capitalize()}** ({mine[0].n} windows)", ""]
        lines += [f"| {' | '.join(columns)} |", f"| --- | --- | ---: |{' --- |' * len(schemes)}"]
        for score in mine:
            said = [_said(score, scheme, mine) for scheme in schemes]
            cells = [protocol_name(score.split), score.classifier, f"{score.accuracy:.3f}", *said]
            lines.append(f"| {' | '.join(cells)} |")
    if any(band.source == SPAN for score in scores for band in score.bands.values()):
        lines += ["", f"\\* {SPAN}."]
    return "\n".join(lines) + "\n"


def _said(score: Score, scheme: Scheme, others: Sequence[Score]) -> str:
    """A band in words; under a leaky split chance itself is high, so the sound bands decide."""
    band = score.bands[scheme]
    mark = "\\*" if band.source == SPAN else ""
    text = f"[{band.low:.3f}, {band.high:.3f}]{mark}"
    if not score.split.leaky:
        return f"{text} {score.verdict(scheme)}"
    verdict = sound_band(others, score.classifier, scheme).verdict(score.accuracy)
    return f"{text} {verdict} the bands of the sound splits"


def sound_band(scores: Iterable[Score], classifier: str, scheme: Scheme) -> ChanceBand:
    """Span of the bands of a classifier over the splits that are not leaky."""
    mine = [s for s in scores if s.classifier == classifier and not s.split.leaky]
    return spanning([score.bands[scheme] for score in mine], "sound splits")
