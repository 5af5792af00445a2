"""Every file under `experiments/teachers/` is carried out, at a size of seconds."""

import pytest
import torch

from neurogaze import training
from neurogaze.eeg.corpora.synthetic import SyntheticEeg
from neurogaze.eeg.feature_settings import PAPER_CODE
from neurogaze.eeg.support import SupportDataModule
from neurogaze.models.rbtransformer import RBTransformer
from neurogaze.tasks.classifier import ClassifierTask
from neurogaze.tasks.loading import load_task
from neurogaze.tasks.pretraining import PretrainingTask
from tests.pipeline.tiny import EXPERIMENTS, TEACHER

FOLDER = EXPERIMENTS / "teachers"
RATED = EXPERIMENTS / "data" / "synthetic_eeg.yaml"
QUICK = ["--trainer.max_epochs=2", "--trainer.enable_progress_bar=false"]
PEOPLE = TEACHER[:4]
CLASSIFIERS = (
    "rbtransformer",
    "no_attention",
    "no_attention_published",
    "rbtransformer_paper_code",
)
LOADED = (PretrainingTask, SupportDataModule, SyntheticEeg)  # known by name on a command line


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


def carried_out(store, out, files, *args):
    words = [w for f in files for w in f] + [*PEOPLE, *QUICK, *args]
    return training.fit([*words, f"--out={out}", f"--data.store={store}"])


def config(path):
    return ["--config", str(path)]


def test_every_file_is_carried_out_here():
    assert {p.stem for p in FOLDER.glob("*.yaml")} == {
        *CLASSIFIERS, "topomap", "electrodes", "pretrain",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["topomap", "electrodes"])
def test_branches(store, tmp_path, name):
    files = [config(EXPERIMENTS / "teacher.yaml"), config(FOLDER / f"{name}.yaml")]
    args = ["--model.teacher.map_size=8", "--data.split.n_folds=2"]
    run = carried_out(store, tmp_path, [*files, ["--data", str(RATED)]], *args)
    assert [type(e).__name__ for e in run.lightning_module.teacher.encoders] == [
        {"topomap": "TopomapEncoder", "electrodes": "ElectrodeEncoder"}[name]
    ]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers(store, tmp_path, name):
    files = [config(FOLDER / "rbtransformer.yaml"), ["--data", str(RATED)]]
    if name != "rbtransformer":
        files.append(config(FOLDER / f"{name}.yaml"))
    args = ["--data.split.n_folds=2", "--data.batch_schedule=[[1, 8]]", "--data.corpus.n_clips=6"]
    run = carried_out(store, tmp_path, files, *args)
    task, data = run.lightning_module, run.datamodule
    provenance = task.provenance
    assert provenance["leaky"] is (name == "rbtransformer_paper_code")
    assert (data.features == PAPER_CODE) is provenance["leaky"]
    assert (task.standardise, data.drop_windows) == (
        (False, 0.1) if provenance["leaky"] else (True, 0)
    )
    kind = {"no_attention": "feed_forward", "no_attention_published": "none"}.get(name, "attention")
    same = RBTransformer(blocks=kind)
    assert [p.shape for p in task.model.parameters()] == [p.shape for p in same.parameters()]
    assert data.smote
    assert run.optimizers[0].param_groups[0]["lr"] == pytest.approx(1e-6), "the end of the cosine"
    again = load_task(tmp_path / "last.ckpt", ClassifierTask)
    features = torch.from_numpy(data.table.features[:5])
    torch.testing.assert_close(again.probabilities(features), task.probabilities(features))


def test_warm_up(store, tmp_path):
    files = [config(FOLDER / "pretrain.yaml"), ["--data.corpus", "SyntheticEeg"]]
    run = carried_out(
        store, tmp_path, files, "--data.corpus.rated=false", "--model.teacher.map_size=8"
    )
    assert (tmp_path / "best.ckpt").exists()
    assert float(run.callback_metrics["val/loss"]) > 0


def test_overrides_are_short():
    for path in FOLDER.glob("*.yaml"):
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        assert len(lines) <= (12 if path.stem not in ("rbtransformer", "pretrain") else 30), path
