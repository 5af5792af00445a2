# %% [markdown]
# # 4. Distillation
#
# A student sees **images only**. A frozen grid says where on the plane of valence and arousal each
# class belongs, and a loss term pulls the student's embedding there. This notebook looks at the
# terms before and while they act, on drawn faces and a made-up grid. Scores on drawn faces mean
# nothing on people.

# %%
import json
import math
import tempfile
from pathlib import Path

import numpy as np
import torch
from IPython.display import Image, Markdown

from neurogaze import training
from neurogaze.affect import CLASS_ANCHORS, EMOTIONS, anchors, grid_centers, grid_edges
from neurogaze.commands import experiments_folder
from neurogaze.faces.preprocessing import to_input
from neurogaze.losses.geometry import Geometry, late_cosine
from neurogaze.losses.proto_kd import ProtoKD, gaussian_targets, row_softmax_targets
from neurogaze.losses.seen import Seen
from neurogaze.pipeline.judging import load_student
from neurogaze.prototypes.controls import geometry
from neurogaze.prototypes.grid import PrototypeGrid
from neurogaze.prototypes.vectors import unit_rows
from neurogaze.quiet import hush
from neurogaze.report import drawing
from neurogaze.report.figures_faces import confusion_figure, principal_plane
from neurogaze.report.figures_training import learning_figure
from neurogaze.report.inputs import read_log

hush()
EXPERIMENTS = experiments_folder()
scratch = tempfile.TemporaryDirectory()
RUN = Path(scratch.name)
WIDTH = 64

# %% [markdown]
# ## Drawn faces
#
# Two of each class. Simulated people voted on each; neighbours such as anger, disgust and contempt
# are confused, by them and by networks.

# %%
DATA = [
    *("--data", f"{EXPERIMENTS}/data/synthetic_faces.yaml", f"--data.store={RUN}/store"),
    *("--data.corpus.n_train=320", "--data.corpus.n_valid=160", "--data.batch_size=32"),
]
data = training.load_data(DATA)
data.setup("fit")
train, valid = data.train, data.valid
with drawing.styled(9.6, 2.9) as figure:
    panels = figure.subplots(2, len(EMOTIONS))
    for label, name in enumerate(EMOTIONS):
        for axes, row in zip(panels[:, label], np.flatnonzero(train.labels == label), strict=False):
            axes.imshow(train.images[row], cmap="gray")
            axes.set(xticks=[], yticks=[])
            drawing.bare(axes)
        panels[0, label].set_title(name, loc="center", fontsize=9)
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# ## A grid
#
# Made up: close cells are alike, far ones are not, and no recording is behind it (the control
# `geometry` of `3_grid`). It is pinned by its hash: a student refuses any other content at that
# path.

# %%
noise = np.random.default_rng(0).standard_normal((25, WIDTH))
blank = PrototypeGrid(
    prototypes=unit_rows(noise, "noise"),
    centers=grid_centers(),
    counts=np.zeros(25, np.int64),
    n_subjects=np.zeros(25, np.int64),
    filled=np.zeros(25, np.bool_),
    edges=grid_edges(),
    provenance={"kind": "noise"},
)
grid = geometry(blank, seed=0)
grid.save(RUN / "grid.npz")
PIN = json.dumps({"path": str(RUN / "grid.npz"), "sha256": grid.sha256})
prototypes, centers = torch.tensor(grid.prototypes), torch.tensor(grid.centers).float()

# %% [markdown]
# ## Where each class should lie
#
# The target $q_{pro}$ of a class is a Gaussian round its place on the plane (cross), on the 25
# cells. Anger, disgust and contempt fall in one cell and fear in the next: **no grid of this size
# can tell them apart**, so this term cannot teach the difference. Below, the other reading: a
# softmax over the prototypes' own cosines at $\tau = .9$. It is nearly flat, and the term with it
# nearly inert.

# %%
targets = {
    "Gaussian": gaussian_targets(centers, sigma=0.4),
    "row softmax": row_softmax_targets(prototypes, tau=0.9),
}
with drawing.styled(9.6, 3.3) as figure:
    panels = figure.subplots(2, len(EMOTIONS))
    for line, (kind, table) in zip(panels, targets.items(), strict=True):
        for axes, name, row in zip(line, EMOTIONS, table.numpy(), strict=True):
            image = axes.imshow(row.reshape(5, 5), cmap="Blues", vmin=0, vmax=0.3, origin="lower",
                                extent=(-1, 1, -1, 1))  # fmt: skip
            axes.plot(*CLASS_ANCHORS[name], "x", color=drawing.RED, markersize=5)
            axes.set(xticks=[], yticks=[])
            drawing.bare(axes)
            axes.set_title(name if kind == "Gaussian" else "", loc="center", fontsize=9)
        line[0].set_ylabel(kind)
    figure.colorbar(image, ax=panels, shrink=0.7, label="share")
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# ## Why a temperature of .9 is nearly inert
#
# The student's side is $q_{stu} = \mathrm{softmax}(\cos / \tau)$ over cells. A cosine lies between
# -1 and 1, so at $\tau = .9$ no exponent is larger than 1.1. Even a *perfect* embedding, one that
# lies exactly on a prototype, gives nearly the uniform distribution: its entropy (blue) hardly
# leaves $\ln 25$, and the target (red) is far below. The student cannot say where a face lies, and
# is hardly asked to.
#
# How hard the term pulls follows from its gradient, weight $\cdot (q_{stu} - q_{pro}) / \tau$ at
# each cosine. Right: the largest entry of it, for a student that knows nothing yet.


