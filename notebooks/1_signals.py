# %% [markdown]
# # 1. EEG signals
#
# From a recording to the numbers that a teacher sees, on recordings of **people who do not exist**:
# `SyntheticEeg` computes them from a head model, and what each person felt is known because it was
# put in. Nothing here says anything about real brains; it shows what each step does.

# %%
import tempfile
from pathlib import Path

import numpy as np
from IPython.display import Image, Markdown
from scipy.signal import welch

from neurogaze.eeg.bands import BANDS, band_filter
from neurogaze.eeg.cache import prepare
from neurogaze.eeg.corpora.fingerprints import Fingerprints
from neurogaze.eeg.corpora.synthetic import SyntheticEeg
from neurogaze.eeg.features import PAPER_CODE, FeatureSettings, trial_features
from neurogaze.eeg.preprocessing import Preprocessing, clean
from neurogaze.eeg.splits import SplitSettings, fold_rows, make_split
from neurogaze.eeg.topomap import interpolation_matrix
from neurogaze.pipeline.held_out import topomap_groups
from neurogaze.pipeline.leakage import LeakageSettings, demonstrate
from neurogaze.report import drawing
from neurogaze.report.figures_eeg import topomap_figure
from neurogaze.report.figures_faces import principal_plane
from neurogaze.report.inputs import Topomaps

scratch = tempfile.TemporaryDirectory()
STORE = Path(scratch.name)

# %% [markdown]
# ## A recording
#
# Four seconds of one clip, every other of the 14 electrodes of an Emotiv EPOC. The raw trace has
# what real ones have: blinks (frontal electrodes, top and bottom), mains hum, slow drift, and steps
# of half a microvolt.

