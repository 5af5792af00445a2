"""Pipeline files: paths found from the file, typos found before anything runs."""

from pathlib import Path

import pytest

from neurogaze.errors import InputError
from neurogaze.pipeline.arms import Arm, load_arm
from neurogaze.pipeline.bench_settings import BenchSettings
from neurogaze.pipeline.control_settings import ControlSettings
from neurogaze.pipeline.eeg_settings import EegBenchSettings
from neurogaze.pipeline.ensemble import EnsembleSettings
from neurogaze.pipeline.grid_set_settings import GridSetSettings
from neurogaze.pipeline.settings import (
    EvaluationSettings,
    FitSettings,
    PipelineSettings,
    load_pipeline,
    read_settings,
    top_keys,
)
from neurogaze.pipeline.views import View
from neurogaze.tasks.pins import LogitsPin

GOOD = """
name: x
title: X
teacher: {config: [../teacher.yaml], data: eeg.yaml}
student: {config: [a.yaml, b.yaml], data: faces.yaml, args: [--trainer.max_epochs=3]}
evaluate: {valid: {data: faces.yaml, expected: 3199}}
support: [more.yaml]
consolidate: {mode: faithful, size: 7}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "pipelines").mkdir()
    path = folder / "pipelines" / "x.yaml"
    path.write_text(text)
    return path


def test_paths_are_relative_to_the_file(tmp_path):
    settings = load_pipeline(written(tmp_path, GOOD))
    here = tmp_path / "pipelines"
    assert settings.teacher.config == [(here / ".." / "teacher.yaml").as_posix()]
    assert settings.teacher.data == (here / "eeg.yaml").as_posix()
    assert settings.support == [(here / "more.yaml").as_posix()]
    assert settings.evaluate["valid"].data == (here / "faces.yaml").as_posix()
    assert settings.evaluate["valid"].expected == 3199
    assert settings.consolidate.mode == "faithful"
    assert settings.consolidate.size == 7
    assert settings.consolidate.center is True
    assert settings.permutations == 200


ARMS = """
arms: {B0: [ce.yaml], B1: [ce.yaml, ../kd.yaml], whole: []}
keep: best
face_teacher: ../ensembles/x.yaml
"""


def test_arms_and_a_face_teacher(tmp_path):
    settings = load_pipeline(written(tmp_path, GOOD + ARMS))
    here = tmp_path / "pipelines"
    assert list(settings.arms) == ["B0", "B1", "whole"]
    assert settings.arms["B1"] == [(here / n).as_posix() for n in ("ce.yaml", "../kd.yaml")]
    assert settings.arms["whole"] == []
    assert settings.keep == "best"
    assert settings.face_teacher == (here / "../ensembles/x.yaml").as_posix()


def test_stored_logits_are_found_from_the_file(tmp_path):
    text = GOOD + "face_teacher: {path: ../logits.npz, sha256: abc}\n"
    settings = load_pipeline(written(tmp_path, text))
    path = (tmp_path / "pipelines" / "../logits.npz").as_posix()
    assert settings.face_teacher == LogitsPin(path, "abc")


def test_without_them_there_is_one_student_judged_at_its_last_epoch(tmp_path):
    settings = load_pipeline(written(tmp_path, GOOD))
    assert settings.arms == {}
    assert settings.keep == "last"
    assert settings.face_teacher is None


def test_changes_from_the_command_line(tmp_path):
    changes = [
        *("student.args=[--trainer.max_epochs=1]", "consolidate.size=3", "seed=4"),
        *("evaluate.other={data: other.yaml}", "evaluate.valid=null", "support=null"),
    ]
    settings = load_pipeline(written(tmp_path, GOOD), changes)
    assert settings.student.args == ["--trainer.max_epochs=1"]
    assert (settings.consolidate.mode, settings.consolidate.size) == ("faithful", 3)
    assert settings.seed == 4
    assert list(settings.evaluate) == ["other"]
    assert settings.evaluate["other"].data == (tmp_path / "pipelines" / "other.yaml").as_posix()
    assert settings.support == []


@pytest.mark.parametrize(
    ("change", "word"),
    [("permutation=3", "permutation"), ("seed=x", "seed"), ("title", "no key=value")],
)
def test_a_bad_change_is_named(tmp_path, change, word):
    with pytest.raises(InputError, match=word):
        load_pipeline(written(tmp_path, GOOD), [change])


def test_later_configurations_come_later():
    fit = FitSettings(["a.yaml", "b.yaml"], "d.yaml", ["--x=1"])
    assert fit.arguments() == [
        *("--config", "a.yaml", "--config", "b.yaml", "--data", "d.yaml", "--x=1")
    ]


def test_relative_to_changes_nothing_else():
    fit = FitSettings(["a.yaml"], "d.yaml", ["--x=1"]).relative_to(Path("f"))
    assert fit == FitSettings(["f/a.yaml"], "f/d.yaml", ["--x=1"])
    part = EvaluationSettings("d.yaml", "test", ["--y=2"], 5).relative_to(Path("f"))
    assert part == EvaluationSettings("f/d.yaml", "test", ["--y=2"], 5)


def test_an_evaluation_names_its_view():
    assert EvaluationSettings("d.yaml").view() == View()
    part = EvaluationSettings("d.yaml", undo_weights=True, crops="ten", prior=0.5)
    assert part.view() == View(undo_weights=True, crops="ten", prior=0.5)
    assert EvaluationSettings("d.yaml", flip=True).view() == View(flip=True)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("title: X", "titel: X", "titel"),
        ("name: x\n", "", "name"),
        ("size: 7", "size: seven", "size"),
        ("mode: faithful", "mode: loyal", "loyal"),
        ("size: 7}", "size: 7", "x.yaml"),
        ("support: [more.yaml]", "support: {a: 1}", "support"),
        ("expected: 3199", "expects: 3199", "expects"),
        ("title: X", "title: X\nkeep: first", "keep"),
        ("title: X", "title: X\narms: [a.yaml]", "arms"),
        ("title: X", "title: X\narms: {a: a.yaml}", "arms"),
        ("title: X", "title: X\nface_teacher: {path: x.npz}", "face_teacher"),
    ],
)
def test_a_mistake_is_named(tmp_path, old, new, word):
    assert old in GOOD
    with pytest.raises(InputError, match=r"x\.yaml") as caught:
        load_pipeline(written(tmp_path, GOOD.replace(old, new)))
    assert word in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["kd-proto", "a/b", "", "two words"])
def test_an_arm_must_make_a_folder(tmp_path, name):
    text = GOOD + f"arms: {{{name!r}: []}}\n"
    with pytest.raises(InputError, match="makes no folder"):
        load_pipeline(written(tmp_path, text))


@pytest.mark.parametrize("name", ["a/b", "..\\esc", "", "two words"])
def test_a_data_set_must_make_a_folder(tmp_path, name):
    text = GOOD.replace("{valid:", f"{{{name!r}:")
    assert text != GOOD
    with pytest.raises(InputError, match=r"evaluate: .* makes no folder"):
        load_pipeline(written(tmp_path, text))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_no_generator_takes_is_refused(tmp_path, seed):
    with pytest.raises(InputError, match=f"seed: {seed} is no seed"):
        load_pipeline(written(tmp_path, GOOD), [f"seed={seed}"])


@pytest.mark.parametrize("change", ["prior=-1", "prior=.nan", "flip=true, crops=ten"])
def test_a_view_that_there_is_not_is_refused_before_any_training(tmp_path, change):
    view = change.replace("=", ": ")
    text = GOOD.replace("expected: 3199", f"expected: 3199, {view}")
    with pytest.raises(InputError, match=r"x\.yaml: .*|prior: is|flip: is set"):
        load_pipeline(written(tmp_path, text))


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b\n"])
def test_a_file_that_holds_no_settings(tmp_path, text):
    with pytest.raises(InputError, match=r"x\.yaml"):
        load_pipeline(written(tmp_path, text))


@pytest.mark.parametrize("count", [0, -3])
def test_a_band_of_no_permutation_is_refused(tmp_path, count):
    with pytest.raises(InputError, match=f"permutations: is {count}"):
        load_pipeline(written(tmp_path, GOOD), [f"permutations={count}"])


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "- a\n- b\n", "[]", "3", "words"])
def test_an_arm_that_says_nothing_is_named(tmp_path, text):
    """No key of an arm is required, so that {} alone is an arm like the base."""
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(InputError, match=r"odd\.yaml: does not hold Arm"):
        load_arm(tmp_path, "odd")
    (tmp_path / "odd.yaml").write_text("{}")
    assert load_arm(tmp_path, "odd") == Arm()


def test_a_data_set_is_not_called_as_the_training_pictures(tmp_path):
    """Both would leave their pictures in one folder, and each run would undo the other's."""
    change = "evaluate.train={data: d.yaml}"
    with pytest.raises(InputError, match=r"evaluate: has a data set 'train'"):
        load_pipeline(written(tmp_path, GOOD), [change])


