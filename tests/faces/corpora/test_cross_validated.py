"""Every picture judges once; twins never lie on both sides of a fold."""

import numpy as np
import pytest

from neurogaze.errors import InputError
from neurogaze.faces.corpora.cross_validated import CrossValidated
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.faces.images import FaceTable
from neurogaze.tasks.student_record import trained_on_drawings
from tests.fixtures.faces import write_ferplus

FACES = SyntheticFaces(120, 60)


def folds(of=FACES, n=3, **more):
    return [CrossValidated(of, n_folds=n, fold=k, **more) for k in range(n)]


def test_every_picture_of_both_splits_judges_once():
    judged = np.concatenate([c.load("valid").ids for c in folds()])
    own = [f"{part}:{i}" for part in ("train", "valid") for i in FACES.load(part).ids]
    assert sorted(judged) == sorted(own)


def test_training_is_all_that_does_not_judge():
    for corpus in folds():
        train, valid = corpus.load("train"), corpus.load("valid")
        assert len(train) + len(valid) == 180
        assert not set(train.ids) & set(valid.ids)


def test_classes_are_even():
    counts = np.stack([c.load("valid").class_counts for c in folds()])
    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()


def test_twins_across_the_official_splits_stay_together():
    """The same face in both official splits is on one side of every fold."""

    class Twins(SyntheticFaces):
        def load(self, split, progress=False):
            table = super().load(split, progress)
            if split == "train":
                return table
            twin = super().load("train").take(np.arange(20))
            columns = ("images", "labels", "votes", "groups")
            both = {c: np.concatenate([getattr(t, c) for t in (table, twin)]) for c in columns}
            ids = np.concatenate([table.ids, np.char.add("twin/", twin.ids)])
            return FaceTable(ids=ids, dataset=table.dataset, split=split, rule=table.rule, **both)

    for corpus in folds(Twins(120, 60)):
        train, valid = corpus.load("train"), corpus.load("valid")
        assert not set(train.groups) & set(valid.groups)
        assert len(train) + len(valid) == 200


def test_the_deal_is_in_the_identity():
    one, other = CrossValidated(FACES, fold=0), CrossValidated(FACES, fold=1)
    assert one.identity("train") != other.identity("train")
    assert one.identity("train") != CrossValidated(FACES, fold=0, seed=1).identity("train")
    assert one.identity("train") != one.identity("valid")


def test_official_counts_of_a_corpus_on_disk(tmp_path):
    write_ferplus(tmp_path, n_train=48, n_valid=24)
    corpus = FerPlus(tmp_path)
    n = len(corpus.load("train")) + len(corpus.load("valid"))
    assert sum(len(c.load("valid")) for c in folds(corpus, 2)) == n
    assert len(folds(corpus, 2)[0].files("train")) == len(corpus.files("train")) + len(
        corpus.files("valid")
    )


def test_strictness_is_that_of_the_corpus(tmp_path):
    write_ferplus(tmp_path, n_train=48, n_valid=24)
    corpus = CrossValidated(FerPlus(tmp_path), 2)
    FerPlus(tmp_path).files("valid")[0].write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="1 pictures could not be read"):
        assert len(corpus.load("valid").skipped) == 1
    corpus.strict = True
    assert corpus.identity("train")["valid_strict"] is True
    with pytest.raises(InputError, match="not a picture"):
        corpus.load("valid")


def test_drawn_faces_in_folds_are_known_as_drawn(tmp_path):
    data = FaceDataModule(CrossValidated(FACES, 3), store=tmp_path, batch_size=16)
    data.setup("fit")
    assert trained_on_drawings(data.provenance)
    earlier = {k: v for k, v in data.provenance["train"]["identity"].items() if k != "generated"}
    assert trained_on_drawings({"train": {"identity": earlier}})
    write_ferplus(tmp_path / "fer", n_train=48, n_valid=24)
    identity = CrossValidated(FerPlus(tmp_path / "fer"), 2).identity("train")
    assert "generated" not in identity
    assert not trained_on_drawings({"train": {"identity": identity}})


def test_it_serves_a_data_module(tmp_path):
    data = FaceDataModule(CrossValidated(FACES, 3, 1), store=tmp_path, batch_size=16)
    data.setup("fit")
    assert (len(data.train), len(data.valid)) == (120, 60)
    assert data.provenance["train"]["identity"]["fold"] == 1


def test_splits_labelled_by_different_rules_are_refused(tmp_path):
    """Rule "votes" labels training by most votes and judges by majority: joined, it would judge
    pictures that no majority labelled."""
    write_ferplus(tmp_path, n_train=48, n_valid=24)
    for side in ("train", "valid"):
        with pytest.raises(InputError, match=r"rules: majority, votes.*majority for FerPlus"):
            CrossValidated(FerPlus(tmp_path, rule="votes"), 2).load(side)
    for rule in ("majority", "plurality8"):
        assert CrossValidated(FerPlus(tmp_path, rule=rule), 2).load("valid").rule == rule


@pytest.mark.parametrize(("n", "fold"), [(1, 0), (3, 3), (3, -1)])
def test_folds_that_do_not_exist_are_refused(n, fold):
    with pytest.raises(InputError, match="fold"):
        CrossValidated(FACES, n, fold)


def test_another_split_is_refused():
    with pytest.raises(InputError, match="no such split"):
        CrossValidated(FACES).load("test")
