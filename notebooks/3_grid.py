# %% [markdown]
# # 3. The prototype grid
#
# All that ever reaches the face student from EEG is **one small file**: a 5 x 5 grid over valence
# and arousal, with one unit vector a cell. This notebook makes one from made-up people, asks how
# far to trust it, puts its controls beside it, and ends with the real one of this repository.

# %%
import json
import tempfile
from pathlib import Path

import numpy as np
from IPython.display import Image, Markdown

from neurogaze import training
from neurogaze.commands import experiments_folder
from neurogaze.evaluation.chance import simulated_chance
from neurogaze.evaluation.metrics import VA_AXES
from neurogaze.evaluation.results import read_rows
from neurogaze.evaluation.scoring import score_va
from neurogaze.pipeline.embedding import load_fold
from neurogaze.pipeline.everybody import labelled_data, place_everybody
from neurogaze.pipeline.explaining import cell_features, explain
from neurogaze.pipeline.held_out import held_out_predictions
from neurogaze.prototypes.consolidate import ConsolidateSettings, grid_of
from neurogaze.prototypes.controls import CONTROLS, control
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.stability import bootstrap_stability
from neurogaze.prototypes.testable import testable, verdict
from neurogaze.quiet import hush
from neurogaze.report import drawing
from neurogaze.report.figures_explained import cell_maps_figure
from neurogaze.report.figures_faces import principal_plane
from neurogaze.report.figures_grid import atlas_figure, grid_figure
from neurogaze.report.grid_inputs import Explained, read_stability
from neurogaze.report.grid_tables import teacher_beats_chance

hush()
EXPERIMENTS = experiments_folder()
scratch = tempfile.TemporaryDirectory()
RUN = Path(scratch.name)

# %% [markdown]
# ## Two teachers
#
# As in `2_teacher`: small, on made-up recordings with the affect tripled. Each is later shown only
# the people it held out.

# %%
DATA = [
    *("--data", f"{EXPERIMENTS}/data/synthetic_eeg.yaml", f"--data.store={RUN}/store"),
    *("--data.corpus.n_subjects=12", "--data.corpus.n_clips=14", "--data.corpus.seconds=8"),
    *("--data.corpus.baseline_seconds=6", "--data.corpus.snr=3", "--data.split.n_folds=2"),
]
SMALL = [
    *("--trainer.max_epochs=12", "--trainer.enable_progress_bar=false", "--data.batch_size=64"),
    *("--model.teacher.map_size=8", "--model.teacher.embedding_dim=64"),
]
data = training.load_data(DATA)
data.prepare_data()
for fold in range(2):
    where = [f"--data.fold={fold}", f"--out={RUN}/teacher-{fold}"]
    training.fit(["--config", f"{EXPERIMENTS}/teacher.yaml", *DATA, *SMALL, *where])
labelled = labelled_data(data)
table, split = labelled.table, labelled.split
folds = [
    load_fold(RUN / f"teacher-{fold}" / "best.ckpt", split, table.settings_hash)
    for fold in range(2)
]

# %% [markdown]
# ## From windows to cells
#
# Networks trained apart share no basis, so the embeddings of one are first rotated onto those of
# the other, by windows that both of them embedded. Then each window is placed on the plane: by
# *predicted* valence and arousal, which are given the distribution of the training ratings (a weak
# teacher predicts the mean, and would fill one cell).

# %%
settings = ConsolidateSettings()
everybody = place_everybody(labelled, [], folds, settings)
placed = everybody.placed
points, share = principal_plane(placed.unit)
with drawing.styled(9.6, 4.4) as figure:
    plane, space = figure.subplots(1, 2)
    colours = placed.va[:, 1]
    plane.scatter(*placed.va.T, c=colours, cmap="RdBu_r", s=10, vmin=-1, vmax=1)
    for edge in (-0.6, -0.2, 0.2, 0.6):
        plane.axhline(edge, color=drawing.FAINT, linewidth=0.7)
        plane.axvline(edge, color=drawing.FAINT, linewidth=0.7)
    plane.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xlabel="valence", ylabel="arousal")
    plane.set_title("Where windows are placed")
    dots = space.scatter(*points.T, c=colours, cmap="RdBu_r", s=10, vmin=-1, vmax=1)
    space.set(xticks=[], yticks=[], xlabel="component 1", ylabel="component 2")
    space.set_title("Their embeddings, in one basis")
    figure.colorbar(dots, ax=space, label="arousal of the place")
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# ## The grid
#
# A prototype is the mean of the unit embeddings in a cell, scaled to length 1. Left: how many
# windows, of how many people, stand behind each. Right: the Gram matrix, the cosine of every pair.
# **A student sees nothing but these cosines**, because it can rotate its own embedding at will.

# %%
grid = grid_of(placed, settings, {"note": "made-up people"})
Image(grid_figure(grid))