# %%
def entropy(q):
    """Entropy of each row, nats."""
    return -(q * q.clamp_min(1e-12).log()).sum(-1)


taus = np.geomspace(0.02, 3.0, 60)
cosines = prototypes @ prototypes.T
student_entropy = [float(entropy((cosines / tau).softmax(-1)).mean()) for tau in taus]
target = targets["Gaussian"]


def pull(weight, tau):
    """Largest entry of the gradient at the cosines of a uniform student, mean over classes."""
    return weight * float((target - 1 / 25).abs().amax(1).mean()) / tau


with drawing.styled(9.6, 3.6) as figure:
    left, right = figure.subplots(1, 2)
    left.semilogx(taus, student_entropy, color=drawing.BLUE, label="student on a prototype")
    left.axhline(float(entropy(target).mean()), color=drawing.RED, label="target, Gaussian")
    left.axhline(math.log(25), color=drawing.FAINT, linestyle="--", label="uniform, ln 25")
    left.set(xlabel="temperature", ylabel="entropy, nats")
    left.legend()
    for weight, colour in ((0.12, drawing.BLUE), (0.5, drawing.RED)):
        pulls = [pull(weight, tau) for tau in taus]
        right.loglog(taus, pulls, color=colour, label=f"weight {weight:g}")
    right.plot([0.9], [pull(0.12, 0.9)], "o", color=drawing.BLUE)
    right.plot([0.1], [pull(0.5, 0.1)], "o", color=drawing.RED)
    right.set(xlabel="temperature", ylabel="largest pull at a cosine")
    right.legend()
    for axes in (left, right):
        for tau, name in ((0.9, "published"), (0.1, "sharp")):
            axes.axvline(tau, color=drawing.FAINT, linewidth=0.8)
            axes.text(tau, 1.0, name, transform=axes.get_xaxis_transform(), ha="center",
                      va="bottom", fontsize=8)  # fmt: skip
    picture = drawing.png(figure)
Image(picture)

# %%
Markdown(
    f"Entropy on a prototype: {float(entropy((cosines / 0.9).softmax(-1)).mean()):.2f} nats at .9, "
    f"{float(entropy((cosines / 0.1).softmax(-1)).mean()):.2f} at .1; uniform is "
    f"{math.log(25):.2f}, the target {float(entropy(target).mean()):.2f}. Pull over that of "
    f"the published setting: **{pull(0.12, 0.1) / pull(0.12, 0.9):.0f} times** at .1 with the same "
    f"weight, **{pull(0.5, 0.1) / pull(0.12, 0.9):.0f} times** with weight .5."
)

# %% [markdown]
# ## When D-Geo sets in
#
# The geometric term caps the spread of happiness and surprise and keeps class means apart. It
# waits: its factor is 0 up to epoch 20 of 100 and a half cosine up to epoch 60, and values below .2
# count as 0. Shorter trainings stretch the same ramp.

# %%
with drawing.styled(9.6, 2.8) as figure:
    left, right = figure.subplots(1, 2)
    epochs = np.linspace(0, 100, 401)
    left.plot(epochs, [late_cosine(e) for e in epochs], color=drawing.BLUE)
    left.plot(epochs, [late_cosine(e, hard_gate=0.0) for e in epochs], color=drawing.FAINT,
              linestyle="--", label="without the gate")  # fmt: skip
    left.set(xlabel="epoch of 100", ylabel="factor")
    left.legend()
    term = Geometry()
    right.step(range(12), [term.ramp(e, 12) for e in range(12)], where="post", color=drawing.BLUE)
    right.set(xlabel="epoch of 12", ylabel="factor")
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# ## Three students
#
# The same small network, data and seed; only the loss differs:
#
# - **ce**: cross-entropy alone;
# - **faithful**: and Proto-KD as published, weight .12 at $\tau = .9$;
# - **sharp**: and Proto-KD that is felt, at $\tau = .1$ and, so that seconds of training show it,
#   weight .5; with D-Geo.

