"""What a split can be worth where there is nothing to learn: two tables on generated recordings.

The recordings (`neurogaze.eeg.corpora.fingerprints`) tell who was recorded and when, and nothing of
what was felt. Features are made as the published code of RBTransformer makes them. Table (a) has
ratings that depend on nothing; table (b) ratings that go with the clip, and clips that leave a mark
in everybody's recording. Every score stands beside the 99 % band of what the same procedure reaches
when ratings are exchanged between rating events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurogaze.artefacts import settings_hash, written_aside
from neurogaze.eeg.cache import FeatureTable, prepare
from neurogaze.eeg.corpora.fingerprints import Fingerprints
from neurogaze.eeg.features import PAPER_CODE
from neurogaze.eeg.splits import Split, SplitSettings, make_split
from neurogaze.errors import InputError
from neurogaze.evaluation.chance import prediction_band
from neurogaze.evaluation.permutations import Scheme
from neurogaze.evaluation.results import write_rows
from neurogaze.pipeline.leakage_tables import ITSELF, SCHEMES, SPAN, TARGET, markdown, result_rows
from neurogaze.pipeline.null_signal import (
    ChanceBand,
    Score,
    accuracies,
    labellings,
    quantile_band,
    spanning,
)
from neurogaze.pipeline.recognisers import Recogniser, Transformer, linear, nearest

QUICK: dict[str, Recogniser] = {"1-NN": nearest, "linear": linear}
NETWORK, PRIOR = "RBTransformer", "clip prior (no EEG)"
CASES = {"a": ("window", "trial", "loso", "loso_clip"), "b": ("loso", "loso_clip")}


@dataclass(frozen=True)
class LeakageSettings:
    """Sizes of the demonstration.

    Args:
        n_subjects: people in the generated recordings.
        n_clips: clips that each watches, an even number.
        seconds: length of a clip.
        permutations: of the ratings, for the bands of the quick classifiers.
        refits: of the RBTransformer on exchanged ratings under the sound splits, two or more, for
            bands of its own; 0 shows it beside the span of the bands of the quick classifiers.
        epochs: of the RBTransformer; 0 leaves it out.
    """

    n_subjects: int = 6
    n_clips: int = 16
    seconds: float = 12.0
    permutations: int = 1000
    refits: int = 0
    epochs: int = 15

    def __post_init__(self) -> None:
        """Refuse a band of one refit.

        Raises:
            InputError: for it, or for no permutation.
        """
        if self.refits == 1 or self.permutations < 1:
            found = f"{self.refits} refits, {self.permutations} permutations tell no spread"
            raise InputError("leakage", found, "use 0 or from 2 refits, and 200 permutations")


SETTINGS = LeakageSettings()


def run_leakage(
    out: Path,
    store: Path,
    seed: int = 0,
    settings: LeakageSettings = SETTINGS,
    progress: bool = True,
) -> Path:
    """Make both tables; leave `results.jsonl` and `leakage.md` in a folder.

    Args:
        out: the folder.
        store: folder of cached features.
        seed: of recordings, splits, permutations and trainings.
        settings: sizes.
        progress: show a bar.

    Returns:
        The file of the tables.
    """
    scores = demonstrate(store, seed, settings, progress)
    config = settings_hash({"sizes": settings, "features": PAPER_CODE})
    write_rows(out / "results.jsonl", result_rows(scores, seed, config))
    page = out / "leakage.md"
    with written_aside(page) as aside:
        aside.write_text(markdown(scores), encoding="utf-8")
    return page


def protocols(seed: int) -> dict[str, SplitSettings]:
    """The four protocols; few people stop, since nothing here is stopped early."""
    stop, groups = 0.05, 3
    return {
        "window": SplitSettings("window", stop_fraction=stop, seed=seed, allow_leaky=True),
        "trial": SplitSettings("trial", 4, stop, seed),
        "loso": SplitSettings("loso", groups, stop, seed),
        "loso_clip": SplitSettings("loso_clip", groups, stop, seed, clip_folds=groups),
    }


def corpora(seed: int, settings: LeakageSettings) -> dict[str, Fingerprints]:
    """The recordings of each table."""
    sizes = (settings.n_subjects, settings.n_clips, settings.seconds)
    return {
        "a": Fingerprints(*sizes, fingerprint="trial", ratings="independent", seed=seed),
        "b": Fingerprints(*sizes, fingerprint="clip", ratings="clip", seed=seed),
    }


def demonstrate(
    store: Path, seed: int = 0, settings: LeakageSettings = SETTINGS, progress: bool = True
) -> list[Score]:
    """All scores of both tables; see `run_leakage`."""
    from rich.progress import track

    data = {
        name: prepare(corpus, PAPER_CODE, store, progress)
        for name, corpus in corpora(seed, settings).items()
    }
    cases = [(name, protocol) for name in data for protocol in CASES[name]]
    scores: list[Score] = []
    for name, protocol in track(cases, "Splits", disable=not progress):
        split = make_split(data[name], protocols(seed)[protocol])
        quick = _quick(name, data[name], split, settings.permutations, seed)
        scores += quick
        if settings.epochs:
            scores.append(_network(data[name], split, quick, settings, seed))
    return scores


def _quick(
    name: str, table: FeatureTable, split: Split, permutations: int, seed: int
) -> list[Score]:
    """Scores and bands of the classifiers that can be refitted a thousand times."""
    arms = {arm: (table.features, recogniser) for arm, recogniser in QUICK.items()}
    if name == "b":
        arms[PRIOR] = (_clip_names(table), linear)
    labels = {s: labellings(table, TARGET, s, permutations, seed) for s in SCHEMES[name]}
    scores = []
    for arm, (features, recogniser) in arms.items():
        reached = {
            scheme: accuracies(table, split, features, recogniser, labels[scheme])
            for scheme in SCHEMES[name]
        }
        bands = {scheme: quantile_band(values[1:], ITSELF) for scheme, values in reached.items()}
        value = float(reached["within_subject"][0])
        scores.append(Score(name, split, arm, value, bands, table.n_rows))
    return scores


def _clip_names(table: FeatureTable) -> NDArray[np.float32]:
    """Which clip each window is of, `[N, clips, 1]`: all that a model without EEG is shown."""
    clips = np.unique(table.clip)
    return (table.clip[:, None, None] == clips[:, None]).astype(np.float32)


def _network(
    table: FeatureTable,
    split: Split,
    quick: Sequence[Score],
    settings: LeakageSettings,
    seed: int,
) -> Score:
    """Score of the RBTransformer, and its bands by refits where they are asked for."""
    name, network = quick[0].table, Transformer(settings.epochs, seed)
    bands: dict[Scheme, ChanceBand] = {}
    for scheme in SCHEMES[name]:
        if settings.refits and not split.leaky:
            labels = labellings(table, TARGET, scheme, settings.refits, seed)[:, 1:]
            chance = accuracies(table, split, table.features, network, labels)
            bands[scheme] = ChanceBand(*prediction_band(chance), ITSELF)
        else:
            others = [score.bands[scheme] for score in quick if score.classifier in QUICK]
            bands[scheme] = spanning(others, SPAN)
    own = labellings(table, TARGET, "within_subject", 0, seed)
    value = float(accuracies(table, split, table.features, network, own)[0])
    return Score(name, split, NETWORK, value, bands, table.n_rows)
