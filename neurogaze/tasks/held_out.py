"""Whom weights know: what a checkpoint says of itself, and checks against the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytorch_lightning import LightningModule
from pytorch_lightning.trainer.states import TrainerFn

import neurogaze
from neurogaze.artefacts import canonical
from neurogaze.errors import InputError

Provenance = Mapping[str, Any]


def checkpoint_record(
    kind: str, channels: Sequence[str], config_hash: str, provenance: Provenance
) -> dict[str, Any]:
    """What a checkpoint of the EEG wing says of itself.

    Args:
        kind: of task, such as "teacher".
        channels: electrodes, in the order of the features.
        config_hash: of the configuration it comes from.
        provenance: of the data.
    """
    return {
        "kind": kind,
        "version": neurogaze.__version__,
        "channels": list(channels),
        "config_hash": config_hash,
        "provenance": dict(provenance),
    }


def refuse_other_features(own: Provenance, asked: Provenance) -> None:
    """Refuse features that were computed in another way than those of the checkpoint.

    Args:
        own: provenance of the checkpoint; empty for weights that were not trained.
        asked: provenance of the data.

    Raises:
        InputError: naming both settings.
    """
    if own and own["settings_hash"] != asked["settings_hash"]:
        raise InputError(
            "data.features",
            f"are {asked['features']}, but the checkpoint was trained with {own['features']}",
            "give the data the features of the checkpoint",
        )


def taken_up(
    task: LightningModule, own: Provenance, known: Provenance, config_hash: tuple[str, str]
) -> tuple[dict[str, Any], str]:
    """Provenance and hash of the settings that a task has after a checkpoint was loaded into it.

    Those of the checkpoint, unless a training goes on from it: that one has its own settings, and
    may have no other data, or the weights would know people whom their record calls held out.

    Args:
        task: that the checkpoint is loaded into.
        own: its provenance; what its data say of themselves where it is trained.
        known: provenance of the checkpoint.
        config_hash: of the task, and of the checkpoint.

    Raises:
        InputError: for a training that would go on with other data, naming what differs.
    """
    trainer = task._trainer  # None for a task that nobody trains or judges
    if trainer is None or trainer.state.fn != TrainerFn.FITTING:
        return dict(known), config_hash[1]
    now, then = canonical(own), canonical(known)
    differ = sorted(key for key in now.keys() | then.keys() if now.get(key) != then.get(key))
    if differ:
        found = f"was trained with other data: {', '.join(differ)} differ"
        remedy = "go on with the data it began with, or train anew without it"
        raise InputError("checkpoint to go on from", found, remedy)
    return dict(own), config_hash[0]


def refuse_known(own: Provenance, asked: Provenance) -> None:
    """Refuse to test on people (or events, or clips) that weights learned from or stopped on.

    Args:
        own: provenance of the checkpoint; empty for weights that were not trained.
        asked: provenance of the data.

    Raises:
        InputError: naming some of them; or where the checkpoint knew another unit (rating events,
            say) of the same people, so that nobody can say whom it has not seen. The people of its
            warm-up count as those of its training.
    """
    _refuse_known_to_warm_up(own.get("init_from"), asked)
    if not own or own.get("people", own["corpus"]) != asked["people"]:
        return
    if own["unit"] != asked["unit"]:
        raise InputError(
            "checkpoint",
            f"was trained under {own['protocol']} (it knows {own['unit']}s), not "
            f"{asked['protocol']}, on the same people",
            "test it under the protocol it was trained under",
        )
    for kind in ("units", "clips"):
        learned = {*own.get(f"train_{kind}", ()), *own.get(f"stop_{kind}", ())}
        known = sorted(learned & {*asked.get(f"test_{kind}", ())})
        if known:
            raise InputError(
                "checkpoint",
                f"of fold {own['fold']} knows {known[:3]} of test fold {asked['fold']}",
                "test the fold that these weights held out (--data.fold)",
            )


def _refuse_known_to_warm_up(warm_up: Provenance | None, asked: Provenance) -> None:
    """Refuse to test on people whose unlabelled recordings the weights started from."""
    if not warm_up:
        return
    try:
        refuse_warmed_on(warm_up, asked)
    except InputError as error:
        remedy = "test people that its warm-up did not know either"
        raise InputError("checkpoint", f"started from weights: {error.found}", remedy) from None


def refuse_warmed_on(own: Provenance, asked: Provenance) -> None:
    """Refuse weights that were warmed up on unlabelled recordings of people who will be tested.

    Args:
        own: provenance of the warmed-up weights.
        asked: provenance of the data.

    Raises:
        InputError: naming some of the people; or where the same people are on both sides of the
            split, so that nobody can say which of their recordings the weights have seen.
    """
    if own["people"] != asked["people"]:
        return
    if not asked["unit"].startswith("subject"):
        raise InputError(
            "model.init_from",
            f"was warmed up on {own['corpus']}, the same people as {asked['corpus']}, and protocol "
            f"{asked['protocol']} holds nobody out",
            "warm up on other people, or hold whole people out (protocol: loso)",
        )
    known = sorted({*own["train_units"], *own["stop_units"]} & {*asked["test_units"]})
    if known:
        raise InputError(
            "model.init_from",
            f"was warmed up on {known[:3]} of test fold {asked['fold']}",
            "name them in `exclude` of the warm-up's data, or warm up on other people",
        )
