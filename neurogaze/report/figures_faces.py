"""Perceived expression as pictures: confusion, reliability, risk-coverage, embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.evaluation.calibration import expected_calibration_error, reliability_curve
from neurogaze.evaluation.metrics import confusion_matrix
from neurogaze.evaluation.selective import risk_coverage, selective_scores
from neurogaze.report import drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_POINTS = 1000
"""Points of an embedding that are drawn; more hide one another."""


def confusion_figure(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> bytes:
    """Confusion matrix as counts and as shares of each row, as PNG.

    Args:
        truth: class of each row, `[N]`.
        probabilities: `[N, 8]`.
    """
    return counts_figure(confusion_matrix(truth, probabilities.argmax(axis=1)))


def counts_figure(counts: NDArray[np.integer]) -> bytes:
    """Confusion matrix as counts and as shares of each row, as PNG.

    Args:
        counts: `[8, 8]`, label down, perceived expression across.
    """
    support = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, support, out=np.zeros(counts.shape), where=support > 0)
    with drawing.styled(10.4, 5.2) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        absent = support[:, 0] == 0
        _draw_matrix(left, shares, [[f"{value:,}" for value in row] for row in counts], absent)
        per_cent = [[f"{100 * value:.0f}" for value in row] for row in shares]
        _draw_matrix(right, shares, per_cent, absent)
        left.set_title(f"Faces (n = {counts.sum():,})")
        right.set_title("Per cent of the true class")
        left.set_ylabel("label")
        return drawing.png(figure)


def _draw_matrix(
    axes: Axes, shades: NDArray[np.float64], text: list[list[str]], absent: NDArray[np.bool_]
) -> None:
    """Cells shaded by share, with a number in each; a row without faces says so."""
    axes.imshow(shades, cmap="Blues", vmin=0, vmax=1)
    for row, cells in enumerate(text):
        if absent[row]:
            axes.axhspan(row - 0.5, row + 0.5, color="#eceff2")
            axes.text(3.5, row, "none in this data", ha="center", va="center", color="#52606d")
            continue
        for column, cell in enumerate(cells):
            ink = drawing.FAINT if cell == "0" else drawing.ink_on(float(shades[row, column]))
            said = axes.text(column, row, cell, ha="center", va="center", color=ink, fontsize=8.5)
            said.set_in_layout(False)  # it lies inside the axes
    ticks = range(len(EMOTIONS))
    axes.set_xticks(ticks, EMOTIONS, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, EMOTIONS)
    axes.set_xlabel("perceived expression")
    drawing.bare(axes)


def reliability_figure(truth: NDArray[np.int64], probabilities: NDArray[np.float64]) -> bytes:
    """Reliability diagram over 15 bins with the number of faces in each, as PNG.

    Args:
        truth: class of each row, `[N]`.
        probabilities: `[N, 8]`.
    """
    curve = reliability_curve(truth, probabilities)
    ece = expected_calibration_error(truth, probabilities)
    middle, width = (curve.bins[:-1] + curve.bins[1:]) / 2, np.diff(curve.bins) * 0.92
    held = curve.counts > 0
    with drawing.styled(5.0, 5.4) as figure:
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        reached, claimed = curve.accuracy[held], curve.confidence[held]
        top.bar(middle[held], reached, width[held], color="#a6cee3", label="accuracy of the bin")
        top.plot([0, 1], [0, 1], color=drawing.INK, linestyle="--", linewidth=1, label="calibrated")
        style = {"color": drawing.RED, "markersize": 5, "clip_on": False, "linestyle": "none"}
        top.plot(claimed, reached, marker="o", label="at its mean confidence", **style)
        figure.legend(loc="outside lower center", ncols=3, columnspacing=1.2)
        top.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="accuracy")
        top.set_title(f"Reliability, ECE {ece:.3f} (15 bins)")
        bottom.bar(middle, curve.counts, width, color="#b8c2cc")
        bottom.set(xlabel="confidence", ylabel="faces")
        return drawing.png(figure)


def risk_coverage_figure(
    truth: NDArray[np.int64], probabilities: NDArray[np.float64], threshold: float = 0.0
) -> bytes:
    """Share of errors among answered faces over the share answered, beside the ideal order, as PNG.

    Args:
        truth: class of each row, `[N]`.
        probabilities: `[N, 8]`.
        threshold: confidence below which no label is given, which is marked; 0 marks nothing.
    """
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    curve, scores = risk_coverage(confidence, correct), selective_scores(confidence, correct)
    shares = np.linspace(float(correct.mean()), 1.0, 100)
    ideal = np.divide(shares - shares[0], shares, out=np.zeros(len(shares)), where=shares > 0)
    with drawing.styled(5.0, 3.9) as figure:
        axes = figure.subplots()
        axes.plot(curve.coverage, curve.risk, color=drawing.BLUE, label="by confidence")
        axes.plot([0, *shares], [0, *ideal], "--", color=drawing.FAINT, label="errors last")
        if threshold > 0:
            coverage = float((confidence >= threshold).mean())
            label = f"no label below {threshold:.2f}"
            axes.axvline(coverage, color=drawing.RED, linewidth=1, label=label)
        axes.set(xlim=(0, 1), ylim=(0, None), xlabel="share answered", ylabel="errors among these")
        axes.set_title("AURC {aurc:.3f}, excess {e_aurc:.3f}".format(**scores))
        figure.legend(loc="outside lower center", ncols=3)
        return drawing.png(figure)


def principal_plane(embedding: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray]:
    """First two principal components and their share of the variance.

    The sign of a component is fixed by its largest loading, so that the picture is the same
    wherever it is drawn.

    Args:
        embedding: `[N, D]`, at least two rows and columns.

    Returns:
        coordinates `[N, 2]` and shares `[2]`.
    """
    centred = np.asarray(embedding, np.float64) - np.mean(embedding, axis=0, dtype=np.float64)
    _, strength, axes = np.linalg.svd(centred, full_matrices=False)
    largest = np.abs(axes[:2]).argmax(axis=1)
    axes = axes[:2] * np.where(axes[[0, 1], largest] < 0, -1.0, 1.0)[:, None]
    total = max(float((strength**2).sum()), np.finfo(np.float64).tiny)
    return centred @ axes.T, strength[:2] ** 2 / total


def embedding_figure(embedding: NDArray[np.floating], label: NDArray[np.int64]) -> bytes:
    """Embedding on its principal plane, a colour and marker for each class, as PNG.

    Args:
        embedding: `[N, D]`.
        label: class of each row, `[N]`.
    """
    chosen = np.arange(len(label))
    if len(label) > MAX_POINTS:
        chosen = np.sort(np.random.default_rng(0).choice(len(label), MAX_POINTS, replace=False))
    points, share = principal_plane(embedding[chosen])
    label = label[chosen]
    with drawing.styled(5.35, 3.9) as figure:
        axes = figure.subplots()
        for number, name in enumerate(EMOTIONS):
            if not (own := label == number).any():
                continue
            axes.scatter(
                points[own, 0],
                points[own, 1],
                s=18,
                label=f"{name} ({own.sum()})",
                color=drawing.EMOTION_COLOURS[name],
                marker=drawing.EMOTION_MARKERS[name],
                edgecolors=drawing.INK,
                linewidths=0.35,
                alpha=0.85,
            )
        axes.set_xlabel(f"component 1 ({100 * share[0]:.0f} % of variance)")
        axes.set_ylabel(f"component 2 ({100 * share[1]:.0f} %)")
        axes.set_title(f"Face embedding, {len(label):,} points by label")
        axes.set(xticks=[], yticks=[])
        figure.legend(loc="outside right upper", markerscale=1.4)
        return drawing.png(figure)
