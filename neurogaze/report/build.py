"""A run folder to a report: one HTML page, tables in Markdown and LaTeX, figures as PNG.

Nothing in it depends on the clock: the same inputs give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.progress import track

import neurogaze
from neurogaze.artefacts import folder_written_aside, refuse_foreign, write_json, written_aside
from neurogaze.errors import InputError
from neurogaze.report import arm_tables, contrast_tables, gallery, grid_tables, html, tables
from neurogaze.report import fingerprint as made_of
from neurogaze.report.bench_tables import bench_tables, outside_benches
from neurogaze.report.inputs import ReportInputs, discover
from neurogaze.report.markup import markdown_text, to_booktabs, to_latex, to_markdown
from neurogaze.report.over_seeds import averaged, has_seeds
from neurogaze.report.reported_tables import TITLE as REPORTED
from neurogaze.report.reported_tables import reported_tables
from neurogaze.report.robustness_tables import robustness_tables
from neurogaze.report.tables import Table

__all__ = ["ReportInputs", "build_report", "discover"]

MAX_FIGURES = 24
"""Figures of one kind that the page shows; a bench of many arms has more."""

PAPER_TABLES = {
    "xval_main": arm_tables.CROSS,
    "ablation_lite": arm_tables.ABLATION,
    "contrasts": contrast_tables.TITLE,
}
"""Files in LaTeX for a paper, by how the title of their tables begins."""

WRITTEN = (
    *("figures", "results.md", "results.tex", "report.html"),
    *(f"{name}.tex" for name in PAPER_TABLES),
)
"""What a report writes over, beside what it was made of."""

MAX_VALUE = 160
"""Characters of a provenance value that are shown."""


def build_report(run: Path, out: Path) -> Path:
    """Read a run folder and write the page, its tables, its figures and what it was made of.

    These are `report.html`, `results.md`, `results.tex`, those of `xval_main.tex`,
    `ablation_lite.tex` and `contrasts.tex` that there are results for, `figures/*.png` and
    `fingerprint.json`.

    Args:
        run: folder of a run, or of several.
        out: folder of the report; may lie inside `run`.

    Returns:
        Path of the page.

    Raises:
        InputError: when the folder does not exist, or a part of it is broken, and for an `out` that
            holds the run, or files of these names that no report left.
    """
    if run.resolve().is_relative_to(out.resolve()):
        found = "is the folder of the run, or one that holds it"
        raise InputError(out, found, "name a folder inside the run, or beside it")
    refuse_foreign(out, made_of.FILE, WRITTEN)
    inputs = discover(run, skip=out)
    pictures, left_out = draw(list(gallery.plans(inputs)))
    shown = result_tables(inputs)
    records = made_of.checkpoint_records(run, inputs.stages)
    # the first file of a report, for it tells the folder of one from another
    write_json(out / made_of.FILE, made_of.fingerprint(inputs, records))
    with folder_written_aside(out / "figures") as folder:
        for picture in (p for group in pictures.values() for p in group):
            (folder / f"{picture.name}.png").write_bytes(picture.png)
    known = [table for table in shown.values() if table is not None]
    leads = [markdown_text(" ".join(sentences)) + "\n" for sentences in summaries(inputs)]
    _write(out / "results.md", "\n".join([*leads, *map(to_markdown, known)]) or "No results yet.\n")
    _write(out / "results.tex", "\n".join(map(to_latex, known)) or "% No results yet.\n")
    _write_paper_tables(out, known)
    sections = page_sections(inputs, shown, pictures, left_out)
    text = html.page(inputs.title, facts(inputs), stamps(inputs), sections)
    return _write(out / "report.html", text)


def _write(path: Path, text: str) -> Path:
    """Write text aside, then rename it."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")
    return path


