"""What a student says of one face, as plain sentences that claim no more than it knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neurogaze.affect import EMOTIONS
from neurogaze.errors import InputError
from neurogaze.explain.nearest import Near

NO_FEELING = "This is no measurement of what the person feels."
GENERATED = "Trained on generated faces: meaningless on people."
CLOSE = "prototype-space, no measurement"


def sentence(
    probabilities: NDArray[np.floating],
    near: Sequence[Near] = (),
    va: tuple[float, float] | None = None,
    abstained: bool = False,
    generated: bool = False,
) -> str:
    """Plain sentences about one face.

    Args:
        probabilities: of the eight emotions, `[8]`.
        near: nearest prototypes, the nearest first; none without a grid.
        va: valence and arousal in prototype space; None where they are not shown.
        abstained: whether the confidence lies below the threshold of the model.
        generated: whether the model was trained on generated faces.

    Raises:
        InputError: for anything but eight finite probabilities.

    >>> sentence(np.array([0.1, 0.83, 0.07, 0, 0, 0, 0, 0])).split(" This")[0]
    'Perceived expression: happiness, 83 %; next neutral, 10 %.'
    """
    if np.shape(probabilities) != (len(EMOTIONS),) or not np.isfinite(probabilities).all():
        found = f"{np.shape(probabilities)} values, or not finite"
        raise InputError("probabilities", found, "give one for each of the eight emotions")
    parts = [_expression(probabilities, abstained)]
    if near:
        cells = ", ".join(f"({_two(cell.valence)}, {_two(cell.arousal)})" for cell in near)
        parts.append(f"Nearest prototypes at (valence, arousal) {cells}.")
    if va is not None and np.isfinite(va).all():
        said = f"valence {_two(va[0])}, arousal {_two(va[1])}"
        parts.append(f"Read-out of the grid: {said} ({CLOSE}).")
    parts.append(NO_FEELING)
    return " ".join([GENERATED, *parts] if generated else parts)


def _expression(probabilities: NDArray[np.floating], abstained: bool) -> str:
    """The two likeliest expressions, or that none is named."""
    order = np.argsort(-np.asarray(probabilities, np.float64), kind="stable")
    first, second = ((EMOTIONS[k], f"{100 * probabilities[k]:.0f} %") for k in order[:2])
    likeliest = f"{first[0]}, {first[1]}; next {second[0]}, {second[1]}"
    if abstained:
        return f"No perceived expression is named, the model is too unsure (likeliest {likeliest})."
    return f"Perceived expression: {likeliest}."


def _two(value: float) -> str:
    """A coordinate, as +0.40; never a negative zero."""
    return f"{round(float(value), 2) + 0.0:+.2f}"
