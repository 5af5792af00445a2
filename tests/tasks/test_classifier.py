"""The classifier learns what is there, is judged honestly, and its checkpoint says what it is."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from neurogaze import training
from neurogaze.eeg.corpora.synthetic import SyntheticEeg
from neurogaze.eeg.datamodule import EEGDataModule
from neurogaze.eeg.features import FeatureSettings
from neurogaze.eeg.targets import ClassTarget
from neurogaze.errors import InputError
from neurogaze.models.rbtransformer import RBTransformer
from neurogaze.tasks.classifier import ClassifierTask
from neurogaze.tasks.judging import class_scores
from neurogaze.tasks.loading import load_task
from tests.pipeline.tiny import EXPERIMENTS, TEACHER
from tests.tasks.small import trainer

TARGET = ClassTarget("valence")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    recordings(folder).prepare_data()
    return folder


def recordings(store, **changes) -> EEGDataModule:
    corpus = SyntheticEeg(n_subjects=5, n_clips=4, seconds=8, baseline_seconds=4)
    return EEGDataModule(corpus, **{"target": TARGET, "batch_size": 32, "store": store} | changes)


def small(target=TARGET, **changes) -> ClassifierTask:
    torch.manual_seed(0)
    model = RBTransformer(14, target.n_classes, blocks="none")
    return ClassifierTask(model, target, **changes)


@pytest.fixture(scope="module")
def fitted(store):
    """A task fitted for two epochs, its data, and what the trainer logged.

    By the command line, whose checkpoints hold settings and no module.
    """
    flags = ["--config", str(EXPERIMENTS / "teachers" / "rbtransformer.yaml")]
    flags += ["--data.corpus", "SyntheticEeg", *TEACHER[:4], "--data.corpus.n_subjects=5"]
    flags += ["--data.batch_size=32", "--data.smote=false", "--data.batch_schedule=[]"]
    flags += ["--model.model.blocks=none", *TEACHER[-2:]]
    run = training.fit([*flags, f"--out={store / 'out'}", f"--data.store={store}"])
    logged = {k: float(v) for k, v in run.callback_metrics.items()}
    return run.lightning_module, run.datamodule, logged


def test_validation_scores_are_those_of_the_inner_people(fitted):
    task, data, logged = fitted
    rows, table = data.rows["stop"], data.table
    probabilities = task.probabilities(torch.from_numpy(table.features[rows])).numpy()
    truth = (table.valence[rows] > 0).astype(int)
    of_windows = class_scores(truth, probabilities.argmax(1), 2)
    for name, value in of_windows.items():
        assert logged[f"val/{name}"] == pytest.approx(value, abs=1e-6)
    right = [
        (probabilities[table.trial[rows] == t].mean(0).argmax() == truth[table.trial[rows] == t][0])
        for t in np.unique(table.trial[rows])
    ]
    assert len(right) == 4
    assert logged["val/accuracy_trial"] == pytest.approx(np.mean(right), abs=1e-6)


def test_probabilities_are_those_of_standardised_features(fitted):
    task, data, _ = fitted
    features = torch.from_numpy(data.table.features[:50])
    train = data.table.features[data.rows["train"]].astype(float)
    standard = (data.table.features[:50] - train.mean(0)) / train.std(0)
    task.train()
    with torch.no_grad():
        logits = task.model.eval()(torch.from_numpy(standard.astype(np.float32)))
    task.train()
    expected = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
    torch.testing.assert_close(task.probabilities(features), expected, atol=1e-4, rtol=1e-3)
    assert task.training, "the mode is left as it was"


def test_raw_features_reach_the_network_of_the_released_code(store):
    task = small(standardise=False)
    trainer().fit(task, datamodule=recordings(store))
    features = torch.randn(3, 14, 4)
    torch.testing.assert_close(task.eval()(features), task.model(features))


def test_loss_is_smoothed_cross_entropy():
    task = small(label_smoothing=0.12).eval()
    task.log = lambda *args, **kwargs: None
    batch = {"features": torch.randn(6, 14, 4), "target": torch.tensor([0, 1, 1, 0, 1, 0])}
    chances = F.log_softmax(task(batch["features"]), dim=1)
    wanted = 0.88 * F.one_hot(batch["target"], 2) + 0.12 / 2
    expected = -(wanted * chances).sum(1).mean()
    torch.testing.assert_close(task.training_step(batch, 0), expected)


def test_predictions_come_with_their_rows(fitted, store):
    task, data, _ = fitted
    parts = trainer().predict(task, datamodule=recordings(store))
    rows = torch.cat([p["row"] for p in parts])
    probabilities = torch.cat([p["probabilities"] for p in parts])
    assert rows.tolist() == data.rows["test"].tolist()
    assert probabilities.shape == (len(rows), 2)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(len(rows)))


def test_separable_classes_are_learned(store):
    """The windows of one class are moved a standard deviation: nobody new is confused."""
    target, data = ClassTarget("arousal", 3), recordings(store, target=ClassTarget("arousal", 3))
    data.setup("fit")
    shift = data.table.features.std(0) * 3
    data.table.features[:] += data.classes[:, None, None] * shift
    task, run = small(target), trainer(30)
    run.fit(task, datamodule=data)
    run.test(task, datamodule=data, verbose=False)
    assert float(run.callback_metrics["test/accuracy_trial"]) == 1.0


def test_checkpoint_gives_the_same_probabilities_back(fitted, store):
    task, data, _ = fitted
    path = store / "out" / "last.ckpt"
    record = torch.load(path, weights_only=True)["neurogaze"]
    assert record["kind"] == "classifier"
    assert record["channels"] == list(data.channels)
    assert record["target"] == {"axis": "valence", "n_classes": 2, "rule": "above"}
    assert record["provenance"]["class_counts"] == data.provenance["class_counts"]
    assert record["provenance"]["bands"] == ["theta", "alpha", "beta", "gamma"]
    again = load_task(path, ClassifierTask)
    features = torch.from_numpy(data.table.features[:9])
    torch.testing.assert_close(again.probabilities(features), task.probabilities(features))


@pytest.mark.parametrize(("key", "value"), [("kind", "teacher"), ("target", {"axis": "arousal"})])
def test_other_checkpoints_are_refused(fitted, store, tmp_path, key, value):
    content = torch.load(store / "out" / "last.ckpt", weights_only=True)
    content["neurogaze"][key] = value
    torch.save(content, tmp_path / "x.ckpt")
    with pytest.raises(InputError, match=r"x\.ckpt: .*(teacher|arousal)"):
        load_task(tmp_path / "x.ckpt", ClassifierTask)


def test_it_is_not_tested_on_people_it_knows_nor_on_other_features(fitted, store):
    path = store / "out" / "last.ckpt"
    for run in (trainer().test, trainer().predict):
        with pytest.raises(InputError, match=r"fold 0 knows .* of test fold 1"):
            run(load_task(path, ClassifierTask), datamodule=recordings(store, fold=1))
    other = recordings(store, features=FeatureSettings(window=2.0))
    with pytest.raises(InputError, match=r"data\.features"):
        trainer().test(load_task(path, ClassifierTask), datamodule=other)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"target": ClassTarget("arousal")}, "data.target: is arousal.*the task's is valence"),
        ({"target": None}, "data.target: is None"),
        ({"features": FeatureSettings(bands="five")}, "set them to 14 and 5"),
    ],
)
def test_data_that_do_not_fit_are_refused(store, changes, match):
    with pytest.raises(InputError, match=match):
        trainer().fit(small(), datamodule=recordings(store, **changes))


@pytest.mark.parametrize("changes", [{"precision": "bf16-true"}, {"overfit_batches": 1}])
def test_trainers_that_would_change_inputs_or_batches_are_refused(store, changes):
    with pytest.raises(InputError, match=rf"trainer\.{next(iter(changes))}: is"):
        trainer(1, **changes).fit(small(), datamodule=recordings(store))


def test_a_network_of_another_number_of_classes_is_refused():
    with pytest.raises(InputError, match="set it to 5"):
        ClassifierTask(RBTransformer(14, 2), ClassTarget("valence", 5))


def test_a_training_without_a_last_epoch_is_refused(store):
    """Its cosine counts epochs: of none it would swing between both ends."""
    data = recordings(store)
    data.target = TARGET
    with pytest.raises(InputError, match=r"trainer\.max_epochs: is -1, .* counts epochs"):
        trainer(-1, max_steps=3).fit(small(), datamodule=data)
