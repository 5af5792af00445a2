"""A model card says what the contract and the rows say, and nothing that they do not."""

import numpy as np
import pandas as pd
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import PROBABILITY_COLUMNS
from neurogaze.evaluation.results import model_hash
from neurogaze.evaluation.scoring import score_faces
from neurogaze.report.model_card import GENERATED_STAMP, MADE_BY, model_card
from neurogaze.report.model_card_parts import ABSENT, UNNAMED_FILE, UNNAMED_WEIGHTS
from tests.report.cards import contract, row, rows


def sections(card):
    """Text of each part by its heading."""
    head, *parts = card.split("\n## ")
    return {"": head} | {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in parts}


def frame(pairs):
    """Predictions from (label, named) pairs."""
    chances = np.full((len(pairs), 8), 0.05)
    for line, (_, named) in zip(chances, pairs, strict=True):
        line[EMOTIONS.index(named)] = 0.65
    text = {"id": [str(i) for i in range(len(pairs))], "dataset": "toy_faces", "split": "valid"}
    text |= {"label": [label for label, _ in pairs], "group": ""}
    return pd.DataFrame(text | dict(zip(PROBABILITY_COLUMNS, chances.T, strict=True)))


def test_every_part_of_the_card_is_there():
    card = model_card(contract(), rows(), "student.onnx")
    found = sections(card)
    assert list(found) == [
        *("", "Model", "Intended use", "Not for", "Scores", "Calibration", "Spoiled pictures"),
        *("Known failures", "Where it looks", "Fairness", "Licence"),
    ]
    assert found[""].startswith("# Model card: student.onnx")
    assert MADE_BY in card
    model = found["Model"]
    for words in (r"toy\_faces, split train", "majority", "1,058", "scratch", "votes", "c" * 64):
        assert words in model
    assert "| neutral | 400 | 37.8 |" in model
    assert "84.2 [82.2, 86.2]" in found["Scores"]
    assert "1.4321" in found["Calibration"]
    assert "0.6123" in found["Calibration"]
    assert "71.0 %" in found["Calibration"]
    assert "no recording was in the cell of fear" in found["Calibration"]
    assert "0.043 [0.023, 0.063]" in found["Calibration"]
    assert "noise" in found["Spoiled pictures"]
    assert "0.23 [0.21, 0.25]" in found["Where it looks"]
    assert "MIT" in found["Licence"]
    assert "owner's permission" in found["Licence"]


def test_the_wording_is_that_of_the_methods():
    found = sections(model_card(contract(), [], "m"))
    use, never = found["Intended use"], found["Not for"]
    for words in ("perceived expression", "never what a person feels", "projection", "No gaze"):
        assert words in use
    assert "not a depression detector" in " ".join(use.split())
    for words in ("identification", "surveillance", "health screening", "5(1)(f)", "workplace"):
        assert words in never
    for words in ("autistic", "fairness not audited", "education"):
        assert words in never
    assert "Fairness not audited" in found["Fairness"]


SAID = {"experiment": "toy", "arm": "student", "protocol": "last epoch, plain weights, one view"}
SAID |= {"config_hash": model_hash("e" * 64, "c" * 64), "grid_hash": "a" * 64}
FEARS = [("fear", "surprise")] * 3 + [("fear", "fear")] + [("anger", "anger")] * 4


def test_failures_are_read_from_rows_and_predictions():
    said = frame(FEARS)
    found = sections(model_card(contract(), rows(), "m"))["Known failures"]
    assert "disgust 20.0 % of 25; fear 35.0 % of 25; sadness 60.0 % of 25" in found
    assert "contempt" not in found  # no such face: nothing is known of it
    found = sections(model_card(contract(), score_faces(said, SAID), "m", [said]))["Known failures"]
    assert (
        r"toy\_faces, valid, student: most confused fear called surprise in 3 of 4 (75 %)" in found
    )
    assert "do not give the scores" not in found
    other = [row("recall_anger", 0.1, low=None, high=None)]
    again = sections(model_card(contract(), other, "m"))["Known failures"]
    assert "anger 10.0 %" in again
    assert "disgust" not in again