# %%
corpus = SyntheticEeg(n_subjects=4, n_clips=10, seconds=20.0, baseline_seconds=8.0, snr=2.0)
trial = max(corpus.trials(corpus.subjects()[0]), key=lambda one: float(np.ptp(one.eeg[0])))
cleaned = clean(trial.eeg, trial.sfreq, Preprocessing())
raw = trial.eeg - trial.eeg.mean(axis=1, keepdims=True)
blink, wide = int(np.abs(raw[0]).argmax()), round(4 * trial.sfreq)
first = min(max(blink - wide // 2, 0), raw.shape[1] - wide)
shown = slice(first, first + wide)
seconds = np.arange(first, first + wide) / trial.sfreq

with drawing.styled(9.6, 4.4) as figure:
    panels = figure.subplots(1, 2, sharey=True)
    for axes, eeg, title in zip(panels, (raw, cleaned), ("As recorded", "Cleaned"), strict=True):
        for row in range(0, len(trial.channels), 2):
            axes.plot(seconds, 1e6 * eeg[row, shown] - 60 * row, color=drawing.BLUE, linewidth=0.5)
        axes.set(xlabel="seconds", title=title)
    panels[0].set_yticks(
        [-60 * row for row in range(0, len(trial.channels), 2)], trial.channels[::2]
    )
    panels[0].set_ylabel("120 microvolts from line to line")
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# **Cleaning** takes off the mean of each channel and the 50 Hz hum, resamples to 128 Hz, and takes
# the mean over electrodes as the reference. It runs on the *whole* trial, so that no window later
# carries a transient of its own edges. The spectrum shows what goes: the mains line, and what all
# electrodes share.

# %%
with drawing.styled(9.6, 3.2) as figure:
    axes = figure.subplots()
    for eeg, label, colour in (
        (raw, "as recorded", drawing.FAINT),
        (cleaned, "cleaned", drawing.BLUE),
    ):
        hertz, power = welch(1e6 * eeg, trial.sfreq, nperseg=512)
        axes.loglog(hertz[1:], power.mean(axis=0)[1:], color=colour, label=label)
    for number, (name, low, high) in enumerate(BANDS["faithful"]):
        axes.axvspan(low, high, color=drawing.SERIES[number], alpha=0.12, linewidth=0)
        over = axes.get_xaxis_transform()
        axes.text((low * high) ** 0.5, 0.96, name, transform=over, ha="center", va="top")
    axes.set(xlim=(1, 60), xlabel="Hz", ylabel="microvolts² / Hz", title="Mean over electrodes")
    ticks = [1, 4, 8, 13, 30, 45]
    axes.set_xticks(ticks, ticks)
    axes.minorticks_off()
    axes.legend(loc="lower left")
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# ## Four bands
#
# Each band is cut out by a Butterworth filter without delay. One electrode over the back of the
# head:

# %%
electrode = trial.channels.index("O1")
with drawing.styled(9.6, 4.2) as figure:
    panels = figure.subplots(len(BANDS["faithful"]), 1, sharex=True)
    for axes, (name, low, high), colour in zip(
        panels, BANDS["faithful"], drawing.SERIES, strict=False
    ):
        narrow = band_filter(cleaned[electrode], trial.sfreq, low, high)
        axes.plot(seconds, 1e6 * narrow[shown], color=colour, linewidth=0.8)
        axes.set_ylabel(f"{name}\n{low:g}–{high:g} Hz", rotation=0, ha="right", va="center")
    panels[0].set_title("O1, microvolts")
    panels[-1].set_xlabel("seconds")
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# ## Differential entropy
#
# A window of 4 s in one band at one electrode becomes **one number**, the entropy of a Gaussian
# with the variance of the signal, $\frac{1}{2}\ln(2\pi e\,\sigma^2)$ in nats: a logarithm of band
# power. The entropy of the person's rest before the clip is subtracted, so 0 means "as at rest".
# Windows start every 2 s.

# %%
settings = FeatureSettings()
features = trial_features(trial, settings)
with drawing.styled(9.6, 3.4) as figure:
    panels = figure.subplots(1, len(BANDS["faithful"]), sharey=True)
    reach = float(np.abs(features.values).max())
    for band, axes in enumerate(panels):
        image = axes.imshow(features.values[:, :, band].T, cmap="RdBu_r", vmin=-reach, vmax=reach,
                            aspect="auto")  # fmt: skip
        axes.set(title=BANDS["faithful"][band][0], xlabel="window")
        drawing.bare(axes)
    panels[0].set_yticks(range(len(trial.channels)), trial.channels)
    figure.colorbar(image, ax=panels, label="nats above rest")
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# The whole corpus is computed once and kept in a store; a table has one line a window.

# %%
table = prepare(corpus, settings, STORE, progress=False)
Markdown(
    f"{table.n_rows} windows of {len(set(table.subject.tolist()))} people and "
    f"{len(set(table.clip.tolist()))} clips; each window is {len(table.channels)} electrodes x "
    f"{len(table.bands)} bands."
)

# %% [markdown]
# ## Maps of the scalp
#
# Means over all windows, then what differs between clips that people rated high and low. The affect
# was put in where the literature suspects it: with valence, frontal alpha leans to one side and
# beta and gamma a little to the other; with arousal, gamma at the temples, frontal beta and theta
# rise, and alpha falls. So these maps must look so, but for what four people leave to chance. In a
# real corpus they need not.

# %%
groups = topomap_groups(table)
maps = Topomaps(
    groups["values"], *(tuple(groups[k].tolist()) for k in ("groups", "channels", "bands"))
)
Image(topomap_figure(maps))

# %% [markdown]
# A teacher with a topographic branch sees pictures like these, of 32 x 32 pixels. They are a
# *linear* map of the electrodes: a picture of 1,024 pixels still holds only 14 numbers. It tells
# the network where an electrode sits, and adds no measurement.

# %%
matrix, inside = interpolation_matrix(table.channels, size=32, mode="head")
pixels = np.where(inside[:, None], matrix @ table.features[0], np.nan)
with drawing.styled(9.6, 2.6) as figure:
    for band, axes in enumerate(figure.subplots(1, len(table.bands))):
        axes.imshow(pixels[:, band].reshape(32, 32), cmap="cividis")
        axes.set(title=table.bands[band], xticks=[], yticks=[])
        drawing.bare(axes)
    figure.supxlabel(
        f"one window; rank of the map from electrodes to pixels: {np.linalg.matrix_rank(matrix)}",
        fontsize=9,
        color=drawing.SOFT,
    )
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# ## What a leaky split does
#
# Now recordings that hold **no affect at all**: each has a fingerprint of its own (as real ones
# have, from the fit of the cap or from drowsiness), and ratings are drawn by lot. Each colour is
# one recording. Windows of a recording are neighbours. If single windows are dealt out (left),
# every test window lies among training windows *of the same recording*, whose rating it shares. If
# whole people are held out (right), it does not.

# %%
marked = prepare(Fingerprints(n_subjects=4, n_clips=4, seconds=16.0), PAPER_CODE, STORE, False)
points, share = principal_plane(marked.features.reshape(marked.n_rows, -1))
splits = {
    "Windows dealt out: LEAKY": SplitSettings("window", 4, allow_leaky=True),
    "Whole people held out": SplitSettings("loso", 4),
}
_, recording = np.unique(marked.trial, return_inverse=True)
with drawing.styled(9.6, 4.2) as figure:
    for axes, (title, how) in zip(figure.subplots(1, 2), splits.items(), strict=True):
        rows = fold_rows(marked, make_split(marked, how), 0)
        seen = np.concatenate([rows["train"], rows["stop"]])
        for part, size, label in ((seen, 14, "trained on"), (rows["test"], 46, "tested")):
            edge = 1.0 if label == "tested" else 0.0
            axes.scatter(*points[part].T, c=recording[part], cmap="tab20", vmin=0, vmax=19,
                         s=size, edgecolors=drawing.INK, linewidths=edge, label=label)  # fmt: skip
        axes.set(title=title, xticks=[], yticks=[], xlabel="component 1", ylabel="component 2")
        axes.legend(loc="lower left")
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# And what that is worth: accuracy of "was valence high?" where **there is nothing to know**. Grey
# bars are the 99 % band of chance, by exchanging ratings and running the same procedure again.
# Dealing out windows gives a score that looks like a discovery. It is recognition of a recording.
# (Its own chance band is as high, which is how one finds out.)

# %%
scores = demonstrate(
    STORE, settings=LeakageSettings(4, 12, 8.0, permutations=200, epochs=0), progress=False
)
shown = [score for score in scores if score.table == "a"]
with drawing.styled(9.6, 3.6) as figure:
    axes = figure.subplots()
    for place, score in enumerate(reversed(shown)):
        band = score.bands["within_subject"]
        axes.barh(place, band.high - band.low, left=band.low, color=drawing.EMPTY, height=0.7)
        colour = drawing.RED if score.split.leaky else drawing.BLUE
        axes.plot([score.accuracy], [place], "o", color=colour)
    names = [f"{s.split.protocol}, {s.classifier}" for s in reversed(shown)]
    axes.set_yticks(range(len(shown)), names)
    axes.axvline(0.5, color=drawing.FAINT, linewidth=0.8)
    axes.set(xlim=(0.2, 1.02), xlabel="accuracy over windows; grey: 99 % band of chance")
    axes.set_title("Recordings without any affect in them")
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# The package therefore refuses to deal out windows unless it is told so, and stamps LEAKY on
# whatever comes of it. More: `docs/protocols.md`; the full tables: `neurogaze leakage`.

# %%
scratch.cleanup()
