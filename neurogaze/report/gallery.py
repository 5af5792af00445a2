"""Which figures a report has: each a name, a caption and a function that draws it when asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import pandas as pd

from neurogaze.evaluation.predictions import (
    PREDICTED_COLUMNS,
    TRUTH_COLUMNS,
    face_arrays,
    va_arrays,
)
from neurogaze.report.contrast_tables import drawn
from neurogaze.report.figures_attention import attention_figure
from neurogaze.report.figures_bench import arm_lines, conditions_figure
from neurogaze.report.figures_contrasts import forest_figure, groups
from neurogaze.report.figures_eeg import topomap_figure, va_figure
from neurogaze.report.figures_explained import cell_maps_figure, saliency_figure
from neurogaze.report.figures_faces import (
    confusion_figure,
    embedding_figure,
    reliability_figure,
    risk_coverage_figure,
)
from neurogaze.report.figures_grid import atlas_figure, grid_figure
from neurogaze.report.figures_robustness import robustness_figure
from neurogaze.report.figures_training import learning_figure
from neurogaze.report.grid_inputs import Explained
from neurogaze.report.inputs import ReportInputs
from neurogaze.report.robustness_tables import by_student

GRID, EEG, MAPS, LOOKS, CURVES, CONFUSION, CALIBRATION, EMBEDDING, ROBUSTNESS, CONTRASTS = (
    "Prototype grid",
    "EEG",
    "Topomaps",
    "Teachers",
    "Learning curves",
    "Confusion",
    "Calibration",
    "Embedding",
    "Robustness",
    "Contrasts",
)


@dataclass(frozen=True)
class Plan:
    """A figure not yet drawn.

    Args:
        section: part of the report it belongs to.
        name: file name without suffix.
        caption: one sentence.
        draw: returns PNG bytes, or None when there is nothing to draw.
    """

    section: str
    name: str
    caption: str
    draw: Callable[[], bytes | None]


def slug(*parts: str) -> str:
    """A file name from names.

    >>> slug("confusion", "a/b", "FER+ valid")
    'confusion-a-b-fer-valid'
    """
    return "-".join(filter(None, (re.sub(r"[^a-z0-9]+", "-", p.lower()).strip("-") for p in parts)))


def plans(inputs: ReportInputs) -> Iterator[Plan]:
    """Every figure the inputs allow, in order of the page, each with a file of its own.

    Names that differ may become one file name: the second is then numbered.
    """
    taken: set[str] = set()
    for plan in _plans(inputs):
        names = (f"{plan.name}-{i}" if i > 1 else plan.name for i in count(1))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        yield replace(plan, name=name)


def _plans(inputs: ReportInputs) -> Iterator[Plan]:
    yield from _contrast_plans(inputs)
    if any(len(line) > 1 for line in arm_lines(inputs.rows, "valence").values()):
        caption = "Arms against conditions: mean over seeds, 95 % interval over people."
        yield Plan(EEG, "conditions", caption, partial(conditions_figure, inputs.rows))
    for place, frame in inputs.eeg.items():
        yield from _va_plans(place, frame)
    for place in inputs.grids:
        yield from _grid_plans(place, inputs)
    for place, maps in inputs.topomaps.items():
        caption = f"{place}: mean differential entropy of each band over the scalp."
        yield Plan(MAPS, slug("topomaps", place), caption, partial(topomap_figure, maps))
    for place, explained in inputs.explained.items():
        yield from _explained_plans(place, explained)
    for place, frame in inputs.faces.items():
        yield from _face_plans(place, frame)
    for place, found in inputs.embeddings.items():
        caption = f"{place}: student embedding of faces on its principal plane."
        yield Plan(
            EMBEDDING,
            slug("embedding", place),
            caption,
            partial(embedding_figure, found.points, found.label),
        )
    for student, conditions in by_student(inputs.robustness).items():
        caption = (
            f"{', '.join(filter(None, student))}: spoiled pictures, with 95 % intervals over units."
        )
        draw = partial(robustness_figure, conditions)
        yield Plan(ROBUSTNESS, slug("robustness", *student), caption, draw)
    for place, log in inputs.logs.items():
        caption = f"{place}: training by epoch."
        yield Plan(CURVES, slug("learning", place), caption, partial(learning_figure, log))


def _contrast_plans(inputs: ReportInputs) -> Iterator[Plan]:
    """Effects of each data set, split, label rule and score beside the margin."""
    for place, file in inputs.contrasts.items():
        for names, contrasts in groups(file.contrasts).items():
            caption = (
                f"{', '.join(filter(None, names))}: arm minus arm, mean over seeds with its 95 % "
                f"interval from {drawn(contrasts)}, the t interval over seeds (broad) and single "
                "seeds below. Grey field: differences that do not matter."
            )
            draw = partial(forest_figure, contrasts)
            yield Plan(CONTRASTS, slug("contrasts", place, *names), caption, draw)


def _grid_plans(place: str, inputs: ReportInputs) -> Iterator[Plan]:
    """A grid, how far to trust its cells, and the recordings behind them."""
    grid = inputs.grids[place]
    caption = (
        f"{place}: windows and people behind each cell of the valence/arousal plane (hatched: "
        f"empty, filled from its neighbours), and how alike the prototypes are. "
        f"SHA-256 {grid.sha256}"
    )
    yield Plan(GRID, slug("grid", place), caption, partial(grid_figure, grid))
    stability, explained = inputs.stability.get(place), inputs.explained.get(place)
    if stability is not None and len(stability.cells.cosine) == len(grid.counts):
        caption = (
            f"{place}: mean cosine of a prototype with those beside it; with itself when people "
            f"are drawn again ({stability.resamples} times, 95 % interval); and of its members "
            "from it. The last is 1 for members that have nothing in common."
        )
        draw = partial(atlas_figure, grid, stability.cells)
        yield Plan(GRID, slug("atlas", place), caption, draw)
    if explained is not None and len(explained.cell_features) == len(grid.counts):
        caption = (
            f"{place}: mean features of the windows behind each prototype, less the mean of all "
            "windows, in standard deviations. Which people are in a cell shows here too."
        )
        draw = partial(cell_maps_figure, explained, grid)
        yield Plan(GRID, slug("cells", place), caption, draw)


def _explained_plans(place: str, explained: Explained) -> Iterator[Plan]:
    """What the teachers of a grid look at."""
    caption = (
        f"{place}: how much valence and arousal, as the teachers say them, hang on each electrode "
        "and band (mean |gradient × input|), on people they held out."
    )
    draw = partial(saliency_figure, explained)
    yield Plan(LOOKS, slug("saliency", place), caption, draw)
    if explained.attention is not None:
        caption = (
            f"{place}: attention between electrodes. A dot is as large as the attention that "
            "other electrodes pay to it."
        )
        draw = partial(attention_figure, explained.attention, explained.channels)
        yield Plan(LOOKS, slug("attention", place), caption, draw)


def _face_plans(place: str, frame: pd.DataFrame) -> Iterator[Plan]:
    """Confusion, reliability and risk of each data set and split of a file."""
    for (dataset, split), part in frame.groupby(["dataset", "split"], sort=True):
        names, arrays = (place, str(dataset), str(split)), face_arrays(part)
        about = f"{place}: {dataset}, {split}"
        caption = f"{about}. Label down, perceived expression across."
        yield Plan(
            CONFUSION, slug("confusion", *names), caption, partial(confusion_figure, *arrays)
        )
        caption = f"{about}. Confidence against accuracy; dots at the mean confidence of a bin."
        yield Plan(
            CALIBRATION, slug("reliability", *names), caption, partial(reliability_figure, *arrays)
        )
        caption = f"{about}. Errors among answered faces, the most confident answered first."
        draw = partial(risk_coverage_figure, *arrays)
        yield Plan(CALIBRATION, slug("risk-coverage", *names), caption, draw)


def _va_plans(place: str, frame: pd.DataFrame) -> Iterator[Plan]:
    """Predicted against rated valence and arousal of the trials of each corpus."""
    rated = frame.dropna(subset=[*TRUTH_COLUMNS, *PREDICTED_COLUMNS])
    columns = [*TRUTH_COLUMNS, *PREDICTED_COLUMNS]
    for corpus, part in rated.groupby("corpus", sort=True):
        means = part.groupby(["subject", "trial"])[columns].mean()
        caption = (
            f"{place}: {corpus}, each dot the mean of a held-out trial, a triangle at the edge one "
            "whose prediction lies beyond it."
        )
        yield Plan(
            EEG, slug("va", place, str(corpus)), caption, partial(va_figure, *va_arrays(means))
        )
