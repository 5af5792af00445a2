"""A small run folder with every part that a report can show, all of it made up."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurogaze.affect import CLASS_ANCHORS, EMOTIONS, grid_centers, grid_edges
from neurogaze.artefacts import write_json, write_npz
from neurogaze.eeg.recordings import EPOC
from neurogaze.evaluation.predictions import PROBABILITY_COLUMNS, write_predictions
from neurogaze.evaluation.results import ResultRow, write_rows
from neurogaze.evaluation.scoring import score_faces, score_va
from neurogaze.prototypes.grid import PrototypeGrid

BANDS = ("theta", "alpha", "beta", "gamma")
STAMP = "trained on drawn faces: meaningless on people"


def face_frame(n: int, split: str, classes: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    share = np.array([0.36, 0.26, 0.13, 0.11, 0.08, 0.02, 0.03, 0.01])[:classes]
    truth = generator.choice(classes, n, p=share / share.sum())
    logits = generator.normal(0, 1.0, (n, 8))
    logits[np.arange(n), truth] += 2.6
    chances = np.exp(1.6 * logits)
    chances /= chances.sum(axis=1, keepdims=True)
    text = {
        "id": [f"{split}{i:05d}" for i in range(n)],
        "dataset": "synthetic_faces",
        "split": split,
        "label": np.array(EMOTIONS)[truth],
        "group": generator.integers(0, n, n).astype(str),
    }
    return pd.DataFrame(text | dict(zip(PROBABILITY_COLUMNS, chances.T, strict=True)))


def eeg_frame(n_subjects: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    rows = []
    for subject in range(n_subjects):
        for trial in range(6):
            rating = np.clip(generator.normal(0, 0.5, 2), -1, 1)
            guess = 0.3 * rating + generator.normal(0, 0.2, 2)
            for window in range(3):
                name = f"s{subject:02d}"
                ids = ("synthetic", name, f"c{trial}", f"{name}c{trial}", f"{name}t{trial}")
                noisy = guess + generator.normal(0, 0.1, 2)
                rows.append((*ids, 4.0 * window, *rating, *noisy))
    columns = ["corpus", "subject", "clip", "event", "trial", "start"]
    columns += ["valence", "arousal", "valence_pred", "arousal_pred"]
    return pd.DataFrame(rows, columns=columns)


def grid(seed: int = 0) -> PrototypeGrid:
    generator = np.random.default_rng(seed)
    centers = grid_centers(5)
    basis = generator.normal(size=(3, 16))
    rows = np.column_stack([centers, np.full(25, 0.5)]) @ basis + generator.normal(0, 0.4, (25, 16))
    counts = np.round(4000 * np.exp(-3 * (centers**2).sum(axis=1))).astype(int)
    counts[[0, 1, 4, 20, 24]] = 0
    return PrototypeGrid(
        prototypes=rows / np.linalg.norm(rows, axis=1, keepdims=True),
        centers=centers,
        counts=counts,
        n_subjects=np.minimum(counts, 23),
        filled=counts == 0,
        edges=grid_edges(5),
        provenance={
            "corpora": ["synthetic"],
            "protocol": "loso",
            "teachers": ["ab" * 32] * 5,
            "spread": [round(0.02 * i, 2) if n else None for i, n in enumerate(counts.tolist())],
        },
    )


def explained(n_cells: int = 25) -> dict[str, np.ndarray]:
    """Arrays of `explained.npz`; the cells of `grid` that are empty are NaN."""
    generator = np.random.default_rng(3)
    cells = generator.normal(size=(n_cells, 14, 4)).astype(np.float32)
    cells[[0, 1, 4, 20, 24]] = np.nan
    return {
        "channels": np.array(EPOC),
        "bands": np.array(BANDS),
        "saliency": np.abs(generator.normal(size=(2, 14, 4))).astype(np.float32),
        "attention": generator.dirichlet(np.full(14, 5.0), 14).astype(np.float32),
        "cell_features": cells,
    }


def stability(n_cells: int = 25) -> dict:
    """Content of `stability.json`; nothing can be told of the cells 0, 1 and 4."""
    values = [None if cell in (0, 1, 4) else 0.9 for cell in range(n_cells)]
    ends = {"low": [v and v - 0.2 for v in values], "high": [v and v + 0.05 for v in values]}
    size = {
        "cells": 0, "observed": 7, "with_three": 6, "count_min": 2, "count_median": 41.5,
        "effective_rank": 2.345, "mean_cosine": 0.1, "bootstrap_cosine": 0.87,
        "cross_fold_cosine": None,
    }  # fmt: skip
    sizes = [size | {"size": s, "cells": s**2} for s in (3, 5, 7, 9)]
    return {"resamples": 200, "seed": 0, "size": 5, "cosine": values, "sizes": sizes} | ends


def chance_rows(context: dict) -> list[ResultRow]:
    names = ("experiment", "protocol", "split_hash", "config_hash", "note", "seed", "code_version")
    said = dict.fromkeys(names, "") | {"seed": 0, "code_version": "0.1.0"} | context
    said |= {"arm": "chance (99 % band)", "dataset": "synthetic", "split": "held-out"}
    band = {"value": 0.0, "low": -0.11, "high": 0.12, "n": 72, "grid_hash": "", "label_rule": ""}
    metrics = ("valence_ccc_trial", "arousal_ccc_trial")
    return [ResultRow(**said, **band, metric=metric) for metric in metrics]


def fabricate_grid_stage(folder: Path) -> None:
    context = {"experiment": "demo", "protocol": "loso"}
    frame = eeg_frame(12, seed=1)
    rows = score_va(frame, context | {"arm": "teacher", "split": "held-out"})
    ridge = frame.assign(valence_pred=frame["valence_pred"] * 0.4, arousal_pred=0.05)
    rows += score_va(ridge, context | {"arm": "ridge", "split": "held-out"})
    write_rows(folder / "results.jsonl", rows + chance_rows(context))
    write_predictions(folder / "predictions.parquet", frame)
    grid().save(folder / "grid.npz")
    write_npz(folder / "explained.npz", explained())
    write_json(folder / "stability.json", stability())
    generator = np.random.default_rng(2)
    level = -25 - np.arange(4) * 0.8 + generator.normal(0, 0.3, (14, 4))
    maps = np.stack([level, generator.normal(0, 0.05, (14, 4)), generator.normal(0, 0.1, (14, 4))])
    groups = ["all windows", "valence: above - below median", "arousal: above - below median"]
    arrays = {"groups": groups, "channels": EPOC, "bands": BANDS}
    named = {k: np.array(v) for k, v in arrays.items()}
    write_npz(folder / "topomaps.npz", {"values": maps.astype(np.float32)} | named)


def fabricate_student(folder: Path, log: str) -> None:
    folder.mkdir(parents=True)
    (folder / "metrics.csv").write_text(log)


def learning_log(epochs: int) -> str:
    lines = ["epoch,step,train/loss,train/ce,train/kd,val/accuracy,val/macro_f1_8way"]
    for epoch in range(epochs):
        loss = 0.6 + 1.4 * np.exp(-epoch / 6)
        lines.append(f"{epoch},{20 * epoch + 19},{loss},{0.8 * loss},{0.2 * loss},,")
        score = 0.85 - 0.5 * np.exp(-epoch / 5)
        lines.append(f"{epoch},{20 * epoch + 19},,,,{score},{score - 0.2}")
    return "\n".join(lines) + "\n"


def fabricate_evaluation(folder: Path, split: str, n: int, classes: int, arm: str) -> None:
    frame = face_frame(n, split, classes, seed=len(arm))
    context = {"experiment": "demo", "arm": arm, "label_rule": "majority", "note": STAMP}
    write_rows(folder / "results.jsonl", score_faces(frame, context))
    write_predictions(folder / "predictions.parquet", frame)
    generator = np.random.default_rng(4)
    label = frame["label"].map(EMOTIONS.index).to_numpy()
    centres = np.array(list(CLASS_ANCHORS.values())) @ generator.normal(size=(2, 32))
    points = (centres[label] * 2 + generator.normal(0, 0.6, (n, 32))).astype(np.float16)
    write_npz(folder / "embeddings.npz", {"embedding": points, "label": label})


def fabricate_run(run: Path) -> Path:
    """Write a run folder as the pipeline leaves it."""
    fabricate_grid_stage(run / "grid")
    fabricate_student(run / "student", learning_log(30))
    fabricate_evaluation(run / "evaluate-valid", "valid", 1400, 8, "student")
    fabricate_evaluation(run / "evaluate-other", "other", 500, 7, "student")
    for name in ("grid", "student", "evaluate-valid", "evaluate-other"):
        record = {"name": name, "fingerprint": name.encode().hex() * 4, "seconds": 12.5}
        write_json(run / name / "stage.json", record)
    (run / "title.json").write_text(json.dumps({"title": "Demo on synthetic data"}))
    return run


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory) -> Path:
    return fabricate_run(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def made_grid() -> PrototypeGrid:
    return grid()
