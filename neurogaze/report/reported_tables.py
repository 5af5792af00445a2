"""Published rows with ours beside them, and what differs between the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neurogaze.evaluation.results import ResultRow
from neurogaze.report.over_seeds import Mean
from neurogaze.report.published import Published
from neurogaze.report.reported import KNOWN, Match, ours
from neurogaze.report.tables import Table

TITLE = "Reported and ours"
ABSENT = "not measured"
DIGITS = 2


def reported_tables(matches: Mapping[str, Match], rows: Sequence[ResultRow]) -> list[Table]:
    """All published tables of the papers that a match is about, ours beside every number.

    Args:
        matches: our results by the name of the published row; none: no tables.
        rows: results of all stages.

    Raises:
        InputError: where a match fits results of several kinds.
    """
    papers = {_paper(row_id) for row_id in matches}
    tables: dict[tuple[str, str], list[Published]] = {}
    for row_id, row in KNOWN.items():
        if _paper(row_id) in papers:
            tables.setdefault((row.source, row.table), []).append(row)
    return [_table(published, matches, rows) for published in tables.values()]


def _paper(row_id: str) -> str:
    return row_id.partition("/")[0]


def _table(
    published: Sequence[Published], matches: Mapping[str, Match], rows: Sequence[ResultRow]
) -> Table:
    """One published table."""
    first = published[0]
    # rows that lack a number lack its column too, so the fullest row names them all
    columns = list(dict.fromkeys(score.column for row in published for score in row.scores))
    pairs = [heading for c in columns for heading in (f"{c} reported", f"{c} ours")]
    header = ("row", *pairs, "our result", "differences", "notes")
    body = tuple(_line(row, columns, matches.get(row.row_id), rows) for row in published)
    caption = (
        f"{first.source}: per cent as printed, beside ours, mean over seeds ± standard deviation "
        f"over them where there are several. Their protocol: {first.protocol}. Ours: as the column "
        "of differences says."
    )
    return Table(f"{TITLE}: {first.table}", caption, header, body)


def _line(
    row: Published, columns: Sequence[str], match: Match | None, rows: Sequence[ResultRow]
) -> tuple[str, ...]:
    """One published row."""
    found = ours(row.row_id, match, rows) if match else {}
    by_column = {score.column: score for score in row.scores}
    cells = []
    for column in columns:
        score = by_column.get(column)
        own = found.get(score.metric) if score else None
        cells.append(score.written if score else "–")
        cells.append(own.written(DIGITS, interval=False) if own else ABSENT)
    return (row.name, *cells, _said(match, found), _differences(match), row.caveat or "–")


def _said(match: Match | None, found: Mapping[str, Mean]) -> str:
    """Which result of ours it is, with its seeds and faces."""
    if match is None:
        return "–"
    name = ", ".join(filter(None, (match.arm, match.dataset, match.split, match.label_rule)))
    if not found:
        return f"no result of {name} in this run"
    one = next(iter(found.values()))
    seeds = "1 seed" if one.n_seeds == 1 else f"{one.n_seeds} seeds"
    return f"{name}; {seeds}; n {one.n:,}"


def _differences(match: Match | None) -> str:
    return match.differences if match else "–"
