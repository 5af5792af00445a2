"""Members judge what they never saw; the stored logits are theirs, and nobody else's."""

from dataclasses import replace

import numpy as np
import pytest

from neurogaze.artefacts import arrays_hash, settings_hash
from neurogaze.errors import InputError
from neurogaze.evaluation.results import read_rows
from neurogaze.pipeline import ensemble
from neurogaze.pipeline.ensemble import Ensemble, load_ensemble
from neurogaze.pipeline.ensemble_logits import gathered, log_odds, together
from neurogaze.pipeline.judging import load_student, student_context
from neurogaze.pipeline.stages import Stages
from neurogaze.pipeline.views import predict
from neurogaze.tasks.pins import LogitsPin, load_logits
from tests.pipeline.tiny import EXPERIMENTS, FACES, STUDENT

FILE = EXPERIMENTS / "ensembles" / "ferplus_cpu.yaml"
DRAWN = str(EXPERIMENTS / "data" / "synthetic_faces.yaml")


def tiny_ensemble(**changes):
    settings = load_ensemble(FILE)
    quick = [arg for arg in STUDENT if "max_epochs" not in arg]
    base = replace(settings.base, data=DRAWN, args=[*quick, *FACES, "--trainer.max_epochs=1"])
    valid = replace(settings.evaluate["valid"], data=DRAWN, args=FACES, expected=None)
    return replace(settings, base=base, evaluate={"valid": valid}, expected_train=None, **changes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble")
    made = Ensemble(tiny_ensemble(members=2, folds=2), folder / "run", folder / "store")
    assert made.run().exists()
    return made


def stored(path):
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_every_training_picture_has_the_logits_of_members_that_never_saw_it(finished):
    judged = stored(finished.root / "logits" / "logits.npz")
    row = {name: i for i, name in enumerate(judged["ids"].tolist())}
    sums, seen = np.zeros((len(row), 8)), np.zeros(len(row))
    for member in finished.members:
        data = finished.data(member)
        assert not set(data.train.groups) & set(data.dev.groups)
        task = load_student(finished.root / member.name / "last.ckpt")
        assert task.provenance["train"]["n"] == len(data.train)
        rows = [row[name] for name in data.dev.ids.tolist()]
        sums[rows] += log_odds(predict(task, data.dev.images)[0])
        seen[rows] += 1
    assert (seen == 2).all()  # members a fold
    np.testing.assert_allclose(judged["logits"], sums / 2, atol=2e-3, rtol=2e-3)  # float16


def test_a_student_can_pin_them(finished):
    path = finished.root / "logits" / "logits.npz"
    arrays = stored(path)
    pin = LogitsPin(str(path), arrays_hash(arrays))
    asked = arrays["ids"][::-3]
    np.testing.assert_array_equal(
        load_logits(pin, asked, "synthetic_faces"), arrays["logits"][::-3]
    )


def test_a_second_call_skips_everything(finished, monkeypatch):
    seen, run = {}, Stages.run

    def watched(self, name, *args, **kwargs):
        seen[name] = run(self, name, *args, **kwargs)
        return seen[name]

    monkeypatch.setattr(Stages, "run", watched)
    Ensemble(finished.settings, finished.root, finished.store).run()
    assert len(seen) == 4 * 3 + 3
    assert all(record.skipped for record in seen.values())


def test_members_and_ensemble_are_scored_alike(finished):
    names = [f"{member.name}-valid" for member in finished.members]
    parts = [stored(finished.root / name / "logits.npz")["logits"] for name in names]
    rows = read_rows(finished.root / "ensemble-valid" / "results.jsonl")
    value = {row.metric: row.value for row in rows if row.split == "valid"}["accuracy"]
    data = finished.data(finished.members[0])
    assert len(parts[0]) == len(data.valid) == 40  # the size asked for, not that of the file
    expected = (together(parts).argmax(axis=1) == data.valid.labels).mean()
    assert value == pytest.approx(expected)
    assert all("meaningless on people" in row.note for row in rows)
    arms = {read_rows(finished.root / name / "results.jsonl")[0].arm for name in names}
    assert arms == {"member 0", "member 1", "member 2", "member 3"}


def test_log_odds_are_centred_and_keep_the_probabilities():
    chances = np.random.default_rng(0).dirichlet(np.ones(8), size=50)
    logits = log_odds(chances)
    np.testing.assert_allclose(logits.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(together([logits]), chances)


def test_unequal_opinions_are_refused(tmp_path):
    for name, ids in {"a": ["x", "y"], "b": ["x"]}.items():
        arrays = {"ids": np.array(ids), "logits": np.zeros((len(ids), 8))}
        np.savez(tmp_path / f"{name}.npz", **arrays)
    with pytest.raises(InputError, match="1 opinions of one picture and 2 of another"):
        gathered([tmp_path / "a.npz", tmp_path / "b.npz"])


def test_a_training_set_of_another_size_is_refused(tmp_path):
    settings = replace(tiny_ensemble(), expected_train=28_559)
    with pytest.raises(InputError, match="not 28559"):
        Ensemble(settings, tmp_path / "run", tmp_path / "store").run()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"expected": 39}, "has 40 images .* not 39"),
        ({"split": "vald"}, "vald"),
    ],
)
def test_an_evaluation_that_cannot_be_trains_no_member(tmp_path, changes, said):
    settings = tiny_ensemble()
    evaluate = {"valid": replace(settings.evaluate["valid"], **changes)}
    made = Ensemble(replace(settings, evaluate=evaluate), tmp_path / "run", tmp_path / "store")
    with pytest.raises(InputError, match=said):
        made.run()
    assert not made.stages.records