# %%
SMALL = [
    *("--trainer.max_epochs=10", "--trainer.precision=32-true"),
    *("--trainer.enable_progress_bar=false", "--model.student.backbone=test_resnet"),
    *("--model.student.stem=imagenet", f"--model.student.embedding_dim={WIDTH}"),
    *("--model.optimisation.lr=3e-3", "--model.ema_decay=0"),
]
ARMS = {
    "ce": ["ablations/ce.yaml"],
    "faithful": ["ablations/no_geo.yaml"],
    "sharp": ["ablations/proto_sharp.yaml"],  # the temperature; the weight is a flag below
}
files = ["student.yaml", "students/cpu.yaml"]
students = {}
for arm, overrides in ARMS.items():
    config = [part for name in files + overrides for part in ("--config", f"{EXPERIMENTS}/{name}")]
    flags = [] if arm == "ce" else [f"--model.grid={PIN}"]
    flags += ["--model.loss.proto.weight=0.5"] if arm == "sharp" else []
    training.fit([*config, *DATA, *SMALL, *flags, f"--out={RUN}/{arm}"])
    students[arm] = load_student(RUN / arm / "last.ckpt")
Image(learning_figure(read_log(RUN / "sharp" / "metrics.csv")))

# %% [markdown]
# Each weighted term is logged, and at some steps its share of the gradient at the embedding. A term
# that has a small loss is not a term that does little: look at the gradient.
#
# ## Where the embedding goes
#
# Validation faces on the principal plane of each embedding:

# %%
images = to_input(torch.from_numpy(valid.images.copy()), data.preprocessing)
with torch.inference_mode():
    outputs = {arm: task(images) for arm, task in students.items()}
unit = {arm: torch.nn.functional.normalize(out.embedding, dim=-1) for arm, out in outputs.items()}
with drawing.styled(9.6, 4.0) as figure:
    for axes, (arm, rows) in zip(figure.subplots(1, 3), unit.items(), strict=True):
        points, share = principal_plane(rows.numpy())
        for label, name in enumerate(EMOTIONS):
            own = valid.labels == label
            axes.scatter(*points[own].T, s=16, color=drawing.EMOTION_COLOURS[name], label=name,
                         marker=drawing.EMOTION_MARKERS[name], edgecolors=drawing.INK,
                         linewidths=0.3)  # fmt: skip
        axes.set(title=arm, xticks=[], yticks=[])
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=8, columnspacing=1.0)
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# And on the plane: the mean place under $\mathrm{softmax}(\cos / .1)$, one dot a class (crosses:
# where classes belong). Without Proto-KD there is no reason for the embedding to lie anywhere near
# the prototypes.

# %%
with drawing.styled(9.6, 3.9) as figure:
    for axes, (arm, rows) in zip(figure.subplots(1, 3, sharey=True), unit.items(), strict=True):
        va = (rows @ prototypes.T / 0.1).softmax(-1) @ centers
        for label, name in enumerate(EMOTIONS):
            x, y = va[torch.from_numpy(valid.labels.copy()) == label].mean(0).tolist()
            colour = drawing.EMOTION_COLOURS[name]
            axes.plot([x, CLASS_ANCHORS[name][0]], [y, CLASS_ANCHORS[name][1]], color=colour,
                      linewidth=0.8)  # fmt: skip
            axes.plot([x], [y], "o", color=colour, markeredgecolor=drawing.INK, label=name)
        axes.plot(*anchors().T, "x", color=drawing.INK, markersize=5)
        axes.set(title=arm, xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xlabel="valence")
    figure.axes[0].set_ylabel("arousal")
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=8, columnspacing=1.0)
    picture = drawing.png(figure)
Image(picture)

# %% [markdown]
# The numbers behind it. `KL` is the Proto-KD term, before its weight, as each student would be told
# it at both temperatures; entropy of $q_{stu}$ is that of its own faces ($\ln 25 = 3.22$ is
# uniform).

# %%
labels = torch.from_numpy(valid.labels.copy())
lines = [
    "| student | accuracy | KL at .9 | entropy at .9 | KL at .1 | entropy at .1 |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
]
for arm, out in outputs.items():
    cells = [f"{100 * float((out.logits.argmax(1) == labels).float().mean()):.0f} %"]
    for tau in (0.9, 0.1):
        seen = Seen(
            out.logits, out.embedding, labels, torch.from_numpy(valid.votes.copy()),
            prototypes=prototypes, centers=centers,
        )  # fmt: skip
        q = (unit[arm] @ prototypes.T / tau).softmax(-1)
        cells += [f"{float(ProtoKD(tau=tau)(seen)):.3f}", f"{float(entropy(q).mean()):.2f}"]
    lines.append(f"| {arm} | {' | '.join(cells)} |")
Markdown("\n".join(lines))

# %%
probabilities = outputs["sharp"].logits.softmax(-1).double().numpy()
Image(confusion_figure(valid.labels, probabilities))

# %% [markdown]
# One seed of a small network on 160 drawn faces decides nothing. How arms are compared so that
# something can be said: `5_ablations`.

# %%
scratch.cleanup()
