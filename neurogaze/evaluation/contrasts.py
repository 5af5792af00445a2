"""Arm against arm: effect with interval first, then what may be said of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurogaze.evaluation import crossed
from neurogaze.evaluation.crossed import ArmScores
from neurogaze.evaluation.equivalence import MARGIN, no_claim, tost, verdict
from neurogaze.evaluation.paired import holm, mcnemar, paired_t
from neurogaze.evaluation.side_by_side import Arms, Judged, judged, named

Pair = tuple[str, str]


@dataclass(frozen=True)
class Contrast:
    """One arm minus another, one row of a table.

    Args:
        first: arm.
        second: arm that is subtracted.
        primary: whether this is the one contrast that was named before; the others are corrected
            for their number.
        dataset: data as really used.
        split: part of it; ends in "twin-free" where twins of training pictures are left out, and
            in "other faces each seed" where every seed has faces of its own.
        metric: name of the score, in whose unit effect, intervals and margin are.
        n_seeds: seeds that both arms share.
        n_images: faces judged by each.
        n_units: twin groups or people among them, which are resampled.
        differences: of each seed, in rising order of the seeds.
        effect: mean of the differences.
        low: lower end of the crossed bootstrap interval, over seeds and units. With one seed it is
            over units only, with one unit over seeds only, as where every seed has its own units.
        high: upper end.
        t_low: lower end of the t interval over seeds; None with one seed, as the next three.
        t_high: upper end.
        p: of the paired t test over seeds, two-sided.
        p_equivalent: of the two one-sided tests against the margin.
        p_holm: `p` corrected by Holm; None for the primary contrast and with one seed.
        p_equivalent_holm: `p_equivalent` corrected likewise.
        margin: largest difference that does not matter.
        verdict: see `equivalence.verdict`.
        mcnemar_median: median over seeds of the exact McNemar p of single runs; descriptive.
        label_rule: how the labels were made, e.g. "majority". Prediction files do not say it: it is
            for who compares them to add. "" where nobody did, as in files of earlier versions.
    """

    first: str
    second: str
    primary: bool
    dataset: str
    split: str
    metric: str
    n_seeds: int
    n_images: int
    n_units: int
    differences: tuple[float, ...]
    effect: float
    low: float
    high: float
    t_low: float | None
    t_high: float | None
    p: float | None
    p_equivalent: float | None
    p_holm: float | None
    p_equivalent_holm: float | None
    margin: float
    verdict: str
    mcnemar_median: float
    label_rule: str = ""


def contrasts(
    arms: Arms,
    primary: Pair,
    secondary: Sequence[Pair],
    metric: str,
    seed: int,
    *,
    twin_free: bool = False,
    margin: float = MARGIN,
    n_resamples: int = crossed.N_RESAMPLES,
    progress: bool = False,
) -> list[Contrast]:
    """Compare arms of a bench on one data set, on the same draws of seeds and faces.

    Args:
        arms: face predictions of one data set and split, by arm and seed. Arms that no contrast
            names are not looked at.
        primary: (arm, arm that is subtracted), the contrast that was named before.
        secondary: others, corrected together by Holm.
        metric: a key of `crossed.COLUMNS`.
        seed: of the resampling.
        twin_free: whether to leave out faces that training held pixel by pixel.
        margin: largest difference that does not matter, in the unit of the metric.
        n_resamples: bootstrap draws.
        progress: show a bar.

    Returns:
        The primary contrast, then the others in the order given.

    Raises:
        InputError: for unknown arms or metric, and arms whose rows or seeds differ.
    """
    pairs = [primary, *secondary]
    faces = judged(named(pairs, arms), twin_free)
    scores = crossed.arm_scores(faces, metric, seed, n_resamples, progress)
    found = [_contrast(faces, pair, scores, metric, seed, margin) for pair in pairs]
    return corrected([dataclasses.replace(found[0], primary=True), *found[1:]])


def _contrast(
    faces: Judged,
    pair: Pair,
    scores: dict[str, ArmScores],
    metric: str,
    seed: int,
    margin: float,
) -> Contrast:
    """One secondary contrast, not yet corrected or judged."""
    first, second = (scores[arm] for arm in pair)
    rights = zip(faces.right(pair[0]), faces.right(pair[1]), strict=True)
    return unjudged(
        pair,
        faces,
        metric,
        first.points - second.points,
        crossed.crossed_interval(first, second, seed),
        margin,
        [mcnemar(a, b).p for a, b in rights],
    )


def unjudged(
    pair: Pair,
    faces: Judged,
    metric: str,
    differences: NDArray[np.float64],
    interval: tuple[float, float],
    margin: float,
    mcnemar_p: Sequence[float],
) -> Contrast:
    """A secondary contrast with its tests over seeds, not yet corrected or judged.

    Args:
        pair: (arm, arm that is subtracted).
        faces: that judge them, those of one seed where seeds have faces of their own.
        metric: name of the score.
        differences: one a seed, `[n]`.
        interval: of their mean.
        margin: largest difference that does not matter.
        mcnemar_p: exact McNemar p of single runs.
    """
    several = len(differences) > 1
    t = paired_t(differences) if several else None
    return Contrast(
        first=pair[0],
        second=pair[1],
        primary=False,
        dataset=faces.dataset,
        split=faces.split,
        metric=metric,
        n_seeds=len(differences),
        n_images=len(faces.truth),
        n_units=len(np.unique(faces.units)),
        differences=tuple(differences.tolist()),
        effect=float(differences.mean()),
        low=interval[0],
        high=interval[1],
        t_low=t.low if t else None,
        t_high=t.high if t else None,
        p=t.p if t else None,
        p_equivalent=tost(differences, margin).p if several else None,
        p_holm=None,
        p_equivalent_holm=None,
        margin=margin,
        verdict=no_claim(len(differences)),
        mcnemar_median=float(np.median(mcnemar_p)),
    )


def corrected(found: Sequence[Contrast], family: int = 0) -> list[Contrast]:
    """Correct all secondary contrasts as one family and judge each contrast by its p-values.

    Those of difference are one family and those of equivalence another, each at its own 5 %.
    `contrasts` does it for what it compares; contrasts of several calls that are told as one table
    are corrected together by another call of this. Order is kept.

    Args:
        found: the primary contrast and the others.
        family: secondary contrasts that were named, those without a result so far included: they
            count as if they had shown nothing, so that a rejection made early is not withdrawn by
            those that come later. One that was not made may still come with them.
    """
    stepped = _stepped(found, family)
    return [_one_judged(contrast, stepped) for contrast in found]


def _stepped(found: Sequence[Contrast], family: int) -> Iterator[tuple[float, ...]]:
    """P of difference and of equivalence of each secondary contrast, corrected, in order."""
    secondary = [
        (c.p, c.p_equivalent)
        for c in found
        if not c.primary and c.p is not None and c.p_equivalent is not None
    ]
    waiting = [(1.0, 1.0)] * max(family - len(secondary), 0)
    columns = zip(*secondary, *waiting, strict=True)
    return zip(*(holm(column).tolist() for column in columns), strict=True)


def _one_judged(contrast: Contrast, stepped: Iterator[tuple[float, ...]]) -> Contrast:
    """A contrast with its verdict; a secondary one takes the next corrected p-values."""
    p, p_equivalent = contrast.p, contrast.p_equivalent
    if p is None or p_equivalent is None:
        said = no_claim(contrast.n_seeds)
        return dataclasses.replace(contrast, p_holm=None, p_equivalent_holm=None, verdict=said)
    p_holm: float | None = None
    p_equivalent_holm: float | None = None
    if not contrast.primary:
        p, p_equivalent = p_holm, p_equivalent_holm = next(stepped)
    interval = contrast.low, contrast.high
    said = verdict(contrast.n_seeds, p, p_equivalent, interval, contrast.margin)
    return dataclasses.replace(
        contrast, p_holm=p_holm, p_equivalent_holm=p_equivalent_holm, verdict=said
    )