def test_rows_are_of_the_weights_that_were_judged(finished):
    hashes = []
    for member in finished.members:
        (row, *_) = read_rows(finished.root / f"{member.name}-valid" / "results.jsonl")
        task = load_student(finished.root / member.name / "last.ckpt")
        own = student_context(task, finished.pictures(finished.settings.evaluate["valid"]))
        assert (row.config_hash, row.seed) == (own["config_hash"], member.seed)
        assert "cross-fit" not in row.protocol, "of a picture that none of them saw"
        hashes.append(row.config_hash)
    assert len(set(hashes)) == 4
    for stage in ("logits", "ensemble-valid"):
        (row, *_) = read_rows(finished.root / stage / "results.jsonl")
        assert row.config_hash == settings_hash(hashes)
        assert row.protocol.startswith("2-fold cross-fit, ")


@pytest.mark.parametrize("changes", [{"folds": 1}, {"members": 0}])
def test_an_ensemble_of_nobody_is_refused(changes):
    with pytest.raises(InputError, match="ask for two folds or more"):
        replace(load_ensemble(FILE), **changes)


@pytest.mark.parametrize(
    "changes", [{"seed": -1}, {"seed": 2**32}, {"seed": 2**32 - 2, "members": 3}]
)
def test_a_seed_that_no_generator_takes_is_refused(changes):
    with pytest.raises(InputError, match=r"seed: .* is no seed"):
        replace(load_ensemble(FILE), **changes)


def test_the_last_seed_is_that_of_the_last_member(tmp_path):
    settings = replace(load_ensemble(FILE), seed=2**32 - 2, members=2)
    assert {m.seed for m in ensemble.members_of(settings, tmp_path)} == {2**32 - 2, 2**32 - 1}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("held-out", "evaluate: has a data set 'held-out'"),
        ("a/../../../esc", "makes no folder"),
        ("..\\esc", "makes no folder"),
        ("", "makes no folder"),
        ("two words", "makes no folder"),
        ("line\n", "makes no folder"),
    ],
)
def test_a_data_set_must_make_a_folder_of_its_own(name, said):
    """Its judgements lie beside the logits that members have of the fold they never saw."""
    settings = load_ensemble(FILE)
    part = settings.evaluate["valid"]
    with pytest.raises(InputError, match=said):
        replace(settings, evaluate={name: part})
    assert "flip-2.b" in replace(settings, evaluate={"flip-2.b": part}).evaluate


def test_the_file_in_the_repository_is_cross_fitted(tmp_path):
    settings = load_ensemble(FILE)
    members = ensemble.members_of(settings, tmp_path)
    assert {member.fold for member in members} == set(range(settings.folds))
    assert settings.folds >= 3
