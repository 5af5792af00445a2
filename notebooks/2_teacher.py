# %% [markdown]
# # 2. The teacher
#
# A network that regresses valence and arousal from EEG features, judged only on **people it never
# saw**, beside ridge regression and beside what the same procedure reaches when ratings mean
# nothing. Recordings are made up, with the affect put in *three times as strong* as in the
# calibrated corpus, so that there is something to see after some seconds of training. Its figures
# say nothing about real EEG.

# %%
import tempfile
from pathlib import Path

import numpy as np
from IPython.display import Image, Markdown

from neurogaze import training
from neurogaze.commands import experiments_folder
from neurogaze.evaluation.chance import ridge_predictions, simulated_chance
from neurogaze.evaluation.metrics import VA_AXES
from neurogaze.evaluation.predictions import eeg_frame, va_arrays
from neurogaze.evaluation.scoring import score_va
from neurogaze.pipeline.embedding import load_fold
from neurogaze.pipeline.everybody import labelled_data
from neurogaze.pipeline.explaining import explain
from neurogaze.pipeline.held_out import chance_rows, held_out_predictions, protocol_name
from neurogaze.quiet import hush
from neurogaze.report import drawing
from neurogaze.report.figures_attention import attention_figure
from neurogaze.report.figures_eeg import va_figure
from neurogaze.report.figures_explained import saliency_figure
from neurogaze.report.figures_training import learning_figure
from neurogaze.report.grid_inputs import Explained
from neurogaze.report.inputs import read_log
from neurogaze.report.markup import to_markdown
from neurogaze.report.tables import eeg_table

hush()
EXPERIMENTS = experiments_folder()
scratch = tempfile.TemporaryDirectory()
RUN = Path(scratch.name)

# %% [markdown]
# ## Training
#
# What trains is `neurogaze fit` with the files under `experiments/`; the same call is made here
# from Python. Everything is small: twelve people, fourteen clips, a narrow network, maps of 8 x 8
# pixels. Two folds: each teacher trains on some of the people, *others* of its fold decide when to
# stop, and the rest is held out.

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
Image(learning_figure(read_log(RUN / "teacher-0" / "metrics.csv")))

# %% [markdown]
# The loss is half mean squared error, half one minus the **concordance** (CCC). Concordance is 1
# only if predictions equal ratings: a network that ranks people well but predicts near the mean is
# not rewarded.
#
# ## Predictions against ratings
#
# For people held out, one dot a trial (the mean over its windows):

# %%
labelled = labelled_data(data)
table, split = labelled.table, labelled.split
folds = [
    load_fold(RUN / f"teacher-{fold}" / "best.ckpt", split, table.settings_hash)
    for fold in range(2)
]
predictions = held_out_predictions(table, split, folds)


def by_trial(frame):
    """Ratings and predictions, one row a trial."""
    means = frame.groupby("trial").mean(numeric_only=True)
    return va_arrays(means)


Image(va_figure(*by_trial(predictions)))

# %% [markdown]
# The same by **ridge regression** on the same features and folds, its penalty chosen inside the
# training people:

# %%
ridge = ridge_predictions(table, split)
linear = eeg_frame(table, ridge.rows, ridge.prediction)
Image(va_figure(*by_trial(linear)))

# %% [markdown]
# ## Beside chance
#
# Chance is not zero, and it is not assumed. Ratings are exchanged between rating events and the
# whole procedure is run again, here 200 times with ridge. The grey band holds 99 % of what that
# gives. A score inside the band is no evidence of anything, however nice its interval.

# %%
context = {"experiment": "notebook", "protocol": protocol_name(split), "split": "held-out"}
context |= {"split_hash": split.sha256, "note": "made-up recordings, affect tripled"}
rows = score_va(predictions, context | {"arm": "teacher"})
rows += score_va(linear, context | {"arm": "ridge"})
band = simulated_chance(table, split, 200, progress=False)
same = {name: getattr(rows[0], name) for name in ("dataset", "label_rule", "seed", "config_hash")}
same |= {name: getattr(rows[0], name) for name in ("grid_hash", "code_version")}
rows += chance_rows(band, same | context, n=len(set(table.trial.tolist())))

found = {(row.arm, row.metric): row for row in rows}
with drawing.styled(9.6, 2.5) as figure:
    for axes, axis in zip(figure.subplots(1, 2, sharey=True), VA_AXES, strict=True):
        metric = f"{axis}_ccc_trial"
        axes.axvspan(*band[metric], color=drawing.EMPTY)
        for place, (arm, colour) in enumerate(
            (("ridge", drawing.ORANGE), ("teacher", drawing.BLUE))
        ):
            row = found[arm, metric]
            axes.plot([row.low, row.high], [place, place], color=colour, linewidth=2)
            axes.plot([row.value], [place], "o", color=colour)
        axes.set_yticks([0, 1], ["ridge", "teacher"])
        axes.set(xlim=(-0.4, 1.0), ylim=(-0.6, 1.6), title=axis)
        axes.set_xlabel("CCC per trial; grey: 99 % band of chance")
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# The table as reports print it: intervals resample **people**, never windows, and a chance row
# stands with every score.

# %%
Markdown(to_markdown(eeg_table([row for row in rows if row.metric.endswith("_trial")])))

# %% [markdown]
# ## What the teacher looks at
#
# How far the output would move if an electrode and band went to their mean (|gradient x input|), on
# people held out. Valence was put into frontal alpha above all, and into beta and gamma; arousal
# into gamma at the temples, alpha at the back, and frontal beta and theta.

# %%
looks = explain(table, split, folds)
cells = np.zeros((1, *looks["saliency"].shape[1:]), np.float32)
explained = Explained(table.channels, table.bands, looks["saliency"], cells, looks["attention"])
Image(saliency_figure(explained))

# %% [markdown]
# And the attention between electrodes, as a multiple of even attention. It shows where the network
# takes values from. It is not connectivity of a brain.

# %%
Image(attention_figure(looks["attention"], table.channels))

# %% [markdown]
# On real EEG the same pictures look different: on DASPS neither teachers nor ridge rise above the
# band of chance on people they never saw (`experiments/README.md`). Next: what the teachers'
# embeddings become, in `3_grid`.

# %%
scratch.cleanup()
