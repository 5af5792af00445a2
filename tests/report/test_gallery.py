"""Plans of figures: one for each part, with names that are files."""

from neurogaze.report import gallery
from neurogaze.report.inputs import discover


def test_every_part_has_its_figure(run_folder):
    plans = list(gallery.plans(discover(run_folder)))
    names = [plan.name for plan in plans]
    assert len(set(names)) == len(names)
    assert set(names) == {
        "va-grid-synthetic",
        "grid-grid",
        "topomaps-grid",
        "confusion-evaluate-other-synthetic-faces-other",
        "confusion-evaluate-valid-synthetic-faces-valid",
        "reliability-evaluate-other-synthetic-faces-other",
        "reliability-evaluate-valid-synthetic-faces-valid",
        "embedding-evaluate-other",
        "embedding-evaluate-valid",
        "learning-student",
    }


def test_captions_say_perceived_expression_and_name_the_grid(run_folder):
    inputs = discover(run_folder)
    captions = {plan.section: plan.caption for plan in gallery.plans(inputs)}
    assert "perceived expression" in captions[gallery.CONFUSION]
    assert inputs.grids["grid"].sha256 in captions[gallery.GRID]


def test_nothing_planned_for_nothing(tmp_path):
    assert list(gallery.plans(discover(tmp_path))) == []
