"""Everybody whom a grid is made of: embedded by teachers that never saw them, in one basis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.cache import FeatureTable
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.splits import Split, fold_rows
from neurogaze.errors import InputError
from neurogaze.models.electrode_transformer import electrode_ids
from neurogaze.pipeline.embedding import Embedder, embed_held_out, training_means
from neurogaze.pipeline.explaining import standardised
from neurogaze.prototypes.consolidate import (
    ConsolidateSettings,
    Embedded,
    place_in_common_basis,
)
from neurogaze.prototypes.placed import Placed

N_ANCHORS = 1024
"""Windows that all teachers embed; well above the width of an embedding."""


@dataclass(frozen=True, eq=False)
class LabelledData:
    """The rated corpus a consolidation starts from.

    Args:
        table: its features.
        split: its split into people held out.
        people: name of the set of people recorded.
    """

    table: FeatureTable
    split: Split
    people: str


def labelled_data(data: EEGDataModule) -> LabelledData:
    """Features, split and people of a rated corpus."""
    data.setup("fit")
    return LabelledData(data.table, data.split_plan, people_of(data))


def laid_out_like(table: FeatureTable, labelled: FeatureTable) -> FeatureTable:
    """A support table with the electrodes of the labelled one, found by name; others are dropped.

    Raises:
        InputError: for an electrode that it lacks, or other bands.
    """
    if table.bands != labelled.bands:
        found = f"has the bands {list(table.bands)}, not {list(labelled.bands)}"
        raise InputError(table.corpus, found, "compute both with the same features")
    own, wanted = electrode_ids(table.channels), electrode_ids(labelled.channels)
    same = wanted[:, None] == own
    if not same.any(axis=1).all():
        missing = [labelled.channels[i] for i in np.flatnonzero(~same.any(axis=1))]
        found = f"has no electrode {missing}, which the teachers were trained with"
        raise InputError(table.corpus, found, "train on electrodes that both corpora share")
    columns = same.argmax(axis=1)
    return replace(table, features=table.features[:, columns], channels=labelled.channels)


def people_of(data: EEGDataModule) -> str:
    """Name of the people a corpus records; two corpora of the same people share it."""
    return data.corpus.people or data.corpus.name


@dataclass(frozen=True, eq=False)
class Everybody:
    """All windows that a grid is made of.

    Args:
        placed: their embeddings in one basis, with their places on the plane.
        seen: float32 `[N, C, K]`, their features as their teachers saw them, standardised.
    """

    placed: Placed
    seen: NDArray[np.float32]


def place_everybody(
    labelled: LabelledData,
    support: Sequence[tuple[FeatureTable, str]],
    folds: Sequence[Embedder],
    settings: ConsolidateSettings,
) -> Everybody:
    """Embed everybody by a teacher that held them out, align and place the embeddings.

    Args:
        labelled: the rated corpus.
        support: unrated tables, each with the name of its people.
        folds: trained teachers.
        settings: how to consolidate.
    """
    split, parts, seen = labelled.split, [], []
    for table, people, matched in [
        (labelled.table, labelled.people, False),
        *((table, people, True) for table, people in support),
    ]:
        same = people == labelled.people
        embedded, rows = embed_held_out(table, split, folds, people, same, matched)
        parts.append(embedded)
        seen.append(standardised(table, folds, embedded, rows, matched))
    crossfit = settings.mode == "crossfit"
    placed = place_in_common_basis(
        merge(parts),
        settings,
        train_ratings=training_ratings(labelled),
        train_mean=training_means(labelled.table, labelled.split, folds),
        anchors=anchor_embeddings(labelled, support, folds) if crossfit else None,
    )
    return Everybody(placed, np.concatenate(seen)[placed.row])


def merge(parts: Sequence[Embedded]) -> Embedded:
    """Join embedded corpora."""
    names = ("embedding", "va", "rated", "subject", "corpus", "fold")
    return Embedded(**{n: np.concatenate([getattr(p, n) for p in parts]) for n in names})


def training_ratings(labelled: LabelledData) -> list[NDArray[np.float64]]:
    """Ratings (V, A) of the training people of each fold, one row a rating event."""
    ratings = []
    for fold in range(labelled.split.n_folds):
        rows = fold_rows(labelled.table, labelled.split, fold)["train"]
        table = labelled.table.take(rows)
        _, first = np.unique(table.event, return_index=True)
        ratings.append(np.stack([table.valence, table.arousal], axis=1)[first])
    return ratings


def anchor_source(support: Sequence[tuple[FeatureTable, str]]) -> str:
    """Which windows the teachers' spaces are aligned on."""
    return "support windows" if support else "labelled windows, labels not used"


def anchor_embeddings(
    labelled: LabelledData,
    support: Sequence[tuple[FeatureTable, str]],
    folds: Sequence[Embedder],
) -> NDArray[np.float32]:
    """Embed the same windows with every teacher, `[folds, m, d]`; no label is used.

    They are unlabelled recordings where there are any: no teacher has learned those by heart.
    """
    tables = [table for table, _ in support] or [labelled.table]
    share = N_ANCHORS // len(tables)
    embedded = []
    for fold in folds:
        parts = []
        for table in tables:
            rows = np.unique(np.linspace(0, table.n_rows - 1, min(share, table.n_rows)).astype(int))
            parts.append(fold(fold.features(table, matched=bool(support))[rows])[0])
        embedded.append(np.concatenate(parts))
    return np.stack(embedded)
