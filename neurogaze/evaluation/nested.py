"""Arm against arm where every seed has a world, and faces, of its own.

Faces are then nested in seeds rather than crossed with them. What a seed says differs from what
another says by its training, its world and its faces, so drawing seeds alone covers all three;
drawing faces again within them would count their noise twice (Davison and Hinkley 1997, "Bootstrap
Methods and their Application", section 3.8). Deviations are widened for the number of seeds as in
`neurogaze.evaluation.crossed`. Under a single seed only faces can be drawn.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd

from neurogaze.evaluation import crossed, statistics
from neurogaze.evaluation.contrasts import Contrast, Pair, corrected, unjudged
from neurogaze.evaluation.crossed import ArmScores
from neurogaze.evaluation.equivalence import MARGIN
from neurogaze.evaluation.paired import mcnemar
from neurogaze.evaluation.side_by_side import Judged, judged

Arms = Mapping[str, Mapping[int, pd.DataFrame]]

OWN_FACES = "other faces each seed"
"""How the split of such a contrast ends."""


def nested_contrasts(
    arms: Arms,
    primary: Pair | None,
    secondary: Sequence[Pair],
    metric: str,
    seed: int,
    *,
    family: int = 0,
    margin: float = MARGIN,
    n_resamples: int = crossed.N_RESAMPLES,
) -> list[Contrast]:
    """Compare arms over the seeds that both have; see `neurogaze.evaluation.contrasts.contrasts`.

    Args:
        arms: face predictions by arm and seed; under one seed all arms are judged on the same
            faces, under another seed on others.
        primary: (arm, arm that is subtracted), the contrast that was named before; None where it
            has no seed yet.
        secondary: others, corrected together by Holm.
        metric: a key of `crossed.COLUMNS`.
        seed: of the resampling.
        family: secondary contrasts that were named; see `neurogaze.evaluation.contrasts.corrected`.
        margin: largest difference that does not matter, in the unit of the metric.
        n_resamples: bootstrap draws.

    Returns:
        The primary contrast, if any, then the others in the order given; `n_images` and `n_units`
        are those of one seed.

    Raises:
        InputError: for an unknown metric, and arms whose rows differ under a seed.
        KeyError: for an arm that is not there, or a pair without a shared seed.
    """
    pairs = [*([primary] if primary else []), *secondary]
    wanted = {arm for pair in pairs for arm in pair}
    seeds = sorted({s for arm in wanted for s in arms[arm]})
    faces = {s: judged({a: {s: arms[a][s]} for a in sorted(wanted) if s in arms[a]}) for s in seeds}

    @cache
    def scores(of: int, draws: int) -> dict[str, ArmScores]:
        return crossed.arm_scores(faces[of], metric, seed, draws)

    found = []
    for pair in pairs:
        shared = sorted(set(arms[pair[0]]) & set(arms[pair[1]]))
        if not shared:
            raise KeyError(f"{pair[0]} and {pair[1]} share no seed")
        drawn = [scores(s, n_resamples if len(shared) == 1 else 1) for s in shared]
        parts = [faces[s] for s in shared]
        one = _contrast(pair, parts, drawn, metric, seed, margin, n_resamples)
        found.append(dataclasses.replace(one, primary=pair == primary))
    return corrected(found, family)


def _contrast(
    pair: Pair,
    faces: Sequence[Judged],
    drawn: Sequence[Mapping[str, ArmScores]],
    metric: str,
    seed: int,
    margin: float,
    n_resamples: int,
) -> Contrast:
    """One contrast over the faces and scores of each seed, not yet corrected or judged."""
    first, second = (_joined([scores[arm] for scores in drawn]) for arm in pair)
    differences = first.points - second.points
    if len(faces) == 1:
        low, high = crossed.crossed_interval(first, second, seed)
    else:
        part = crossed.seed_part(differences, n_resamples, seed)
        low, high = statistics.interval(differences.mean() + part)
    one = dataclasses.replace(faces[0], split=f"{faces[0].split}, {OWN_FACES}")
    runs = [_mcnemar(part, pair) for part in faces]
    return unjudged(pair, one, metric, differences, (low, high), margin, runs)


def _joined(scores: Sequence[ArmScores]) -> ArmScores:
    """Scores of single seeds as those of one arm."""
    return ArmScores(
        np.concatenate([part.points for part in scores]),
        np.concatenate([part.resampled for part in scores], axis=1),
    )


def _mcnemar(faces: Judged, pair: Pair) -> float:
    """Exact McNemar p of the two runs of one seed."""
    return mcnemar(faces.right(pair[0])[0], faces.right(pair[1])[0]).p
