"""Region rows as a table."""

from neurogaze.report.region_table import KINDS, region_table
from tests.report.cards import row


def test_one_line_an_expression():
    rows = [
        row("accuracy", 0.5),
        row("region_iou", 0.3, 40, arm="grad-cam"),
        row("region_chance", 0.1, 40, arm="grad-cam", low=None, high=None),
        row("region_mean_map_fear", 0.4, 7, arm="grad-cam"),
        row("region_iou", 0.2, 9, arm="occlusion"),
    ]
    table = region_table(rows)
    assert [line[3:6] for line in table.rows] == [
        ("grad-cam", "mean of expressions", "40"),
        ("grad-cam", "fear", "7"),
        ("occlusion", "mean of expressions", "9"),
    ]
    assert "counts each of them alike" in table.caption
    cells = dict(zip(table.header, table.rows[0], strict=True))
    assert cells[KINDS["iou"]] == "0.30 [0.28, 0.32]"
    assert cells["chance"] == "0.10"
    assert cells[KINDS["mean_map"]] == ""


def test_no_region_no_table():
    assert region_table([row("accuracy", 0.5), row("region_iou_else", 0.5)]) is None