def _write_paper_tables(out: Path, known: Sequence[Table]) -> None:
    """Write the tables of `PAPER_TABLES` that there are; those of an earlier report go."""
    for name, title in PAPER_TABLES.items():
        found = [table for table in known if table.title.startswith(title)]
        labels = [f"tab:{name}" + (f"_{i}" if i else "") for i in range(len(found))]
        text = "\n".join(map(to_booktabs, found, labels))
        (out / f"{name}.tex").unlink(missing_ok=True)
        if text:
            _write(out / f"{name}.tex", text)


def summaries(inputs: ReportInputs) -> list[list[str]]:
    """What was found out arm against arm: the verdict on the grid is the first sentence."""
    return [contrast_tables.summary(file) for file in inputs.contrasts.values()]


def result_tables(inputs: ReportInputs) -> dict[str, Table | None]:
    """The tables of results by section; None where nothing was run.

    A bench is shown arm by arm; its single seeds stay in the result files.
    """
    rows = averaged(inputs.rows)
    single = not has_seeds(inputs.rows)
    contrasts = contrast_tables.contrast_tables(inputs.contrasts)
    reported = reported_tables(inputs.matches, inputs.rows)
    arms = {table.title: table for table in bench_tables(inputs.rows)}
    alone = outside_benches(inputs.rows)
    return {
        **{table.title: table for table in contrasts},
        "Faces": tables.faces_table(rows) if single else arm_tables.arms_table(inputs.rows),
        arm_tables.ABLATION: arm_tables.ablation_table(inputs.rows),
        arm_tables.CROSS: arm_tables.cross_table(inputs.rows),
        "Faces, classes present": tables.present_table(rows),
        "Faces, calibration": tables.calibration_table(rows),
        "Faces, open set": tables.open_table(rows),
        "Faces, recall by class": tables.recall_table(rows),
        "Faces, precision by class": tables.precision_table(rows),
        "F1 by class": tables.class_table(rows),
        "EEG": tables.eeg_table(alone),
        "EEG, high or low": tables.decisions_table(alone),
        **arms,
        "Stability of the grid": grid_tables.sizes_table(inputs.stability),
        **{table.title: table for table in robustness_tables(inputs.robustness)},
        **{table.title: table for table in reported},
    }


def draw(
    planned: Sequence[gallery.Plan],
) -> tuple[dict[str, list[html.Picture]], dict[str, int]]:
    """Draw figures with a progress bar, at most `MAX_FIGURES` of a kind.

    Returns:
        pictures by section, and how many were left out by section.
    """
    pictures: dict[str, list[html.Picture]] = {}
    left_out: dict[str, int] = {}
    for plan in track(planned, "drawing figures", disable=not planned, transient=True):
        group = pictures.setdefault(plan.section, [])
        if len(group) >= MAX_FIGURES:
            left_out[plan.section] = left_out.get(plan.section, 0) + 1
        elif (png := plan.draw()) is not None:
            group.append(html.Picture(plan.name, plan.caption, png))
    return pictures, left_out


def data_names(inputs: ReportInputs) -> list[str]:
    """Data sets and corpora as really used, by name."""
    named = {row.dataset for row in inputs.rows}
    for frame in inputs.faces.values():
        named |= set(frame["dataset"])
    for frame in inputs.eeg.values():
        named |= set(frame["corpus"])
    for grid in inputs.grids.values():
        corpora = grid.provenance.get("corpora", [])
        named |= {str(name) for name in (corpora if isinstance(corpora, list | tuple) else [])}
    return sorted(named)


def facts(inputs: ReportInputs) -> list[str]:
    """What stands under the title: data, versions, seeds."""
    versions = sorted({row.code_version for row in inputs.rows} - {""})
    seeds = sorted({row.seed for row in inputs.rows})
    code = f"Written by neurogaze {neurogaze.__version__}"
    return [
        f"Data as really used: {', '.join(data_names(inputs)) or 'none'}.",
        f"{code}; results made by {', '.join(versions)}." if versions else f"{code}.",
        *([f"Seeds: {', '.join(map(str, seeds))}."] if seeds else []),
    ]


