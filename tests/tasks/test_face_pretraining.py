"""The warm-up learns what views share; a student starts from it, and from nothing that leaks."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback

from neurogaze import training
from neurogaze.errors import InputError
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.folds import FaceFold
from neurogaze.faces.preprocessing import FacePreprocessing
from neurogaze.faces.unlabelled import FaceSource, UnlabelledFaces
from neurogaze.faces.witnessed import seen_rows
from neurogaze.losses.objective import Objective
from neurogaze.models.student import Student
from neurogaze.pipeline.judging import load_student
from neurogaze.tasks.face_pretraining import FacePretrainingTask
from neurogaze.tasks.face_warm_start import FaceWarmStart, refuse_seen, start_from
from neurogaze.tasks.optimisation import Optimisation
from neurogaze.tasks.student import StudentTask
from tests.pipeline.tiny import EXPERIMENTS
from tests.tasks.small import small_student, trainer

CORPUS = SyntheticFaces(n_train=160, n_valid=40)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


def pictures(store, **changes) -> UnlabelledFaces:
    settings = {
        "sources": [FaceSource(CORPUS)],
        "leave_out": [FaceSource(CORPUS, "valid")],
        "batch_size": 32,
        "store": store,
    }
    return UnlabelledFaces(**settings | changes)


def labelled(store, **changes) -> FaceDataModule:
    return FaceDataModule(CORPUS, batch_size=16, store=store, **changes)


def warm_up(**changes) -> FacePretrainingTask:
    torch.manual_seed(0)
    settings = {"width": 64, "optimisation": Optimisation(lr=2e-3)}
    return FacePretrainingTask(small_student(), **settings | changes)


def saved(run, path, **changes) -> FaceWarmStart:
    run.save_checkpoint(path)
    content = torch.load(path, weights_only=False)
    del content["hyper_parameters"]  # modules, which a command line would not have put there
    torch.save(content, path)
    return pinned(path, **changes)


def pinned(path, **changes) -> FaceWarmStart:
    return FaceWarmStart(str(path), hashlib.sha256(path.read_bytes()).hexdigest(), **changes)


@pytest.fixture(scope="module")
def warmed(store):
    """A warm-up of two epochs, its trainer, and the pin of its checkpoint."""
    task, run = warm_up(), trainer(2)
    run.fit(task, datamodule=pictures(store))
    return task, run, saved(run, store / "warm.ckpt")


def nearest(task, views):
    """Share of pictures whose first view is nearer to its second than to that of any other."""
    with torch.no_grad():
        first, second = (task.expander(task(views[name])) for name in ("first", "second"))
    hits = torch.cdist(first, second).argmin(1) == torch.arange(len(first))
    return float(hits.float().mean())


def test_views_of_a_picture_come_together(store):
    """On one batch: the objective falls, and views find their pictures."""
    data, task = pictures(store, batch_size=24), warm_up()
    data.setup("fit")
    views = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    optimiser, losses = torch.optim.AdamW(task.parameters(), lr=2e-3), []
    task.log_dict = lambda *_, **__: None
    before = nearest(task, views)
    for step in range(20):
        optimiser.zero_grad()
        losses.append(task.training_step(views, step))
        losses[-1].backward()
        optimiser.step()
    assert losses[-1].item() < 0.7 * losses[0].item()
    assert nearest(task, views) > before + 0.3


def test_every_term_is_logged(warmed):
    logged = {k: float(v) for k, v in warmed[1].callback_metrics.items()}
    terms = [logged[f"train/{name}"] for name in ("invariance", "variance", "covariance")]
    assert logged["train/loss"] == pytest.approx(sum(terms), rel=1e-5)
    assert 0 < logged["train/spread"] < 1.5


def test_only_backbone_and_expander_learn(warmed):
    task, before = warmed[0], warm_up()
    for name, value in task.student.named_parameters():
        kept = torch.equal(value, dict(before.student.named_parameters())[name])
        assert kept is not name.startswith("backbone."), name
    assert not torch.equal(task.expander.layers[0].weight, before.expander.layers[0].weight)


def test_the_checkpoint_says_what_it_is(warmed, store):
    content = torch.load(warmed[2].path, weights_only=True)
    record = content["neurogaze"]
    json.dumps(record)  # plain values, which a stage can name the file by
    assert record["kind"] == "face_pretrained"
    assert record["student"] == {
        "name": "resnet10t", "stem": "imagenet", "in_chans": 1, "img_size": None,
    }  # fmt: skip
    own = record["provenance"]
    assert own["preprocessing"]["size"] == 44
    assert own["sources"][0]["used"] == own["n"] == 160
    assert len(own["sources"][0]["ids_sha256"]) == 64
    assert seen_rows(content["neurogaze_seen"], CORPUS.load("train")).all()
    assert not seen_rows(content["neurogaze_seen"], CORPUS.load("valid")).any()


def test_a_warm_up_written_before_still_loads(warmed, store, tmp_path):
    """It kept the hashes in its record."""
    content = torch.load(warmed[2].path, weights_only=True)
    content["neurogaze"]["seen"] = content.pop("neurogaze_seen")
    torch.save(content, tmp_path / "old.ckpt")
    data, student = judged(store), small_student()
    prep = data.provenance["preprocessing"]
    given = start_from(pinned(tmp_path / "old.ckpt"), student, prep, data.judged)
    assert torch.equal(given.seen, warmed[0].seen)
    again = warm_up()
    again.on_load_checkpoint(content)
    assert torch.equal(again.seen, warmed[0].seen)


def test_resumed_warm_up_goes_on_bit_for_bit(store, tmp_path):
    whole, stopped, again = warm_up(), warm_up(), warm_up()
    trainer(2).fit(whole, datamodule=pictures(store))

    class AfterOne(Callback):
        def on_train_epoch_end(self, trainer, module):
            trainer.save_checkpoint(tmp_path / "one.ckpt")
            trainer.should_stop = True

    trainer(2, callbacks=[AfterOne()]).fit(stopped, datamodule=pictures(store))
    trainer(2).fit(
        again, datamodule=pictures(store), ckpt_path=tmp_path / "one.ckpt", weights_only=False
    )
    for (name, value), other in zip(
        whole.state_dict().items(), again.state_dict().values(), strict=True
    ):
        assert torch.equal(value, other), name


def judged(store):
    data = labelled(store)
    data.setup("fit")
    return data


def test_a_warm_start_changes_exactly_the_backbone(warmed, store):
    """Weights and batch norms of the backbone are those of the warm-up, all else is its own."""
    task, _, pin = warmed
    torch.manual_seed(7)
    student, data = small_student(), judged(store)
    before = {name: value.clone() for name, value in student.state_dict().items()}
    given = start_from(pin, student, data.provenance["preprocessing"], data.judged)
    theirs = task.student.state_dict()
    for name, value in student.state_dict().items():
        expected = theirs if name.startswith("backbone.") else before
        assert torch.equal(value, expected[name]), name
    changed = [n for n, v in student.state_dict().items() if not torch.equal(v, before[n])]
    assert any("running_mean" in name for name in changed)
    assert given.record["sha256"] == pin.sha256
    assert given.record["seen"] == {"synthetic_faces/valid": 0}


def test_a_student_starts_from_the_warm_up(warmed, store):
    task, _, pin = warmed
    torch.manual_seed(7)
    own = StudentTask(small_student(), Objective(), init_from=pin, ema_decay=0.5)
    trainer(0).fit(own, datamodule=labelled(store))
    for name, value in task.student.backbone.state_dict().items():
        assert torch.equal(own.student.backbone.state_dict()[name], value), name
        assert torch.equal(own.averaged.backbone.state_dict()[name], value), name
    assert own.provenance["init_from"]["sha256"] == pin.sha256
    assert torch.equal(own.warmed_on, task.seen)


def test_pictures_that_judge_must_not_have_been_seen(store):
    """Nor their twins; where it is allowed, it is counted."""
    run = trainer(1, limit_train_batches=1)
    both = [FaceSource(CORPUS), FaceSource(CORPUS, "valid")]
    run.fit(warm_up(), datamodule=pictures(store, leave_out=[], sources=both))
    pin, data = saved(run, store / "leaky.ckpt"), judged(store)
    prep = data.provenance["preprocessing"]
    with pytest.raises(InputError, match=r"saw 40 of 40 pictures of synthetic_faces \(valid\)"):
        start_from(pin, small_student(), prep, data.judged)
    task = StudentTask(small_student(), Objective(), init_from=pin)
    with pytest.raises(InputError, match=r"init_from: saw 40 of 40"):
        trainer(1).fit(task, datamodule=labelled(store))
    name = "synthetic_faces/valid"
    given = start_from(replace(pin, allow_seen=(name,)), small_student(), prep, data.judged)
    assert (given.record["seen"], given.record["allow_seen"]) == ({name: 40}, [name])


def test_one_corpus_is_let_through_and_no_other(warmed, store):
    """Allowing the validation split of one corpus says nothing of that of another."""
    task, train = warmed[0], CORPUS.load("train")
    other = replace(train, dataset="other", split="valid")
    with pytest.raises(InputError, match=r"pictures of other \(valid\).*'other/valid' in `allow_s"):
        refuse_seen(task.seen, {"valid": other}, ("synthetic_faces/valid",))
    pin, data = replace(warmed[2], allow_seen=("valid",)), judged(store)
    with pytest.raises(InputError, match=r"allow_seen: names 'valid'.*ferplus/valid"):
        start_from(pin, small_student(), data.provenance["preprocessing"], data.judged)


def test_the_dev_slice_judges_too(warmed, store):
    pin, fold = warmed[2], FaceFold(n_folds=2)
    task = StudentTask(small_student(), Objective(), init_from=pin)
    with pytest.raises(
        InputError, match=r"saw 80 of 80 pictures of synthetic_faces \(dev\).*leave_out"
    ):
        trainer(1).fit(task, datamodule=labelled(store, held_out=fold))
    run = trainer(1, limit_train_batches=1)
    left = [FaceSource(CORPUS, "valid"), FaceSource(CORPUS, held_out=fold)]
    run.fit(warm_up(), datamodule=pictures(store, leave_out=left))
    task = StudentTask(small_student(), Objective(), init_from=saved(run, store / "dev.ckpt"))
    trainer(0).fit(task, datamodule=labelled(store, held_out=fold))
    assert task.provenance["init_from"]["seen"] == {
        "synthetic_faces/dev": 0, "synthetic_faces/valid": 0,
    }  # fmt: skip


@pytest.mark.parametrize("changes", [{"precision": "bf16-true"}, {"overfit_batches": 1}])
def test_trainers_that_would_change_inputs_or_batches_are_refused(store, changes):
    with pytest.raises(InputError, match=rf"trainer\.{next(iter(changes))}: is"):
        trainer(1, **changes).fit(warm_up(), datamodule=pictures(store))


def test_a_twin_of_a_picture_that_judges_counts(warmed):
    """The same pixels under another name, in another corpus."""
    task = warmed[0]
    train, valid = CORPUS.load("train"), CORPUS.load("valid")
    twins = replace(train.take(np.arange(2)), dataset="other", ids=np.array(["x", "y"]))
    assert refuse_seen(task.seen, {"valid": valid}) == {"synthetic_faces/valid": 0}
    with pytest.raises(InputError, match=r"saw 2 of 2 pictures of other.*\['x', 'y'\]"):
        refuse_seen(task.seen, {"valid": twins})
    assert refuse_seen(task.seen, {"valid": twins}, ("other/valid",)) == {"other/valid": 2}


@pytest.mark.parametrize(
    ("student", "match"),
    [
        (Student("resnet18", embedding_dim=8, stem="small_pool"), "holds a backbone"),
        (Student("resnet10t", embedding_dim=8, stem="imagenet", in_chans=3), "in_chans"),
        (Student("resnet14t", embedding_dim=8, stem="imagenet"), "resnet14t"),
    ],
)
def test_other_backbones_are_refused(warmed, store, student, match):
    data = judged(store)
    before = {name: value.clone() for name, value in student.state_dict().items()}
    with pytest.raises(InputError, match=match):
        start_from(warmed[2], student, data.provenance["preprocessing"], data.judged)
    assert all(torch.equal(v, before[n]) for n, v in student.state_dict().items())


def test_the_stem_tells_networks_of_equal_weights_apart(store, tmp_path):
    """`small` and `small_pool` have the same weights, and mean other things by them."""
    run = trainer(1, limit_train_batches=1)
    student = Student("resnet10t", embedding_dim=8, stem="imagenet")
    run.fit(FacePretrainingTask(student, width=16), datamodule=pictures(store))
    pin = saved(run, tmp_path / "x.ckpt")
    content = torch.load(pin.path, weights_only=True)
    content["neurogaze"]["student"]["stem"] = "small"
    torch.save(content, tmp_path / "x.ckpt")
    data = judged(store)
    with pytest.raises(InputError, match=r"holds a backbone.*small"):
        start_from(
            pinned(tmp_path / "x.ckpt"), student, data.provenance["preprocessing"], data.judged
        )


def test_other_preprocessing_is_refused(warmed, store):
    data = labelled(store, preprocessing=FacePreprocessing(size=48))
    task = StudentTask(small_student(), Objective(), init_from=warmed[2])
    with pytest.raises(InputError, match=r"holds preprocessing .*44.* has .*48"):
        trainer(1).fit(task, datamodule=data)


def test_pictures_that_the_backbone_cannot_take_are_refused(store):
    data = pictures(store, preprocessing=FacePreprocessing(channels=3))
    with pytest.raises(InputError, match="makes 3 channels of 44 pixels"):
        trainer(1).fit(warm_up(), datamodule=data)


def test_altered_and_other_files_are_refused(warmed, store, tmp_path):
    data, pin = judged(store), warmed[2]
    prep = data.provenance["preprocessing"]
    with pytest.raises(InputError, match="has hash"):
        start_from(replace(pin, sha256="0" * 64), small_student(), prep, data.judged)
    path = tmp_path / "x.ckpt"
    torch.save({"neurogaze": {"kind": "student"}, "state_dict": {}}, path)
    with pytest.raises(InputError, match=r"holds 'student'.*FacePretrainingTask"):
        start_from(pinned(path), small_student(), prep, data.judged)
    with pytest.raises(InputError, match="not a warm-up of faces"):
        warm_up().on_load_checkpoint({"neurogaze": {"kind": "student"}})


def test_a_command_line_hands_the_weights_on(store, tmp_path):
    """From the file of a warm-up to a student that remembers what it was warmed up on."""
    common = ["--trainer.max_epochs=1", "--trainer.enable_progress_bar=false"]
    common += [f"--data.store={store}", "--model.student.backbone=resnet10t"]
    common += ["--model.student.stem=imagenet", "--data.batch_size=16"]
    corpus = "{class_path: SyntheticFaces, init_args: {n_train: 64, n_valid: 40}}"
    warm = ["--model=FacePretrainingTask", "--data=UnlabelledFaces", "--model.width=16"]
    warm += [f"--data.sources=[{{corpus: {corpus}}}]"]
    warm += [f"--data.leave_out=[{{corpus: {corpus}, split: valid}}]"]
    training.fit([*warm, *common, f"--out={tmp_path / 'warm'}"])
    pin = pinned(tmp_path / "warm" / "last.ckpt")
    files = (EXPERIMENTS / "student.yaml", EXPERIMENTS / "ablations" / "ce.yaml")
    args = [word for path in files for word in ("--config", str(path))]
    args += ["--data=FaceDataModule", f"--data.corpus={corpus}"]
    args += [f"--model.init_from.path={pin.path}", f"--model.init_from.sha256={pin.sha256}"]
    run = training.fit([*args, *common, f"--out={tmp_path / 'student'}"])
    assert run.lightning_module.provenance["init_from"]["provenance"]["n"] == 64
    loaded = load_student(tmp_path / "student" / "last.ckpt")
    assert torch.equal(loaded.warmed_on, run.lightning_module.warmed_on)
    assert len(loaded.warmed_on) == 64
