"""`validate` and `test` judge a student by pictures that it did not learn from."""

from types import SimpleNamespace

import pytest
import torch

from neurogaze.errors import InputError
from neurogaze.faces.corpora.cross_validated import CrossValidated
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.folds import FaceFold
from neurogaze.faces.witnessed import seen_keys
from neurogaze.losses.objective import Objective
from neurogaze.tasks.student import StudentTask
from tests.tasks.small import small_student, trainer

FACES = SyntheticFaces(n_train=96, n_valid=40)
QUARTER = FaceFold(n_folds=4, fold=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


def data(store, corpus=FACES, **changes):
    return FaceDataModule(corpus, batch_size=16, store=store, **changes)


def fitted(given):
    torch.manual_seed(0)
    made = StudentTask(small_student(), Objective())
    trainer(limit_train_batches=1, limit_val_batches=0).fit(made, datamodule=given)
    return made


def judged(made, given, how="validate"):
    return getattr(trainer(limit_val_batches=1, limit_test_batches=1), how)(
        made, datamodule=given, verbose=False
    )


def test_a_dev_slice_judges_the_student_that_held_it_out(store):
    made = fitted(data(store, held_out=QUARTER))
    assert judged(made, data(store, held_out=QUARTER))
    with pytest.raises(InputError, match=r"checkpoint: held out .*'fold': 1.* not .*'fold': 2"):
        judged(made, data(store, held_out=FaceFold(n_folds=4, fold=2)))
    assert judged(made, data(store, held_out=FaceFold(n_folds=4, fold=2)), "test")


def test_no_slice_judges_a_student_that_was_trained_on_all(store):
    made = fitted(data(store))
    with pytest.raises(InputError, match="held out None in training"):
        judged(made, data(store, held_out=QUARTER))
    others = SyntheticFaces(n_train=96, n_valid=40)
    others.name = "others"
    assert judged(made, data(store, others, held_out=QUARTER))


def test_a_slice_judges_again_where_training_accepted_that_its_warm_up_saw_it(store):
    """`fit` and `validate` ask for one name: that of the slice, not of what it was cut from."""
    kept = data(store, held_out=QUARTER)
    made = fitted(kept)
    made.warmed_on = seen_keys([kept.dev])
    made.init_from = SimpleNamespace(allow_seen=("synthetic_faces/dev",))
    assert judged(made, data(store, held_out=QUARTER))
    made.init_from = SimpleNamespace(allow_seen=("synthetic_faces/train",))
    with pytest.raises(InputError, match=r"\(dev\).*'synthetic_faces/dev' in `allow_seen`"):
        judged(made, data(store, held_out=QUARTER))


@pytest.mark.parametrize("how", ["validate", "test"])
def test_a_fold_judges_the_student_that_was_kept_from_it(store, how):
    made = fitted(data(store, CrossValidated(FACES, 3, fold=1)))
    assert judged(made, data(store, CrossValidated(FACES, 3, fold=1)), how)
    for other in (CrossValidated(FACES, 3, fold=0), FACES):
        with pytest.raises(InputError, match=r"all of synthetic_faces_cv3 but fold 1"):
            judged(made, data(store, other), how)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"precision": "bf16-true"}, r"trainer\.precision: is bf16-true, and the inputs"),
        ({"precision": "64-true"}, r"trainer\.precision: is 64-true"),
        ({"overfit_batches": 2}, r"trainer\.overfit_batches: is 2.*limit_train_batches"),
    ],
)
def test_trainers_that_would_change_pictures_or_batches_are_refused(store, changes, said):
    with pytest.raises(InputError, match=said):
        trainer(**changes).fit(StudentTask(small_student(), Objective()), datamodule=data(store))


def test_precision_is_refused_where_nothing_is_trained_too(store):
    made = fitted(data(store))
    with pytest.raises(InputError, match=r"trainer\.precision: is bf16-true"):
        trainer(precision="bf16-true").validate(made, datamodule=data(store), verbose=False)
