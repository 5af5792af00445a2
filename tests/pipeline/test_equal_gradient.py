"""The weight at which two grids pull equally hard, against gradients taken by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from neurogaze import training
from neurogaze.errors import InputError
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.mixing import MixSettings
from neurogaze.pipeline.equal_gradient import equal_weight, first_pictures
from neurogaze.prototypes.controls import random
from neurogaze.prototypes.grid import PrototypeGrid
from tests.pipeline.tiny import EXPERIMENTS, FACES, STUDENT


@pytest.fixture(scope="module")
def grid(tiny_run):
    return PrototypeGrid.load(tiny_run.run / "grid" / "grid.npz")


@pytest.fixture
def args(tmp_path):
    data = str(EXPERIMENTS / "data" / "synthetic_faces.yaml")
    flags = [*STUDENT, *FACES, f"--data.store={tmp_path}", "--seed_everything=3"]
    return ["--config", str(EXPERIMENTS / "student.yaml"), "--data", data, *flags]


def test_the_same_grid_keeps_its_weight(args, grid):
    assert equal_weight(args, grid, grid) == pytest.approx(0.12, rel=1e-4)


def test_only_prototypes_and_centres_count(args, grid):
    """The same cells under another story, from other people, pull as they did."""
    known = grid.provenance | {"kind": "other"}
    other = replace(grid, provenance=known, counts=grid.counts + 1, n_subjects=grid.n_subjects + 1)
    assert other.sha256 != grid.sha256
    assert equal_weight(args, grid, other) == pytest.approx(0.12, rel=1e-4)


def test_twice_the_weight_of_the_reference_is_twice_the_weight(args, grid):
    other = random(grid, 1, match_cosine=False)
    once, twice = (
        equal_weight([*args, f"--model.loss.proto.weight={w}"], grid, other) for w in (0.12, 0.24)
    )
    assert twice == pytest.approx(2 * once, rel=1e-4)


def test_the_way_back_is_the_inverse_of_the_way_there(args, grid):
    other = random(grid, 1, match_cosine=False)
    there, back = equal_weight(args, grid, other), equal_weight(args, other, grid)
    assert there != pytest.approx(0.12, rel=1e-3)
    assert there * back == pytest.approx(0.12**2, rel=1e-4)


def test_against_the_gradient_by_hand(args, grid):
    """`dL/ds_k = (q_k - t_k) / tau`, through the cosine: project out f and divide by its length."""
    other = random(grid, 1, match_cosine=False)
    data = training.build_cli(args, run=False).datamodule
    data.setup("fit")
    task = training.build_cli(args, run=False).model
    lengths = {}
    for name, g in (("eeg", grid), ("other", other)):
        norms = []
        for batch in data.calibration_loader():
            with torch.no_grad():
                f = task.student(batch["image"]).embedding.double()
            prototypes = torch.from_numpy(np.array(g.prototypes)).double()
            size = f.norm(dim=1, keepdim=True)
            unit = f / size
            q = torch.softmax(unit @ prototypes.T / 0.9, dim=1)
            centers, sigma = torch.tensor(np.array(g.centers)), 0.4
            from neurogaze.losses.proto_kd import gaussian_targets

            wanted = batch["target"].double() @ gaussian_targets(centers, sigma)
            pull = ((q - wanted) / 0.9) @ prototypes
            across = (pull - (pull * unit).sum(1, keepdim=True) * unit) / size
            norms.append(across.norm(dim=1))
        lengths[name] = float(torch.cat(norms).mean())
    expected = 0.12 * lengths["eeg"] / lengths["other"]
    assert equal_weight(args, grid, other) == pytest.approx(expected, rel=1e-3)


def test_an_arm_without_the_term_is_refused(args, grid):
    config = ["--config", str(EXPERIMENTS / "ablations" / "ce.yaml")]
    with pytest.raises(InputError, match="no Proto-KD"):
        equal_weight([*args[:2], *config, *args[2:]], grid, grid)


def test_a_grid_that_does_not_pull_is_refused(args, grid):
    """All prototypes alike: every cosine is the same, whatever the picture."""
    rows = np.repeat(grid.prototypes[:1], len(grid.prototypes), axis=0)
    with pytest.raises(InputError, match="does not pull"):
        equal_weight(args, grid, replace(grid, prototypes=rows))


class ByClass(SyntheticFaces):
    """Faces in the order of their classes, as a folder a class gives them."""

    def load(self, split, progress=False):
        table = super().load(split, progress)
        return table.take(np.argsort(table.labels, kind="stable"))


def test_a_corpus_sorted_by_class_is_not_measured_on_one_class(tmp_path):
    data = FaceDataModule(ByClass(128, 40), batch_size=16, eval_batch_size=16, store=tmp_path)
    data.setup("fit")
    first = first_pictures(data, 20)
    assert len({int(label) for batch in first for label in batch["label"]}) > 5
    assert sum(len(batch["row"]) for batch in first) == 32
    again = first_pictures(data, 20)
    assert [b["row"].tolist() for b in first] == [b["row"].tolist() for b in again]
    torch.testing.assert_close(first[0]["image"], again[0]["image"])


def test_pictures_are_measured_as_evaluation_sees_them(tmp_path):
    """Each once, and neither turned nor blended."""
    blend = MixSettings("mixup", probability=1.0)
    data = FaceDataModule(SyntheticFaces(64, 40), batch_size=16, store=tmp_path, mixing=blend)
    data.setup("fit")
    (plain,) = data.calibration_loader()
    for batch in first_pictures(data):
        torch.testing.assert_close(batch["image"], plain["image"][batch["row"]])
    rows = torch.cat([batch["row"] for batch in first_pictures(data)])
    assert sorted(rows.tolist()) == list(range(64))
