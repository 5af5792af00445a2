"""Which pictures a student in folds may be judged by: the fold it was kept from, and no other."""

from types import SimpleNamespace

import pytest

from neurogaze.errors import InputError
from neurogaze.faces.corpora.cross_validated import CrossValidated
from neurogaze.faces.corpora.ferplus import FerPlus
from neurogaze.faces.corpora.manifest import Manifest
from neurogaze.faces.corpora.synthetic import SyntheticFaces
from neurogaze.faces.datamodule import FaceDataModule
from neurogaze.pipeline.judging_exported import pictures_for
from neurogaze.pipeline.trained_on import training_table
from tests.fixtures.faces import write_ferplus
from tests.fixtures.manifest import write_manifest

FACES = SyntheticFaces(80, 40)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


def in_folds(fold=0, of=FACES, n=5):
    return CrossValidated(of, n, fold)


def record(corpus, store):
    """What a student says of the data that it was trained on."""
    data = FaceDataModule(corpus, batch_size=8, store=store)
    data.setup("fit")
    return data.provenance


def asked(corpus, store):
    return FaceDataModule(corpus, batch_size=8, store=store)


@pytest.mark.parametrize(
    ("trained", "judged", "said"),
    [
        (in_folds(3), FACES, r"all of synthetic_faces_cv5 but fold 3.*whose corpus has the fold 3"),
        (in_folds(3), in_folds(0), r"but fold 3"),
        (in_folds(0), in_folds(0, n=4), r"all of synthetic_faces_cv5 but fold 0"),
        (FACES, in_folds(2), r"its official training split.*judge it by official splits"),
    ],
)
def test_pictures_that_were_dealt_otherwise_are_refused(store, trained, judged, said):
    known, data = record(trained, store), asked(judged, store)
    with pytest.raises(InputError, match=said):
        training_table(known, data, "valid")
    with pytest.raises(InputError, match=said):  # a file exported from it has the same record
        pictures_for(SimpleNamespace(provenance=known), data, "valid")


def test_test_pictures_are_in_no_fold(store, tmp_path):
    """They judge every student, also where no others are at hand."""
    votes = write_ferplus(tmp_path / "all", 64, 40).votes
    known = record(in_folds(3, FerPlus(tmp_path / "all", votes)), store)
    alone = asked(FerPlus(tmp_path / "nowhere", votes), store)
    assert training_table(known, alone, "test") is None
    official = asked(FerPlus(tmp_path / "all", votes), store)
    assert training_table(known, official, "test") is None
    for split in ("valid", "train"):
        with pytest.raises(InputError, match="ferplus_cv5 but fold 3"):
            training_table(known, official, split)


def test_the_fold_that_a_student_was_kept_from_judges_it(store):
    known = record(in_folds(3), store)
    table = training_table(known, asked(in_folds(3), store), "valid")
    assert table.sha256 == known["train"]["sha256"]
    assert known["train"]["identity"]["fold"] == 3


def test_strictness_is_that_of_the_training_and_the_corpus_asked_stays_as_it_is(store, tmp_path):
    votes = write_ferplus(tmp_path, 64, 40).votes
    known = record(in_folds(1, FerPlus(tmp_path, votes)), store)
    strict = in_folds(1, FerPlus(tmp_path, votes, strict=True))
    assert training_table(known, asked(strict, store), "valid").sha256 == known["train"]["sha256"]
    assert strict.strict
    assert strict.of.strict


def test_another_rule_deals_otherwise(store, tmp_path):
    votes = write_ferplus(tmp_path, 64, 40).votes
    known = record(in_folds(1, FerPlus(tmp_path, votes)), store)
    other = in_folds(1, FerPlus(tmp_path, votes, rule="plurality8"))
    with pytest.raises(InputError, match="ferplus_cv5 but fold 1"):
        training_table(known, asked(other, store), "valid")


def test_the_fold_judges_where_the_record_is_of_an_earlier_reader(store):
    """Nobody can say that the whole corpus is the same; that the fold is, its pictures say."""
    known = record(in_folds(1), store)
    train = known["train"]
    earlier = known | {"train": train | {"identity": train["identity"] | {"reader": 0}}}
    assert training_table(earlier, asked(in_folds(1), store), "valid") is None
    with pytest.raises(InputError, match="but fold 1"):
        training_table(earlier, asked(in_folds(2), store), "valid")


def test_another_corpus_judges_a_student_in_folds(store, tmp_path):
    other = Manifest(write_manifest(tmp_path), corpus_name="others")
    assert training_table(record(in_folds(3), store), asked(other, store), "valid") is None


def test_official_splits_judge_as_they_did(store):
    known = record(FACES, store)
    assert training_table(known, asked(FACES, store), "valid").sha256 == known["train"]["sha256"]