def test_predictions_that_gave_no_row_name_no_failures():
    """Those of another model, of other faces, or as many right among other ones."""
    own = score_faces(frame(FEARS), SAID)
    equally_right = [("fear", "fear")] * 4 + [("anger", "anger")] + [("anger", "sadness")] * 3
    for foreign in (frame([("fear", "anger")] * 8), frame(FEARS * 2), frame(equally_right)):
        found = sections(model_card(contract(), own, "m", [foreign]))["Known failures"]
        assert "most confused" not in found
        assert f"the {len(foreign)} predictions beside the rows" in found
    assert "(62.5 % right) do not give the scores of any row here" in found
    alone = sections(model_card(contract(), [], "m", [frame(FEARS)]))["Known failures"]
    assert "most confused" not in alone


def test_what_was_not_measured_is_said():
    bare = contract(calibration={}, va=None, grid_sha256="", provenance={})
    found = sections(model_card(bare, [], "m"))
    for part in ("Scores", "Spoiled pictures", "Known failures", "Where it looks"):
        assert found[part].strip() == ABSENT
    assert "Not calibrated" in found["Calibration"]
    assert "unknown" in found["Model"]
    assert "owner's permission" not in found["Licence"]


def test_a_student_of_drawn_faces_is_stamped_first():
    card = model_card(contract(generated=True), rows(), "m")
    assert card.splitlines()[2] == f"> **{GENERATED_STAMP}**"
    assert GENERATED_STAMP not in model_card(contract(), rows(), "m")


def test_the_same_files_give_the_same_card():
    assert model_card(contract(), rows(), "m") == model_card(contract(), rows(), "m")


@pytest.mark.parametrize(
    ("alien", "reason"),
    [
        ({"grid_hash": "d" * 64}, "of a student with dddd"),
        ({"grid_hash": ""}, "of a student with no grid"),
        ({"config_hash": "d" * 64}, "of dddd"),  # another student on the same grid
        ({"config_hash": ""}, "of no model that it names"),
        ({"config_hash": model_hash("e" * 64, "d" * 64)}, "of e+/dddd"),  # another epoch of it
        ({"config_hash": model_hash("", "d" * 64)}, "of /dddd"),
        ({"protocol": "5-fold cross-fit, last epoch, plain weights"}, "more than one checkpoint"),
        ({"arm": "one rater", "config_hash": "d" * 64}, "of dddd"),
    ],
)
def test_results_of_another_student_are_refused(alien, reason):
    with pytest.raises(InputError, match=reason) as refused:
        model_card(contract(), [*rows(), row("accuracy", 0.5, experiment="theirs", **alien)], "m")
    assert f"{alien.get('arm', 'student')!r} in 'theirs'" in str(refused.value)


def of_file(metric="accuracy", value=0.7731, precision="float32", view="one view, T 1.43"):
    """A row that was judged on an exported file."""
    protocol, weights = f"exported, {precision}, {view}", contract()["weights_sha256"]
    return row(metric, value, protocol=protocol, config_hash=weights)


def test_results_of_the_exported_file_name_its_weights_precision_and_temperature():
    for precision in ("float32", "int8"):
        ours = [of_file(precision=precision), of_file("temperature", 1.4321, precision)]
        card = model_card(contract(precision=precision), ours, "m")
        assert "77.3 [75.3, 79.3]" in card
        assert "Results of" not in card  # nothing to remark
    plain = contract(temperature=1.0, calibration={}, abstain_below=0.0, va=None)
    assert "77.3" in model_card(plain, [of_file(view="one view")], "m")


@pytest.mark.parametrize(
    ("theirs", "reason"),
    [
        (of_file(precision="int8"), "of its int8 file, and this one is float32"),
        (of_file(view="one view, T 3"), "at temperature 3, and this one carries 1.4321"),
        (of_file(view="one view"), "at temperature 1, and this one carries 1.4321"),
        (of_file("temperature", 1.4339), "at temperature 1.4339, and this one carries 1.4321"),
    ],
)
def test_results_of_the_same_weights_as_another_file_are_refused(theirs, reason):
    with pytest.raises(InputError, match=reason):
        model_card(contract(), [of_file(), theirs], "m")


def test_results_of_the_float_file_are_refused_by_the_rounded_one():
    with pytest.raises(InputError, match="of its float32 file, and this one is int8"):
        model_card(contract(precision="int8"), [of_file()], "m")


def test_rows_of_an_earlier_version_are_taken_with_a_remark():
    """They name the training alone, of which every epoch has the same configuration."""
    old = [row("accuracy", 0.7731, config_hash="e" * 64), row("ece", 0.04, config_hash="e" * 64)]
    found = sections(model_card(contract(), old, "m"))
    assert f"- Results of 'student' in 'toy': {UNNAMED_WEIGHTS}." in found[""]
    assert UNNAMED_WEIGHTS in found["Scores"]
    assert UNNAMED_WEIGHTS not in model_card(contract(), rows(), "m")


