# %% [markdown]
# # 5. Ablations
#
# Which term does what? A **bench** trains every arm under several seeds with one budget, judges all
# of them on the same faces, and compares arms *pairwise, seed by seed*. Here a tiny one on drawn
# faces, so that the tables and the plot can be read before hours are spent; then the rows of
# results that are committed.

# %%
import io
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from IPython.display import Image, Markdown, display
from rich.console import Console

from neurogaze.affect import grid_centers, grid_edges
from neurogaze.commands import experiments_folder
from neurogaze.evaluation.contrast_file import read_contrasts
from neurogaze.evaluation.results import read_rows
from neurogaze.pipeline.bench import run_bench
from neurogaze.pipeline.bench_settings import load_bench
from neurogaze.prototypes.controls import geometry
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.vectors import unit_rows
from neurogaze.quiet import hush
from neurogaze.report.arm_tables import ablation_table
from neurogaze.report.bench_tables import bench_tables
from neurogaze.report.contrast_tables import contrast_tables, summary
from neurogaze.report.figures_bench import conditions_figure
from neurogaze.report.figures_contrasts import forest_figure, groups
from neurogaze.report.figures_training import learning_figure
from neurogaze.report.inputs import read_log
from neurogaze.report.markup import to_markdown
from neurogaze.report.tables import calibration_table, eeg_table, faces_table

hush()
EXPERIMENTS = experiments_folder()
ARTEFACTS = EXPERIMENTS / "artefacts"
scratch = tempfile.TemporaryDirectory()
RUN = Path(scratch.name)

# %% [markdown]
# ## A bench file
#
# It names the base, the arms with their number of seeds, what judges, and **one primary contrast
# before anything is trained**. An arm is a few lines that override the base:

# %%
bench_file = EXPERIMENTS / "bench" / "synthetic_arms.yaml"
arms = "\n".join(
    f"# arms/{name}.yaml\n{(EXPERIMENTS / 'arms' / f'{name}.yaml').read_text()}"
    for name in ("ce", "geo", "proto_geometry")
)
Markdown(f"```yaml\n{bench_file.read_text()}```\n\n```yaml\n{arms}```")

# %% [markdown]
# The same bench, shrunk: two seeds, two epochs, a small network, few faces; and with an arm more
# that distils a made-up grid without any recording behind it.

# %%
noise = np.random.default_rng(0).standard_normal((25, 64))
nobody, nowhere = np.zeros(25, np.int64), np.zeros(25, np.bool_)
blank = PrototypeGrid(unit_rows(noise, "noise"), grid_centers(), nobody, nobody, nowhere,
                      grid_edges(), {"kind": "noise"})  # fmt: skip
geometry(blank, seed=0).save(RUN / "grid.npz")

settings = load_bench(bench_file)
few = ["--data.corpus.n_train=160", "--data.corpus.n_valid=120", "--data.batch_size=16"]
small = [
    *("--trainer.max_epochs=2", "--trainer.precision=32-true"),
    *("--trainer.enable_progress_bar=false", "--model.student.backbone=test_resnet"),
    *("--model.student.stem=imagenet", "--model.student.embedding_dim=64"),
]
settings = replace(
    settings,
    base=replace(settings.base, args=[*small, *few]),
    evaluate={"valid": replace(settings.evaluate["valid"], args=few)},
    arms={"ce": 2, "geo": 2, "proto_geometry": 2},
    primary=["proto_geometry", "ce"],
    secondary=[["geo", "ce"]],
    grids=str(RUN / "grid.npz"),
    workers=1,
)
run_bench(settings, RUN / "bench", RUN / "store", Console(file=io.StringIO()))
Image(learning_figure(read_log(RUN / "bench" / "proto_geometry-seed0" / "metrics.csv")))

# %% [markdown]
# ## Arms
#
# Every number is a mean over seeds. Two epochs on 160 drawn faces are not enough to learn much: the
# table shows its form, not a finding.

# %%
rows = [
    row for path in sorted((RUN / "bench").glob("*-valid/results.jsonl")) for row in read_rows(path)
]
Markdown(to_markdown(ablation_table(rows)))

# %% [markdown]
# ## Contrasts
#
# One arm minus another. A dot is the mean difference over seeds; the thin line its interval when
# seeds *and* faces are drawn again; the thick grey one the t interval over seeds; ticks below are
# the single seeds; the shaded band is the difference that does not matter. With two seeds the t
# interval is so wide that **nothing can be claimed**, and the table says so in words.

# %%
contrasts = read_contrasts(RUN / "bench" / "contrasts" / "contrasts.json")
first, *_ = groups(contrasts.contrasts).values()
Image(forest_figure(first))

# %%
Markdown("\n\n".join(summary(contrasts)))

# %%
Markdown(to_markdown(contrast_tables({"bench": contrasts})[0]))

# %% [markdown]
# ## Committed results
#
# Everything from here on was measured before, and is read from rows under `experiments/artefacts/`.
# A row knows what it is a number of: data, split, protocol, label rule, seed, and the hashes of
# settings, grid and split.
#
# **Faces alone**, the baseline that distillation has to beat:

# %%
strong = read_rows(ARTEFACTS / "ferplus_strong" / "results.jsonl")
Markdown(to_markdown(faces_table(strong)))

# %%
Image(learning_figure(read_log(ARTEFACTS / "ferplus_strong" / "metrics.csv")))

# %%
Markdown(to_markdown(calibration_table(strong)))

# %% [markdown]
# **The whole way**, DASPS to a grid to a student. Read with it that the EEG corpus is not the
# published one, that its situations are all negative, and that neither teacher nor ridge rises
# above the band of chance:

# %%
whole = read_rows(ARTEFACTS / "dasps_ferplus" / "results.jsonl")
Markdown("\n\n".join(to_markdown(table(whole)) for table in (faces_table, eeg_table)))

# %% [markdown]
# **Does the machinery find affect where there is some?** Teachers and ridge on made-up recordings,
# from none (0) to four times the calibrated strength. At 0 there is nothing to
# find, and what is left there is chance; it is the negative control of all the rest.

# %%
levels = read_rows(ARTEFACTS / "synthetic_snr" / "results.jsonl")
Image(conditions_figure(levels))

# %% [markdown]
# **And on real EEG**: every baseline and teacher on DASPS, on people they never saw, each with its
# chance.

# %%
found = bench_tables(read_rows(ARTEFACTS / "dasps_loso" / "results.jsonl"))
Markdown("\n\n".join(to_markdown(table) for table in found))

# %% [markdown]
# **Contrasts of committed benches**, where there are any: the verdict on the grid first, then the
# primary contrast, then all of them.

# %%
for path in sorted(ARTEFACTS.glob("*/contrasts.json")):
    measured = read_contrasts(path)
    display(Markdown(f"`{path.parent.name}`\n\n" + "\n\n".join(summary(measured))))
    for group in groups(measured.contrasts).values():
        display(Image(forest_figure(group)))

# %% [markdown]
# What was measured, how, and what may be said of it: `experiments/README.md` and
# `docs/protocols.md`.

# %%
scratch.cleanup()
