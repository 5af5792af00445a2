"""Contrasts in words and in a table: what can be told at all, then effects with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from neurogaze.evaluation.contrast_file import ContrastFile
from neurogaze.evaluation.contrasts import Contrast
from neurogaze.evaluation.equivalence import DIFFERENT, EQUIVALENT, UNDECIDED
from neurogaze.evaluation.nested import OWN_FACES
from neurogaze.report.tables import Table, fixed

TITLE = "Contrasts"
SMALLEST_P = 1e-3
RULE = "label rule"
HEADER = (
    "contrast", "effect", "t interval", "unit", "seeds", "p", "Holm p", "equivalence p",
    "its Holm p", "verdict", "metric", "data", "split", RULE, "n", "units", "McNemar p",
)  # fmt: skip
NO_RULE = "–"
OFTEN_SHARED = ("unit", "seeds", "metric", "data", "split", RULE, "n", "units")
"""Columns that go to the caption where they say the same of every contrast."""
CROSSED = "the crossed bootstrap over seeds and units (people, or groups of equal pictures)"
NESTED = "a bootstrap over seeds, each of which has faces of its own (over faces with one seed)"
EFFECT = "Effect: mean over seeds of the first arm minus the second, with its 95 % interval from"
CAPTION = (
    "widened for the number of seeds by Student's t. t interval and p: paired t over seeds. "
    "Equivalence p: two one-sided t tests against the margin; for a verdict of equivalence the "
    "interval must lie within it too. The primary contrast was named before; Holm's p-values "
    "correct all others together. McNemar: median over seeds of the exact p of single runs, which "
    "only describes."
)


class Measure(NamedTuple):
    """How a difference of one score is written.

    Attributes:
        name: of the score.
        scale: factor on the difference.
        unit: after it.
        digits: after the decimal point.
    """

    name: str
    scale: float
    unit: str
    digits: int = 2


MEASURES = {
    "accuracy": Measure("accuracy", 100.0, "points"),
    "macro_f1_8way": Measure("macro-F1", 100.0, "points"),
    "balanced_accuracy_8way": Measure("balanced accuracy", 100.0, "points"),
    "ece": Measure("ECE", 100.0, "points"),
    "nll": Measure("NLL", 1.0, "nats", 3),
}


def measure(metric: str) -> Measure:
    """How differences of a metric are written; as they are where it is not known."""
    return MEASURES.get(metric, Measure(metric, 1.0, "as is", 3))


def signed(value: float, digits: int) -> str:
    """A difference with its sign, none for zero.

    >>> signed(0.1234, 2), signed(-0.4, 2), signed(-0.001, 2)
    ('+0.12', '-0.40', '0.00')
    """
    text = fixed(value, digits)
    return f"+{text}" if float(text) > 0 else text


def probability(p: float | None) -> str:
    """A p value.

    >>> probability(0.0004), probability(0.03125), probability(None)
    ('< 0.001', '0.031', '–')
    """
    if p is None:
        return "–"
    return f"< {SMALLEST_P:g}" if p < SMALLEST_P else fixed(p, 3)


def interval(low: float | None, high: float | None, how: Measure) -> str:
    """As "[-0.40, 0.60]", or a dash where there is none."""
    if low is None or high is None:
        return "–"
    return f"[{fixed(low * how.scale, how.digits)}, {fixed(high * how.scale, how.digits)}]"


def effect(contrast: Contrast) -> str:
    """As "+0.12 [-0.40, 0.60]", in the unit of its measure."""
    how = measure(contrast.metric)
    value = signed(contrast.effect * how.scale, how.digits)
    return f"{value} {interval(contrast.low, contrast.high, how)}"


def margin(contrast: Contrast) -> str:
    """As "0.5 points"."""
    how = measure(contrast.metric)
    return f"{contrast.margin * how.scale:g} {how.unit}"


def summary(file: ContrastFile) -> list[str]:
    """Sentences: the verdict on the grid, the primary contrast with its interval, its meaning."""
    parts = [file.verdict, _primary_sentence(file.primary), _meaning(file.primary)]
    if file.reasons:
        parts.append("With such a grid no contrast can tell whether EEG helps.")
    return parts


def _primary_sentence(contrast: Contrast) -> str:
    how = measure(contrast.metric)
    seeds = "1 seed" if contrast.n_seeds == 1 else f"{contrast.n_seeds} seeds"
    number, _, ends = effect(contrast).partition(" ")
    return (
        f"{contrast.first} minus {contrast.second}, {how.name} on {contrast.dataset} "
        f"{contrast.split}{_ruled(contrast)}: {number} {how.unit} {ends}, {seeds}, "
        f"{contrast.n_images:,} faces in {contrast.n_units:,} units{_tests(contrast)}."
    )


def _ruled(contrast: Contrast) -> str:
    """The label rule in brackets; nothing where the file names none."""
    return f" (label rule {contrast.label_rule})" if contrast.label_rule else ""


def _tests(contrast: Contrast) -> str:
    """Tests over seeds; nothing with one seed."""
    if contrast.p is None:
        return ""
    t = interval(contrast.t_low, contrast.t_high, measure(contrast.metric))
    said = (
        f"; t interval over seeds {t}, p = {probability(contrast.p)}; "
        f"equivalence within ±{margin(contrast)}: p = {probability(contrast.p_equivalent)}"
    )
    return said.replace("p = <", "p <")


def _meaning(contrast: Contrast) -> str:
    """What may be said of the primary contrast."""
    above = "above" if contrast.effect > 0 else "below"
    said = {
        DIFFERENT: f"Different: {contrast.first} lies {above} {contrast.second}, for other seeds "
        "and other faces too.",
        EQUIVALENT: "Equivalent: a difference, if there is one, is smaller than "
        f"{margin(contrast)} and does not matter, for other seeds and other faces too.",
        UNDECIDED: "Undecided: neither a difference is shown nor that there is none that matters.",
    }
    return said.get(contrast.verdict, f"{contrast.verdict[:1].upper()}{contrast.verdict[1:]}.")


def contrast_tables(files: Mapping[str, ContrastFile]) -> list[Table]:
    """All contrasts of each file, the primary one first.

    Args:
        files: contrasts by the folder that holds them.
    """
    return [
        _table(TITLE if len(files) == 1 else f"{TITLE}, {place}", file)
        for place, file in files.items()
    ]


def _table(title: str, file: ContrastFile) -> Table:
    """The contrasts of one file; what all share goes to the caption."""
    lines = [
        dict(zip(HEADER, _line(contrast), strict=True))
        for contrast in sorted(file.contrasts, key=lambda c: not c.primary)
    ]
    shared = {name: lines[0][name] for name in OFTEN_SHARED if len({c[name] for c in lines}) == 1}
    header = tuple(name for name in HEADER if name not in shared)
    said = ", ".join(f"{name} {value}" for name, value in shared.items() if value != NO_RULE)
    caption = f"{EFFECT} {drawn(file.contrasts)}, {CAPTION} {_margins(file)}"
    caption += f" Throughout: {said}." if said else ""
    return Table(title, caption, header, tuple(tuple(c[name] for name in header) for c in lines))


def drawn(contrasts: Iterable[Contrast]) -> str:
    """Over what the intervals of effects are taken."""
    return NESTED if all(c.split.endswith(OWN_FACES) for c in contrasts) else CROSSED


def _margins(file: ContrastFile) -> str:
    """The largest differences that do not matter, by score."""
    texts = [f"±{margin(c)} of {measure(c.metric).name}" for c in file.contrasts]
    return f"Margin: {', '.join(dict.fromkeys(texts))}."


def _line(contrast: Contrast) -> tuple[str, ...]:
    """One row; effect and interval first."""
    how = measure(contrast.metric)
    role = " (primary)" if contrast.primary else ""
    return (
        f"{contrast.first} - {contrast.second}{role}",
        effect(contrast),
        interval(contrast.t_low, contrast.t_high, how),
        how.unit,
        str(contrast.n_seeds),
        probability(contrast.p),
        "primary" if contrast.primary else probability(contrast.p_holm),
        probability(contrast.p_equivalent),
        "primary" if contrast.primary else probability(contrast.p_equivalent_holm),
        contrast.verdict,
        how.name,
        contrast.dataset,
        contrast.split,
        contrast.label_rule or NO_RULE,
        f"{contrast.n_images:,}",
        f"{contrast.n_units:,}",
        probability(contrast.mcnemar_median),
    )