def test_a_key_met_twice_is_refused_with_both_lines(tmp_path):
    """GOOD begins with an empty line, so that the name stands in line 2."""
    path = written(tmp_path, GOOD + "name: y\n")
    lines = GOOD.count("\n") + 1
    for read in (load_pipeline, top_keys):
        with pytest.raises(InputError, match=rf"x\.yaml: .*'name' twice, in lines 2 and {lines}\."):
            read(path)


def test_a_key_met_twice_deeper_down_is_refused(tmp_path):
    text = GOOD.replace("size: 7}", "size: 7, size: 3}")
    with pytest.raises(InputError, match=r"x\.yaml: has the key 'size' twice, in lines 8 and 8"):
        load_pipeline(written(tmp_path, text))


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        *((PipelineSettings, key) for key in ("arms", "show", "consolidate", "permutations")),
        *((EegBenchSettings, key) for key in ("teachers", "baselines", "seeds", "seed_args")),
        *((BenchSettings, key) for key in ("arms", "evaluate", "secondary", "folds")),
        *((GridSetSettings, key) for key in ("seeds", "sizes", "consolidate", "teacher")),
        *((EnsembleSettings, key) for key in ("folds", "members", "evaluate", "seed")),
        *((ControlSettings, key) for key in ("worlds", "arms", "seeds", "sensitive")),
        (Arm, "config"),
    ],
)
def test_a_key_left_empty_is_named(tmp_path, kind, key):
    with pytest.raises(InputError, match=rf"x\.yaml: {key} is empty\. Remedy: give it a value or"):
        read_settings(written(tmp_path, f"{key}:\n"), kind)


def test_a_key_left_empty_deeper_down_is_named(tmp_path):
    text = GOOD.replace("size: 7", "size: ")
    with pytest.raises(InputError, match=r"x\.yaml: consolidate\.size is empty"):
        load_pipeline(written(tmp_path, text))


def test_a_key_whose_type_takes_nothing_may_be_empty(tmp_path):
    text = GOOD.replace("expected: 3199", "expected: ") + "face_teacher:\nexpected_train: null\n"
    settings = load_pipeline(written(tmp_path, text))
    assert settings.face_teacher is settings.expected_train is None
    assert settings.evaluate["valid"].expected is None


def test_what_a_class_cannot_take_is_told_with_the_file(tmp_path):
    """YAML reads the name as a number, which no pattern of names fits."""
    with pytest.raises(InputError, match=r"x\.yaml: does not hold PipelineSettings \(.*int"):
        load_pipeline(written(tmp_path, GOOD + "arms: {1: [a.yaml]}\n"))
