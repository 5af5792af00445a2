"""What makes recordings unfit for one table of features, told by person, trial and event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurogaze.eeg.feature_settings import window_samples
from neurogaze.eeg.features import BANDS, FeatureSettings
from neurogaze.eeg.paper_code import refuse_order
from neurogaze.eeg.recordings import Corpus
from neurogaze.eeg.table import RATINGS
from neurogaze.errors import InputError

People = Sequence[Mapping[str, NDArray[Any]]]
"""Columns of each person, with one entry a trial but for the features."""

RESTED = "rested"
"""Column that says whether a rest was subtracted, one entry a person."""


def refuse_settings(corpus: Corpus, settings: FeatureSettings) -> None:
    """Refuse settings whose features would mean nothing, also where they are stored already.

    Raises:
        InputError: for a delta band of recordings without one, or a filter that rounding destroys.
    """
    _refuse_delta(corpus, settings)
    if settings.filtering == "window":
        sfreq, samples = settings.preprocessing.sfreq, window_samples(settings)[0]
        refuse_order(sfreq, BANDS[settings.bands], settings.filter_order, samples)


def _refuse_delta(corpus: Corpus, settings: FeatureSettings) -> None:
    """Refuse a delta band for recordings whose amplifier or editor already removed it."""
    highpass = float(getattr(corpus, "highpass", 0.0))
    name, low, high = BANDS[settings.bands][0]
    if name == "delta" and highpass > low:
        raise InputError(
            f"corpus {corpus.name}",
            f"was high-passed at {highpass} Hz, so {name} ({low}-{high} Hz) holds filter residue",
            "use bands: faithful",
        )


def refuse_incoherent(people: People, corpus: str) -> None:
    """Refuse people whose columns cannot stand in one table.

    Args:
        people: columns of each.
        corpus: its name, for messages.

    Raises:
        InputError: for a rating event of two people or two ratings, a name of two trials, or a rest
            subtracted from the features of some people only.
    """
    _refuse_shared_events(people, corpus)
    _refuse_two_ratings(people, corpus)
    _refuse_repeated_trials(people, corpus)
    _refuse_mixed_people(people, corpus)


def refuse_mixed_rest(trials: Sequence[tuple[str, bool]], where: str) -> None:
    """Features relative to a rest and features that are not cannot stand in one table.

    Args:
        trials: name of each trial, and whether a rest was subtracted from its features.
        where: whose they are, for messages.

    Raises:
        InputError: for trials of both kinds.
    """
    name, rested = trials[0]
    other = next((each for each, its in trials if its != rested), None)
    if other is not None:
        found = f"of the trials {[name, other]} only one has a baseline"
        raise InputError(where, found, "give every trial a baseline, or set baseline to false")


def _refuse_mixed_people(people: People, corpus: str) -> None:
    """`refuse_mixed_rest` between people; files of older versions do not say."""
    told = [person for person in people if person.get(RESTED) is not None]
    firsts = [(str(person["trial"][0]), bool(person[RESTED])) for person in told]
    if firsts:
        refuse_mixed_rest(firsts, f"corpus {corpus}")


def _refuse_repeated_trials(people: People, corpus: str) -> None:
    """A name stands for one trial, or windows of two would be taken for overlapping ones."""
    owner: dict[str, str] = {}
    for person in people:
        for trial, subject in zip(
            person["trial"].tolist(), person["subject"].tolist(), strict=True
        ):
            if trial in owner:
                raise InputError(
                    f"corpus {corpus}",
                    f"two trials are named {trial!r}, of {owner[trial]!r} and {subject!r}",
                    "let the corpus name each trial uniquely",
                )
            owner[trial] = subject


def _refuse_shared_events(people: People, corpus: str) -> None:
    """A rating event belongs to one person, or folds by event would not be what they say."""
    owner: dict[str, str] = {}
    for person in people:
        subject = str(person["subject"][0])
        for event in np.unique(person["event"]).tolist():
            if owner.setdefault(event, subject) != subject:
                raise InputError(
                    f"corpus {corpus}",
                    f"rating event {event!r} belongs to {owner[event]!r} and {subject!r}",
                    "put the subject into the name of the event",
                )


def _refuse_two_ratings(people: People, corpus: str) -> None:
    """A rating event has one rating and class: later steps take those of any of its trials."""
    for person in people:
        label = np.where(person["label"] >= 0, person["label"], np.nan)
        said = np.stack([*(person[name] for name in RATINGS), label], axis=1)
        first: dict[str, int] = {}
        for trial in np.flatnonzero(np.isfinite(said).any(axis=1)).tolist():
            event = str(person["event"][trial])
            other = first.setdefault(event, trial)
            if not np.array_equal(said[trial], said[other], equal_nan=True):
                names = [str(person["trial"][index]) for index in (other, trial)]
                raise InputError(
                    f"corpus {corpus}",
                    f"trials {names} of rating event {event!r} differ in rating or class",
                    "give each rating an event of its own",
                )
