"""Published rows beside ours: matched by name alone, what differs said, what is missing said."""

import json

import pytest

from neurogaze.errors import InputError
from neurogaze.report.reported import Match, ours, read_matches, write_matches
from neurogaze.report.reported_tables import reported_tables
from tests.report.test_tables import cells, changed

B0 = "neurogaze/T1/B0"
MATCH = Match("ce", "toy", "valid", "48 px, 30 epochs, dev slice")
ROWS = [
    changed(seed=s, metric=m, value=v + 0.01 * s, low=None, high=None)
    for s in (0, 1)
    for m, v in (("accuracy", 0.8), ("macro_f1_8way", 0.6))
]


def table(matches, rows, title="Reported and ours: FERPlus validation, 8-way"):
    return next(t for t in reported_tables(matches, rows) if t.title == title)


def test_ours_stand_beside_the_published_row_with_what_differs():
    found = table({B0: MATCH}, ROWS)
    assert cells(found) == {
        "row": "CE only",
        "Acc reported": "78.22",
        "Acc ours": "80.50 ± 0.71",
        "Macro-F1 reported": "51.29",
        "Macro-F1 ours": "60.50 ± 0.71",
        "bACC reported": "49.77",
        "bACC ours": "not measured",
        "our result": "ce, toy, valid; 2 seeds; n 3,199",
        "differences": "48 px, 30 epochs, dev slice",
        "notes": "–",
    }
    other = cells(found, 3)
    assert (other["Acc reported"], other["Acc ours"]) == ("83.06", "not measured")
    assert other["our result"] == "–"
    assert len(found.rows) == 5
    assert "arXiv 2509.11916" in found.caption


def test_all_tables_of_a_paper_are_shown_and_those_of_the_other_are_not():
    assert [len(t.rows) for t in reported_tables({B0: MATCH}, ROWS)] == [5, 3, 3]
    assert reported_tables({}, ROWS) == []
    leaky = {"rbtransformer/II/RBTransformer": MATCH}
    tables = reported_tables(leaky, ROWS)
    assert [len(t.rows) for t in tables] == [11, 9, 9, 2, 2, 13, 7]
    assert all("LEAKY" in t.caption for t in tables)
    assert cells(tables[1], 0)["D reported"] == "–"


def test_a_match_without_results_says_so():
    found = cells(table({B0: Match("cee", "toy", "valid", "x")}, ROWS))
    assert found["our result"] == "no result of cee, toy, valid in this run"
    assert found["Acc ours"] == "not measured"


def test_results_of_several_kinds_are_not_averaged():
    rows = [*ROWS, changed(seed=2, label_rule="votes")]
    with pytest.raises(InputError, match=r"label_rule is one of \['majority', 'votes'\]"):
        ours(B0, MATCH, rows)
    narrowed = Match("ce", "toy", "valid", "x", label_rule="majority")
    assert ours(B0, narrowed, rows)["accuracy"].n_seeds == 2
    with pytest.raises(InputError, match="several results of one seed"):
        ours(B0, MATCH, [*ROWS, changed(value=0.1)])


def test_another_metric_of_ours_can_be_named():
    rows = [changed(metric="present_averaged_macro_f1", value=0.7, low=None, high=None)]
    match = Match("ce", "toy", "valid", "x", metrics={"macro_f1_8way": "present_averaged_macro_f1"})
    assert ours(B0, match, rows)["macro_f1_8way"].value == 0.7


def test_what_was_written_is_read(tmp_path):
    write_matches(tmp_path / "reported.json", {B0: MATCH})
    assert read_matches(tmp_path / "reported.json") == {B0: MATCH}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "holds a list"),
        ({"neurogaze/T1/B9": {}}, "is no match"),
        ({"neurogaze/T1/B9": vars(MATCH)}, "is no published row"),
        ({B0: vars(MATCH) | {"differences": " "}}, "does not say what differs"),
        ({B0: vars(MATCH) | {"arm": 3}}, "arm = 3 is no text"),
        ({B0: vars(MATCH) | {"metrics": "accuracy"}}, "of the wrong kind"),
        ({B0: vars(MATCH) | {"metrics": {"nll": "nll"}}}, "has no metric"),
        ({B0: vars(MATCH) | {"seed": "1"}}, "is no match"),
        ({B0: 3}, "is no match"),
    ],
)
def test_a_mistake_is_named(tmp_path, content, words):
    path = tmp_path / "reported.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=words):
        read_matches(path)