def stamps(inputs: ReportInputs) -> list[str]:
    """Distinct notes of the results, each with the arms it holds for."""
    arms: dict[str, list[str]] = {}
    for row in inputs.rows:
        if row.note and row.arm not in arms.setdefault(row.note, []):
            arms[row.note].append(row.arm)
    return [f"{note} ({', '.join(filter(None, names)) or 'all'})" for note, names in arms.items()]


def provenance_table(inputs: ReportInputs) -> Table | None:
    """What each grid says of its making."""
    rows = [
        (place, key, _short(value))
        for place, grid in inputs.grids.items()
        for key, value in sorted(grid.provenance.items())
    ]
    caption = "What the grid says of its making; it is part of the grid's hash."
    return Table("Provenance", caption, ("grid", "entry", "value"), tuple(rows)) if rows else None


def _short(value: object) -> str:
    """A provenance value as text of bounded length."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def grid_notes(inputs: ReportInputs) -> list[str]:
    """What may be concluded from each grid, before anything is shown of it."""
    return [
        f"{place}: {grid_tables.grid_verdict(grid, inputs.rows)} {grid_tables.facts_sentence(grid)}"
        for place, grid in inputs.grids.items()
    ]


def page_sections(
    inputs: ReportInputs,
    shown: Mapping[str, Table | None],
    pictures: Mapping[str, Sequence[html.Picture]],
    left_out: Mapping[str, int],
) -> list[html.Section]:
    """Parts of the page in order, each saying so when it was not run."""

    def part(
        title: str,
        files: str,
        found: Iterable[Table | None] = (),
        figures: str = "",
        notes: Iterable[str] = (),
        leads: Iterable[Sequence[str]] = (),
    ) -> html.Section:
        blocks = [html.lead_html(sentences) for sentences in leads]
        blocks += [html.note_html(text) for text in notes]
        blocks += [html.table_html(t, heading=t.title != title) for t in found if t is not None]
        if pictures.get(figures):
            blocks.append(html.gallery_html(pictures[figures]))
        if figures in left_out:
            blocks.append(html.note_html(f"{left_out[figures]} more figures are not shown."))
        return html.Section(title, tuple(blocks), f"Not run: this run holds no {files}.")

    grids = inputs.grids
    cells = [grid_tables.cells_table(k, g, inputs.stability.get(k)) for k, g in grids.items()]
    about = [shown["Stability of the grid"], *cells, provenance_table(inputs)]
    faces = [table for name, table in shown.items() if name.startswith(("Faces", "F1"))]
    recordings = [table for name, table in shown.items() if name.startswith("EEG")]
    spoiled = [table for name, table in shown.items() if name.startswith(gallery.ROBUSTNESS)]
    compared = [table for name, table in shown.items() if name.startswith(contrast_tables.TITLE)]
    beside = [table for name, table in shown.items() if name.startswith(REPORTED)]
    results, predictions = "results.jsonl with such results", "predictions of faces"
    arms = part(contrast_tables.TITLE, "", compared, gallery.CONTRASTS, leads=summaries(inputs))
    return [
        *([arms] if inputs.contrasts else []),
        part("Faces", results, faces),
        *(
            [part(gallery.ROBUSTNESS, results, spoiled, gallery.ROBUSTNESS)]
            if inputs.robustness
            else []
        ),
        part("EEG", results, recordings, gallery.EEG),
        part("Prototype grid", "grid.npz", about, gallery.GRID, grid_notes(inputs)),
        part("Teachers", "explained.npz", (), gallery.LOOKS),
        part("Topomaps", "topomaps.npz", (), gallery.MAPS),
        part("Confusion", predictions, (), gallery.CONFUSION),
        part("Calibration", predictions, (), gallery.CALIBRATION),
        part("Embedding", "embeddings.npz", (), gallery.EMBEDDING),
        part("Learning curves", "metrics.csv", (), gallery.CURVES),
        *([part(REPORTED, "", beside)] if beside else []),
        part("Stages", "stage.json", [tables.stages_table(inputs.stages)]),
    ]
