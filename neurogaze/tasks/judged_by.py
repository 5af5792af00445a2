"""Pictures that a student may be judged by: none that it learned from, told by its record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurogaze.artefacts import canonical
from neurogaze.errors import InputError
from neurogaze.faces.corpora.cross_validated import PARTS, own_name
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.store import prepare


def of_one_corpus(provenance: Mapping[str, Any], data: FaceDataModule) -> bool:
    """Whether a student was trained on the corpus at hand, in folds or not."""
    return own_name(str(provenance.get("dataset", ""))) == own_name(data.corpus.name)


def to_be_trained_on(data: FaceDataModule) -> dict[str, Any]:
    """What the record of a student will say of the corpus at hand, for `refuse_other_folds`."""
    return {
        "dataset": data.corpus.name,
        "train": {"identity": canonical(data.corpus.identity("train"))},
        "valid": {"sha256": prepare(data.corpus, "valid", data.store).sha256},
    }


def refuse_other_folds(provenance: Mapping[str, Any], data: FaceDataModule, split: str) -> None:
    """Refuse pictures that are not dealt as they were for a student in folds.

    Training on all folds but one takes most pictures of both official splits, so that neither
    another fold nor an official split is new to the student; nor is a fold to one that was trained
    on the official split.

    Args:
        provenance: of the student.
        data: data module of the images to be judged.
        split: of its corpus that judges; one that is never dealt into folds may always.

    Raises:
        InputError: where the two are of one corpus, one at least is in folds, and the fold that
            judges is not the one that the student was kept from.
    """
    trained, judged = str(provenance.get("dataset", "")), data.corpus.name
    in_folds = own_name(trained) != trained or own_name(judged) != judged
    if split not in PARTS or not in_folds or not of_one_corpus(provenance, data):
        return
    known = provenance.get("train", {}).get("identity")
    if trained == judged and known == canonical(data.corpus.identity("train")):
        return
    kept_from = provenance.get("valid", {}).get("sha256")
    if prepare(data.corpus, "valid", data.store).sha256 == kept_from:
        return
    fold = provenance.get("train", {}).get("identity", {}).get("fold")
    of, remedy = "its official training split", "judge it by official splits, or another corpus"
    if fold is not None:
        of = f"all of {trained} but fold {fold}"
        remedy = f"judge it by that fold: a data file whose corpus has the fold {fold}"
    found = f"holds pictures that the student learned from: it was trained on {of}"
    raise InputError(judged, found, remedy)


def refuse_other_slice(provenance: Mapping[str, Any], data: FaceDataModule) -> None:
    """Refuse a dev slice other than the one that a training held out.

    Args:
        provenance: of the student.
        data: data module, ready, with a dev slice.

    Raises:
        InputError: where the training held out another slice or none, or was on other pictures than
            those beside it.
    """
    said = canonical(data.held_out)
    if provenance.get("held_out") != said:
        found = f"held out {provenance.get('held_out')} in training, not {said}"
        raise InputError("checkpoint", found, "train it with this dev slice, or name its own")
    if provenance.get("train", {}).get("sha256") != data.train.sha256:
        found = "was trained on other pictures than those beside this dev slice"
        raise InputError("checkpoint", found, "give the data file it was trained with")