# %% [markdown]
# The recordings behind the cells, each the mean of its members in the mix of bands in which cells
# differ most:

# %%
looks = explain(table, split, folds)
cells = placed.cells(settings.size)
explained = Explained(
    table.channels,
    table.bands,
    looks["saliency"],
    cell_features(everybody.seen, cells, settings.size**2),
    looks["attention"],
)
Image(cell_maps_figure(explained, grid))

# %% [markdown]
# ## Would other people have given the same grid?
#
# People are drawn again with replacement and the grid is made again. A cell that one person fills
# alone cannot tell.

# %%
stability = bootstrap_stability(placed.unit, cells, placed.subject, settings.size)
Image(atlas_figure(grid, stability))

# %% [markdown]
# ## Control grids
#
# If a student gains from the grid, is it the EEG, or would any grid have done? Each control keeps
# something and breaks something:
#
# | control | keeps | breaks |
# | --- | --- | --- |
# | `permuted` | all prototypes | which cell they lie in |
# | `random` | the mean cosine | everything else |
# | `gram_matched` | the spectrum of the Gram matrix | which cells are alike |
# | `geometry` | that close cells are alike | all EEG |
# | `rotated` | every cosine | the basis: must change *nothing*, a check of the bench |

# %%
grids = {"eeg": grid} | {kind: control(kind, grid, seed=0) for kind in CONTROLS}
with drawing.styled(9.6, 6.4) as figure:
    panels = figure.subplots(2, 3)
    for axes, (kind, one) in zip(panels.flat, grids.items(), strict=True):
        gram = one.prototypes @ one.prototypes.T
        image = axes.imshow(gram, cmap="RdBu_r", vmin=-1, vmax=1, origin="lower")
        axes.set(title=kind, xticks=[], yticks=[])
        axes.set_xlabel(f"effective rank {one.gram_rank:.1f}, mean cosine {one.mean_cosine:.2f}")
        drawing.bare(axes)
    figure.colorbar(image, ax=panels, shrink=0.6, label="cosine")
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# The spectra say the same more plainly: `permuted`, `gram_matched` and `rotated` lie on the line of
# the EEG grid.

# %%
with drawing.styled(9.6, 3.2) as figure:
    axes = figure.subplots()
    for (kind, one), colour in zip(grids.items(), drawing.SERIES, strict=False):
        values = np.linalg.eigvalsh((one.prototypes @ one.prototypes.T).astype(np.float64))[::-1]
        style = "-" if kind == "eeg" else "--"
        axes.semilogy(range(1, 11), np.clip(values[:10], 1e-4, None), style, color=colour,
                      label=kind, linewidth=4 if kind == "eeg" else 1.4,
                      alpha=0.4 if kind == "eeg" else 1.0)  # fmt: skip
    axes.set(xlabel="eigenvalue of the Gram matrix", ylabel="size", xticks=range(1, 11))
    axes.legend(ncols=3)
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# ## Can this grid tell whether EEG helps?
#
# Before any student is trained, a list is gone through: are the cells of happiness, surprise and so
# on filled, by three people or more; are enough cells filled; do the prototypes span enough
# directions; is the teacher above chance? If not, a contrast of students says nothing about EEG,
# whatever it comes to.

# %%
rows = score_va(held_out_predictions(table, split, folds), {"arm": "teacher"})
band = simulated_chance(table, split, 200, progress=False)
reached = {row.metric: row.value for row in rows}
above = all(reached[f"{a}_ccc_trial"] > band[f"{a}_ccc_trial"][1] for a in VA_AXES)
Markdown(f"**{verdict(testable(grid, above))}**")

# %% [markdown]
# ## The real grid
#
# The grid of this repository, from DASPS: 23 people in situations that were all meant to be
# negative. The right half is all but empty; hatched cells hold a copy of their nearest neighbour,
# and the cell of happiness is among them.

# %%
artefacts = EXPERIMENTS / "artefacts" / "dasps_grid"
real = PrototypeGrid.load(artefacts / "grid.npz")
Image(grid_figure(real))

# %%
Image(atlas_figure(real, read_stability(artefacts / "stability.json").cells))

# %%
beats = teacher_beats_chance(read_rows(artefacts / "results.jsonl"), real.sha256)
kept = ("corpora", "protocol", "support", "anchors", "n_windows")
record = {name: real.provenance[name] for name in kept}
Markdown(
    f"**{verdict(testable(real, beats))}**\n\nWhere it comes from, as the file itself says:\n\n"
    f"```json\n{json.dumps(record, indent=1)}\n```"
)

# %% [markdown]
# So nothing that a student does with this grid can show that the brain helps. It shows a pipeline
# in which that can be asked. Next: what a student does with a grid, in `4_distillation`.

# %%
scratch.cleanup()
