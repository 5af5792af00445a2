"""The teacher's loss: squared error and concordance (Lin 1989, Biometrics 45)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from neurogaze.errors import InputError
from neurogaze.losses.seen import full_precision, widened


def concordance(prediction: Tensor, truth: Tensor, eps: float = 1e-6) -> Tensor:
    """Concordance correlation `2 cov / (var_p + var_t + (mean_p - mean_t)^2 + eps)`.

    Args:
        prediction: `[B]` or `[B, axes]`.
        truth: likewise.
        eps: keeps two constant inputs at 0 and the gradient finite.

    Returns:
        Scalar or `[axes]`, in [-1, 1]; population moments, over the first axis.

    >>> bool(concordance(Tensor([0.0, 1.0]), Tensor([1.0, 0.0])) < -0.999)
    True
    """
    off_prediction, off_truth = prediction - prediction.mean(0), truth - truth.mean(0)
    covariance = (off_prediction * off_truth).mean(0)
    spread = off_prediction.square().mean(0) + off_truth.square().mean(0)
    shift = (prediction.mean(0) - truth.mean(0)).square()
    return 2.0 * covariance / (spread + shift + eps)


def check_share(mse_weight: float) -> None:
    """Refuse what is no share of a loss.

    Args:
        mse_weight: see `va_loss`.

    Raises:
        InputError: outside [0, 1].
    """
    if not 0 <= mse_weight <= 1:
        raise InputError("model.mse_weight", f"is {mse_weight}", "give a number from 0 to 1")


def va_loss(prediction: Tensor, truth: Tensor, mse_weight: float = 0.5) -> Tensor:
    """`mse_weight * MSE + (1 - mse_weight) * (1 - mean CCC of valence and arousal)`.

    Args:
        prediction: `[B, 2]`, valence and arousal.
        truth: `[B, 2]`, ratings in [-1, 1].
        mse_weight: share of the squared error, in [0, 1].

    Raises:
        InputError: for a share outside that, which would give one of the two a negative factor.
    """
    check_share(mse_weight)
    with full_precision(prediction):
        prediction = widened(prediction)
        truth = truth.to(prediction.dtype)
        agreement = concordance(prediction, truth).mean()
        return mse_weight * F.mse_loss(prediction, truth) + (1 - mse_weight) * (1 - agreement)
