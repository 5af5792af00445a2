"""Nobody is embedded by a teacher that learned from them or stopped on them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from neurogaze.eeg.splits import SplitSettings, make_split
from neurogaze.errors import InputError
from neurogaze.pipeline.embedding import (
    embed_held_out,
    held_out_fold,
    load_fold,
    load_teacher,
    match_moments,
    training_means,
    units,
)
from tests.eeg.toy import make_table
from tests.pipeline.fakes import fake_folds


def known(split, number):
    fold = split.folds[number]
    return {*fold.train, *fold.stop}


@pytest.mark.parametrize("protocol", ["loso", "trial"])
def test_labelled_people_go_to_the_fold_that_held_them_out(protocol):
    table = make_table()
    split, folds = fake_folds(table, protocol)
    chosen = held_out_fold(table, split, folds, same_people=True)
    assert set(chosen.tolist()) == {0, 1, 2}
    for unit, number in zip(units(table, split).tolist(), chosen.tolist(), strict=True):
        assert unit in split.folds[number].test
        assert unit not in known(split, number)


def test_the_same_people_in_another_corpus_are_held_out_too():
    """As DASPS and its raw recordings: other trials, the same names."""
    table = make_table()
    split, folds = fake_folds(table)
    support = replace(make_table(seed=5, n_clips=3), corpus="toy_raw")
    embedded, rows = embed_held_out(support, split, folds, "toy", same_people=True)
    assert len(rows) == support.n_rows
    np.testing.assert_array_equal(embedded.embedding[:, 0], embedded.fold)
    for row, number in zip(rows.tolist(), embedded.fold.tolist(), strict=True):
        assert str(support.subject[row]) not in known(split, number)


def test_whom_no_teacher_held_out_is_left_out():
    table = make_table()
    split, folds = fake_folds(table)
    stranger = replace(table, subject=np.where(table.subject == "S00", "S99", table.subject))
    embedded, rows = embed_held_out(stranger, split, folds, "toy")
    assert set(stranger.subject.tolist()) - set(stranger.subject[rows].tolist()) == {"S99"}
    _, rows = embed_held_out(table, split, folds[1:], "toy")
    assert set(table.subject[rows].tolist()) == {*folds[1].test_units, *folds[2].test_units}
    assert "toy/S99" not in embedded.subject


def test_strangers_are_dealt_to_the_folds_whole():
    table = make_table()
    split, folds = fake_folds(table)
    support = replace(make_table(n_subjects=7, seed=3), corpus="others")
    embedded, rows = embed_held_out(support, split, folds, "others", same_people=False)
    assert len(rows) == support.n_rows
    of = {}
    for name, number in zip(embedded.subject.tolist(), embedded.fold.tolist(), strict=True):
        of.setdefault(name, set()).add(number)
    assert all(len(numbers) == 1 for numbers in of.values())
    assert sorted(np.bincount([n for (n,) in of.values()]).tolist()) == [2, 2, 3]
    assert set(of) == {f"others/S{i:02d}" for i in range(7)}


def test_columns_of_embedded_rows():
    table = make_table()
    split, folds = fake_folds(table)
    embedded, rows = embed_held_out(table, split, folds, "people")
    np.testing.assert_array_equal(embedded.rated[:, 0], table.valence[rows])
    np.testing.assert_array_equal(embedded.rated[:, 1], table.arousal[rows])
    assert set(embedded.corpus.tolist()) == {"toy"}
    teacher = folds[0].task.teacher
    flat = table.features[rows].reshape(len(rows), -1) @ teacher.mix.numpy()
    np.testing.assert_allclose(embedded.embedding[:, 1:], flat, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(embedded.va, np.tanh(flat[:, :2]), rtol=1e-4, atol=1e-5)


def test_nobody_at_all_is_an_error():
    table = make_table()
    split, folds = fake_folds(table)
    other = replace(table, subject=np.char.add("X", table.subject))
    with pytest.raises(InputError, match=r"toy: holds nobody.*loso"):
        embed_held_out(other, split, folds, "toy")


def test_moments_in_closed_form():
    rng = np.random.default_rng(0)
    features = (rng.standard_normal((500, 4, 2)) * 3 + 7).astype(np.float32)
    mean = rng.standard_normal((4, 2)).astype(np.float32)
    std = rng.uniform(0.5, 2, (4, 2)).astype(np.float32)
    matched = match_moments(features, mean, std)
    assert matched.dtype == np.float32
    z = (features - features.mean(0)) / features.std(0)
    np.testing.assert_allclose(matched, z * std + mean, atol=1e-4)
    np.testing.assert_allclose(matched.mean(0), mean, atol=1e-4)
    np.testing.assert_allclose(matched.std(0), std, atol=1e-4)


def test_a_support_corpus_is_matched_to_each_fold():
    table = make_table()
    split, folds = fake_folds(table)
    far = replace(make_table(seed=3), features=make_table(seed=3).features * 10 + 100)
    embed_held_out(far, split, folds, "far", same_people=False, matched=True)
    teacher = folds[0].task.teacher
    (seen,) = teacher.seen
    mine = held_out_fold(far, split, folds, same_people=False) == 0
    whole = match_moments(far.features, teacher.feature_mean.numpy(), teacher.feature_std.numpy())
    np.testing.assert_array_equal(seen, whole[mine])


def test_training_means_are_of_training_rows():
    table = make_table()
    split, folds = fake_folds(table)
    means = training_means(table, split, folds[:2])
    assert means.shape == (3, 6)
    for number in (0, 1):
        rows = np.isin(table.subject, split.folds[number].train)
        flat = table.features[rows].reshape(rows.sum(), -1)
        expected = (flat @ folds[number].task.teacher.mix.numpy()).mean(0)
        np.testing.assert_allclose(means[number, 1:], expected, rtol=1e-3, atol=1e-4)
        assert means[number, 0] == number
    np.testing.assert_array_equal(means[2], 0)


def test_a_teacher_of_another_split_or_features_is_refused(tiny_run):
    path = tiny_run.run / "teacher-1" / "best.ckpt"
    record = load_teacher(path).provenance
    split = SimpleNamespace(sha256=record["split_sha256"])
    fold = load_fold(path, split, record["settings_hash"])
    assert fold.fold == 1
    assert fold.test_units == set(record["test_units"])
    assert not fold.task.training
    other = make_split(make_table(), SplitSettings(n_folds=2))
    with pytest.raises(InputError, match=rf"best\.ckpt: was trained .*{other.sha256[:12]}"):
        load_fold(path, other, record["settings_hash"])
    with pytest.raises(InputError, match=r"best\.ckpt: was trained on features .*not aaaaaaaaaaaa"):
        load_fold(path, split, "a" * 64)


def test_what_is_no_teacher_is_refused(tiny_run, tmp_path):
    (tmp_path / "junk.ckpt").write_bytes(b"junk")
    for path in (tmp_path / "junk.ckpt", tmp_path / "none.ckpt"):
        with pytest.raises(InputError, match=path.name):
            load_teacher(path)
    with pytest.raises(InputError, match=r"last\.ckpt"):
        load_teacher(tiny_run.run / "student" / "last.ckpt")


def test_nobody_is_embedded_by_weights_that_were_warmed_up_on_them():
    """Support people are dealt to the folds; the warm-up of a fold may have met some of them."""
    table = make_table()
    split, folds = fake_folds(table)
    support = replace(table, subject=np.char.add("M", table.subject), corpus="mahnob")
    chosen = held_out_fold(support, split, folds, same_people=False, people="m")
    met = np.unique(support.subject[chosen == 0])[0]
    folds[0].task.provenance["init_from"] = {
        "people": "m", "train_units": [str(met)], "stop_units": [],
    }  # fmt: skip
    after = held_out_fold(support, split, folds, same_people=False, people="m")
    assert (after[support.subject == met] == -1).all()
    np.testing.assert_array_equal(after[support.subject != met], chosen[support.subject != met])
    elsewhere = held_out_fold(support, split, folds, same_people=False, people="other")
    np.testing.assert_array_equal(elsewhere, chosen)
