"""Random Gram matrices of unit vectors with given eigenvalues and a given mean cosine.

A correlation matrix of given spectrum and otherwise random is a classical problem (Davies and
Higham 2000, BIT 40, with the rotations of Bendel and Mickey 1978). Those rotations set the diagonal
but move the mean of the rest, so both are set at once here: by turns `exp(A) G exp(-A)` with a skew
`A`, which keep every eigenvalue, found by Newton's method with the shortest step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurogaze.errors import InputError

TOLERANCE = 1e-10
"""Largest error of an entry of the diagonal, and of the mean entry, at which turning stops."""

N_TURNS, N_DRAWS = 100, 20
"""Newton steps from one start, and starts, before giving up."""

LONGEST_TURN = 0.5
"""Longest step, as the Frobenius norm of `A`; Newton's method is only sound near its end."""

Floats = NDArray[np.float64]


def random_gram(gram: Floats, draw: np.random.Generator) -> Floats:
    """A random Gram matrix with the eigenvalues, unit diagonal and mean entry of another.

    It starts from a random eigenbasis in which the vector of ones has components as long as in the
    eigenbasis of `gram`, so that the mean entry is right, and is turned until the diagonal is too.
    All three are met to rounding error. The draw is not uniform over all such matrices: no density
    on them is canonical.

    Args:
        gram: `[K, K]`, positive semi-definite with ones on the diagonal.
        draw: source of the start.

    Raises:
        InputError: where no start leads to such a matrix.
    """
    values, vectors = np.linalg.eigh(gram)
    wanted = float(gram.sum())
    for _ in range(N_DRAWS):
        found = _turned(_start(values, vectors.sum(axis=0), draw), wanted)
        if found is not None:
            return found
    found_text = f"eigenvalues {np.round(values, 3).tolist()}, sum of cosines {wanted:.3f}"
    raise InputError("grid", found_text, "leave this control out: its structure is rigid")


def _start(values: Floats, along: Floats, draw: np.random.Generator) -> Floats:
    """A random matrix with these eigenvalues, and the sum of entries that they had.

    Args:
        values: eigenvalues `[K]`.
        along: sum of the entries of each eigenvector, `[K]`.
        draw: source of signs and of the rest of the basis.
    """
    size = len(values)
    signed = along * draw.choice([-1.0, 1.0], size) / np.sqrt(size)
    into = _first_axis_to(signed) @ _block(draw, size)
    out = _first_axis_to(np.full(size, 1.0 / np.sqrt(size)))
    basis = out @ into.T  # columns are eigenvectors; the vector of ones has components `signed`
    return np.asarray((basis * values) @ basis.T)


def _block(draw: np.random.Generator, size: int) -> Floats:
    """Orthogonal matrix that keeps the first axis and is random in the others, `[K, K]`."""
    block = np.eye(size)
    factor, triangle = np.linalg.qr(draw.standard_normal((size - 1, size - 1)))
    block[1:, 1:] = factor * np.sign(np.diag(triangle))
    return block


def _first_axis_to(unit: Floats) -> Floats:
    """Orthogonal matrix whose first column is a unit vector (Householder), `[K, K]`."""
    normal = unit - np.eye(len(unit))[0]
    length = float(normal @ normal)
    if length < TOLERANCE**2:
        return np.eye(len(unit))
    return np.asarray(np.eye(len(unit)) - 2.0 * np.outer(normal, normal) / length)


def _turned(gram: Floats, wanted: float) -> Floats | None:
    """Turn a matrix until its diagonal is 1 and its entries have a given sum; None: it does not."""
    from scipy.linalg import expm

    rows, columns = np.triu_indices(len(gram), 1)
    for _ in range(N_TURNS):
        gap = np.append(1.0 - np.diag(gram), (wanted - gram.sum()) / len(gram))
        if np.abs(gap).max() < TOLERANCE:
            return gram
        step = np.linalg.lstsq(_slopes(gram, rows, columns), gap, rcond=1e-9)[0]
        step *= min(1.0, LONGEST_TURN / max(float(np.linalg.norm(step)) * np.sqrt(2.0), 1e-300))
        skew = np.zeros_like(gram)
        skew[rows, columns], skew[columns, rows] = step, -step
        turn = expm(skew)
        gram = turn @ gram @ turn.T
        gram = (gram + gram.T) / 2.0
    return None


def _slopes(gram: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Floats:
    """How diagonal and sum of entries move with each entry of the skew matrix, `[K + 1, pairs]`.

    With `A = e_i e_j' - e_j e_i'` the matrix moves by `A G - G A`: entry i of the diagonal by
    `2 G_ij`, entry j by `-2 G_ij`, and the sum of entries by `2 (s_j - s_i)`, where `s` are the
    sums of rows. The sum is taken a K-th, so that no equation outweighs the others.
    """
    size, pairs = len(gram), np.arange(len(rows))
    slopes = np.zeros((size + 1, len(rows)))
    entry, sums = gram[rows, columns], gram.sum(axis=1)
    slopes[rows, pairs], slopes[columns, pairs] = 2.0 * entry, -2.0 * entry
    slopes[size] = 2.0 * (sums[columns] - sums[rows]) / size
    return slopes


def factor(gram: Floats, width: int) -> Floats:
    """Unit rows with these cosines, `[K, width]`, as few of whose columns as can be are not 0.

    Args:
        gram: `[K, K]`, positive semi-definite with ones on the diagonal.
        width: values of a row.

    Raises:
        InputError: when the rank of the matrix is above the width.
    """
    values, vectors = np.linalg.eigh(gram)
    kept = min(width, len(gram))
    left_out = float(np.clip(values[: len(gram) - kept], 0.0, None).sum())
    if left_out > TOLERANCE * len(gram):
        raise InputError("grid", f"{len(gram)} cells in {width} values", "use wider embeddings")
    rows = np.zeros((len(gram), width))
    rows[:, :kept] = (vectors * np.sqrt(np.clip(values, 0.0, None)))[:, ::-1][:, :kept]
    return rows
