"""What must hold of a finished run of the published pipeline, whatever its size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import yaml

from neurogaze.evaluation.results import read_rows
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.folds import fold_numbers
from neurogaze.faces.store import prepare
from neurogaze.prototypes.grid import PrototypeGrid

TERMS = {
    "B0": {"ce"},
    "B1": {"ce", "kd"},
    "B2": {"ce", "kd", "proto"},
    "B3": {"ce", "kd", "proto", "geo"},
}
DATASETS = {
    "ferplus": "ferplus_valid",
    "affectnet_mini": "affectnet_mini",
    "ckplus48": "ckplus",
}
SCORES = {"macro_f1_8way", "present_restricted_macro_f1", "present_averaged_macro_f1"}


def checkpoint(path: Path) -> dict:
    """What a student's checkpoint says of itself."""
    return torch.load(path, map_location="cpu", weights_only=True)["neurogaze"]


def arrays(path: Path) -> dict:
    """The arrays of a file."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def check_students(run: Path) -> None:
    """Each arm has its terms and pins: the grid, and the logits, only where a term takes them."""
    grid = PrototypeGrid.load(run / "grid" / "grid.npz").sha256
    logits = json.loads((run / "logits" / "logits.json").read_text())["sha256"]
    for arm, terms in TERMS.items():
        folder = run / f"student-{arm}"
        loss = yaml.safe_load((folder / "config.yaml").read_text())["model"]["init_args"]["loss"]
        assert {name for name, term in loss["init_args"].items() if term} == terms, arm
        provenance = checkpoint(folder / "best.ckpt")["provenance"]
        assert provenance.get("grid_sha256") == (grid if "proto" in terms else None), arm
        pinned = provenance.get("teacher_logits", {}).get("sha256")
        assert pinned == (logits if "kd" in terms else None), arm
        inputs = json.loads((folder / "stage.json").read_text())["inputs"]
        assert ("grid" in inputs, "logits" in inputs) == ("proto" in terms, "kd" in terms)


def check_rows(run: Path) -> None:
    """Every arm on every data set, in three ways of averaging, from the epoch that was kept."""
    grid = PrototypeGrid.load(run / "grid" / "grid.npz").sha256
    for dataset, name in DATASETS.items():
        for arm, terms in TERMS.items():
            stage = json.loads((run / f"evaluate-{arm}-{name}" / "stage.json").read_text())
            student = json.loads((run / f"student-{arm}" / "stage.json").read_text())
            assert stage["inputs"]["student"] == student["outputs"]["best.ckpt"]
            rows = read_rows(run / f"evaluate-{arm}-{name}" / "results.jsonl")
            assert {row.dataset for row in rows} == {dataset}
            assert {row.arm for row in rows} == {arm}
            assert {row.metric for row in rows} >= SCORES
            assert {row.grid_hash for row in rows} == {grid if "proto" in terms else ""}
            assert all("best epoch on the dev slice" in row.note for row in rows)


def check_grid(run: Path) -> None:
    """One teacher of DREAMER, and both corpora behind the grid."""
    provenance = PrototypeGrid.load(run / "grid" / "grid.npz").provenance
    assert provenance["corpora"] == ["dreamer", "mahnob_hci"]
    assert provenance["support"].endswith("without labels")
    assert provenance["consolidation"]["mode"] == "faithful"
    assert provenance["consolidation"]["bins"] == "predicted"
    assert len(provenance["teachers"]) == 1
    assert [p.name for p in sorted(run.glob("teacher-*"))] == ["teacher-0"]


def check_cross_fit(run: Path, store: Path, n_folds: int) -> None:
    """The logits of a picture are those of the member that was trained without its fold."""
    table = prepare(FerPlus(rule="votes"), "train", store)
    fold = fold_numbers(table, n_folds, seed=0)
    stored = arrays(run / "logits" / "logits.npz")
    assert sorted(stored["ids"].tolist()) == sorted(table.ids.tolist())
    row = {name: i for i, name in enumerate(stored["ids"].tolist())}
    for number in range(n_folds):
        member = run / f"member-fold{number}-seed0"
        trained = checkpoint(member / "last.ckpt")["provenance"]["train"]
        assert trained["sha256"] == table.take(fold != number).sha256
        judged = arrays(run / f"{member.name}-held-out" / "logits.npz")
        assert sorted(judged["ids"].tolist()) == sorted(table.ids[fold == number].tolist())
        own = stored["logits"][[row[name] for name in judged["ids"].tolist()]]
        np.testing.assert_array_equal(own, judged["logits"].astype(np.float16))


def check_published(run: Path, store: Path, n_folds: int) -> None:
    """All of the above, and a report that shows every arm.

    Args:
        run: folder of the run.
        store: of its images.
        n_folds: of the ensemble that supplied logits.
    """
    check_grid(run)
    check_students(run)
    check_rows(run)
    check_cross_fit(run, store, n_folds)
    table = (run / "report" / "results.md").read_text()
    assert all(f"| {arm} |" in table for arm in TERMS)
