"""Sets that lack a class, judged from their files to the printed tables."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from neurogaze.affect import EMOTIONS
from neurogaze.evaluation.predictions import face_arrays, read_predictions
from neurogaze.evaluation.results import read_rows
from neurogaze.face_commands import evaluate
from neurogaze.faces.corpora.affectnet_mini import AffectNetMini
from neurogaze.faces.corpora.ck import CkPlus
from neurogaze.faces.corpora.ck48 import CkPlus48
from neurogaze.faces.corpora.ckextended import CkExtended
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.report.tables import percent
from tests.fixtures.affectnet import write_affectnet_mini
from tests.fixtures.ck import write_ckextended, write_ckplus, write_ckplus48

SETS = {
    "affectnet_mini": (AffectNetMini, write_affectnet_mini, True),
    "ckplus": (CkPlus, write_ckplus, False),
    "ckplus48": (CkPlus48, write_ckplus48, False),
    "ckextended": (CkExtended, write_ckextended, True),
}
"""Reader, fixture, and whether the set holds neutral faces."""


@pytest.fixture(scope="module")
def student(tiny_run, tmp_path_factory):
    """The tiny student with a strong leaning to neutral, so that absent classes matter."""
    path = tiny_run.run / "student" / "last.ckpt"
    stored = torch.load(path, map_location="cpu", weights_only=True)
    leaning = [k for k in stored["state_dict"] if k.endswith("classify.bias")]
    assert leaning
    for name in leaning:
        stored["state_dict"][name][EMOTIONS.index("neutral")] += 20
    path = tmp_path_factory.mktemp("leaning") / "last.ckpt"
    torch.save(stored, path)
    return path


@pytest.mark.filterwarnings("ignore:affectnet_mini is not", "ignore:.*of another class")
@pytest.mark.parametrize("name", SETS)
def test_absent_classes_are_scored_three_ways(name, student, tmp_path, capsys):
    reader, write, has_neutral = SETS[name]
    write(tmp_path / "set")
    out = tmp_path / "out"
    evaluate(student, FaceDataModule(reader(tmp_path / "set"), store=tmp_path / "store"), out=out)
    printed = capsys.readouterr().out
    truth, chances = face_arrays(read_predictions(out / "predictions.parquet", "face"))
    present = np.unique(truth)
    assert [EMOTIONS[i] for i in present] == list(EMOTIONS[0 if has_neutral else 1 :])
    free, among = chances.argmax(axis=1), present[chances[:, present].argmax(axis=1)]
    assert (free == EMOTIONS.index("neutral")).all()

    def f1(guess, classes):
        return f1_score(truth, guess, labels=classes, average="macro", zero_division=0)

    expected = {
        "accuracy": accuracy_score(truth, free),
        "macro_f1_8way": f1(free, np.arange(8)),
        "balanced_accuracy_8way": 1 / 8 if has_neutral else 0.0,
        "present_averaged_macro_f1": f1(free, present),
        "present_averaged_balanced_accuracy": 1 / 8 if has_neutral else 0.0,
        "present_restricted_accuracy": accuracy_score(truth, among),
        "present_restricted_macro_f1": f1(among, present),
        "present_restricted_balanced_accuracy": balanced_accuracy_score(truth, among),
    }
    rows = {row.metric: row for row in read_rows(out / "results.jsonl")}
    for metric, value in expected.items():
        row = rows[metric]
        assert row.value == pytest.approx(value), metric
        assert (row.dataset, row.split, row.n) == (name, "valid", len(truth))
        assert percent(row) in printed, metric
    for column in ("restricted accuracy, %", "restricted macro-F1, %", "averaged macro-F1, %"):
        assert column in printed
    noted = ["not an official split" in row.note for row in rows.values()]
    assert all(noted) if name == "affectnet_mini" else not any(noted)
    assert (rows["present_restricted_accuracy"].value > 0) or has_neutral
