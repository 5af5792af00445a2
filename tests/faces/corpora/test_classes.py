"""Codes, names and folders of classes mean what their authors said, whatever their order."""

from itertools import permutations
from pathlib import Path

import pytest

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.faces.corpora.affectnet_lists import AFFECTNET_CODES
from neurogaze.faces.corpora.classes import Codes, folder_labels, label_of, labels_of
from neurogaze.faces.corpora.rafdb import RAF_CODES

HERE = Path("somewhere")


@pytest.mark.parametrize(
    ("codes", "meant"),
    [
        (AFFECTNET_CODES, "neutral happiness sadness surprise fear disgust anger contempt"),
        (RAF_CODES, "surprise fear disgust happiness sadness anger neutral"),
    ],
)
def test_codes_of_the_authors(codes, meant):
    names = [codes.name(str(codes.first + i)) for i in range(len(meant.split()))]
    assert [EMOTIONS[label] for label in labels_of(HERE, names)] == meant.split()


@pytest.mark.parametrize("code", ["-1", "11", "1.5", "happy", "", "1" * 5000])
def test_a_code_without_meaning_stays_as_it_is(code):
    assert AFFECTNET_CODES.name(code) == code
    assert RAF_CODES.name("0") == "0"


@pytest.mark.parametrize("name", ["None", "none", "UNCERTAIN", "No-face", "no face", "No_Face"])
def test_classes_that_are_no_emotion(name):
    assert label_of(name) == -1


def test_unknown_names_are_all_told_once():
    with pytest.raises(InputError) as caught:
        labels_of("list.csv", ["happy", "zeal", "awe", "zeal"])
    assert "list.csv: has unknown classes 'awe', 'zeal'." in str(caught.value)


def test_the_order_of_folders_does_not_matter():
    names = ["Anger", "happy", "contempt"]
    meant = {"Anger": 4, "happy": 1, "contempt": 7}
    assert all(
        folder_labels(HERE, order, AFFECTNET_CODES) == meant for order in permutations(names)
    )
    assert folder_labels(HERE, ["10", "2", "0"], AFFECTNET_CODES) == {"10": -1, "2": 3, "0": 0}


def test_several_folders_may_be_no_emotion():
    meaning = folder_labels(HERE, ["none", "Uncertain", "sad"], Codes(("sad",)))
    assert meaning == {"none": -1, "Uncertain": -1, "sad": 3}