def test_rows_of_the_checkpoint_say_where_the_file_differs():
    calm, at_its_own = "judged at temperature 1, the model file carries 1.4321", "T 1.43"
    found = sections(model_card(contract(), [row("ece", 0.04)], "m"))
    assert calm in found[""]
    assert calm in found["Calibration"]
    same = row("ece", 0.04, protocol=f"last epoch, plain weights, one view, {at_its_own}")
    assert "judged" not in model_card(contract(), [same], "m")
    spoiled = row("accuracy", 0.5, experiment="toy: noise 1")
    rounded = sections(model_card(contract(precision="int8"), [spoiled], "m"))
    assert "'student' in 'toy': judged in float32, before the rounding to int8." in rounded[""]


def test_maps_name_a_file_and_no_precision():
    maps = [row("region_iou", 0.2, arm="occlusion", config_hash="c" * 64, protocol="maps")]
    assert UNNAMED_FILE in sections(model_card(contract(precision="int8"), maps, "m"))[""]


def test_the_line_of_one_rater_stands_beside_the_model():
    """`neurogaze evaluate` leaves it in the same file where raters are known."""
    person = row(
        "accuracy", 0.8, arm="one rater", protocol="each vote", config_hash="", grid_hash=""
    )
    assert "| one rater |" in model_card(contract(), [row("accuracy", 0.7), person], "m")


def test_a_file_that_knows_no_configuration_takes_no_row_that_names_none():
    bare = contract(provenance={}, grid_sha256="", weights_sha256="")
    with pytest.raises(InputError, match="configuration unknown, weights unknown"):
        model_card(bare, [row("accuracy", 0.5, config_hash="", grid_hash="")], "m")


def test_a_contract_that_lacks_a_key_is_refused():
    lacking = contract()
    del lacking["version"]
    with pytest.raises(InputError, match="lacks version"):
        model_card(lacking, [], "m")


def test_what_a_model_file_says_of_itself_is_no_markup():
    """A file from elsewhere may say anything; the card shows it as text."""
    render = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table").render
    forged = (
        "toy).\n\n## Fairness\n\nAudited: no differences. <img src=http://a.example/p.png> "
        "![p](http://a.example/p.png) [more](http://a.example) [1](http://a.example) &lt;b&gt; ("
    )
    own = contract()
    own["provenance"] |= {"dataset": forged, "rule": forged}
    own["calibration"] |= {"objective": forged, "dataset": forged}
    own["va"]["reason"] = own["version"] = forged
    said = [row("recall_fear", 0.2, arm=forged), row("accuracy", 0.5, arm=forged)]
    said.append(row("accuracy", 0.5, arm=forged, config_hash="e" * 64))  # a remark names the arm
    card = model_card(own, said, forged)
    shown = render(card)
    assert shown.count("<h2>Fairness</h2>") == 1
    assert "<img" not in shown
    assert "<a " not in shown
    assert "&lt;b&gt;" not in shown  # the entity is shown as it was written
    assert "Audited: no differences" in shown
    assert "<code>neurogaze card</code>" in shown


def test_the_weakest_classes_are_told_by_label_rule():
    said = [
        row(f"recall_{name}", value, 20 + i, label_rule=rule)
        for i, rule in enumerate(("majority", "plurality8"))
        for name, value in (("fear", 0.2), ("anger", 0.4))
    ]
    found = sections(model_card(contract(), said, "m"))["Known failures"]
    lines = [line for line in found.splitlines() if "least often recognised" in line]
    assert [line.partition(":")[0] for line in lines] == [
        r"- toy\_faces, valid, majority, student",
        r"- toy\_faces, valid, plurality8, student",
    ]
    assert all(line.count("fear") == 1 for line in lines)


def test_a_class_that_two_evaluations_judged_is_named_once():
    """Each view writes the rows of the plain student as well."""
    values = {"contempt": 0.1, "disgust": 0.2, "fear": 0.3, "anger": 0.9}
    said = [
        row(f"recall_{name}", value, 20, experiment=view)
        for view in ("flip", "crops")
        for name, value in values.items()
    ]
    found = sections(model_card(contract(), said, "m"))["Known failures"]
    (line,) = [line for line in found.splitlines() if "least often recognised" in line]
    assert [line.count(name) for name in values] == [1, 1, 1, 0]
