"""A model card says what the contract and the rows say, and nothing that they do not."""

import numpy as np
import pandas as pd
import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.evaluation.predictions import PROBABILITY_COLUMNS
from neurogaze.report.model_card import GENERATED_STAMP, MADE_BY, model_card
from neurogaze.report.model_card_parts import ABSENT
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
    for words in ("toy_faces, split train", "majority", "1,058", "scratch", "votes", "c" * 64):
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


def test_failures_are_read_from_rows_and_predictions():
    said = frame([("fear", "surprise")] * 3 + [("fear", "fear")] + [("anger", "anger")] * 4)
    found = sections(model_card(contract(), rows(), "m", [said]))["Known failures"]
    assert "disgust 20.0 % of 25; fear 35.0 % of 25; sadness 60.0 % of 25" in found
    assert "contempt" not in found  # no such face: nothing is known of it
    assert "fear called surprise in 3 of 4 (75 %)" in found
    other = [row("recall_anger", 0.1, low=None, high=None)]
    again = sections(model_card(contract(), other, "m"))["Known failures"]
    assert "anger 10.0 %" in again
    assert "disgust" not in again


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
    ],
)
def test_results_of_another_student_are_refused(alien, reason):
    with pytest.raises(InputError, match=reason) as refused:
        model_card(contract(), [*rows(), row("accuracy", 0.5, experiment="theirs", **alien)], "m")
    assert "'student' in 'theirs'" in str(refused.value)


def test_results_of_the_exported_file_name_its_weights():
    ours = row("accuracy", 0.7731, config_hash=contract()["weights_sha256"])
    assert "77.3 [75.3, 79.3]" in model_card(contract(), [ours], "m")


def test_a_file_that_knows_no_configuration_takes_no_row_that_names_none():
    bare = contract(provenance={}, grid_sha256="", weights_sha256="")
    with pytest.raises(InputError, match="configuration unknown, weights unknown"):
        model_card(bare, [row("accuracy", 0.5, config_hash="", grid_hash="")], "m")


def test_a_contract_that_lacks_a_key_is_refused():
    lacking = contract()
    del lacking["version"]
    with pytest.raises(InputError, match="lacks version"):
        model_card(lacking, [], "m")
