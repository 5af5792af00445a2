"""Three classifiers of windows for the demonstration of leakage: two quick ones and a network.

All have one signature: features of all windows, several labellings of them at once, rows to learn
from, rows to judge; they give the class of every judged row under every labelling. A labelling is a
column: the ratings themselves, or the ratings after a permutation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from neurogaze.eeg.batches import feature_moments
from neurogaze.models.rbtransformer import RBTransformer

Features = NDArray[np.float32]
Index = NDArray[np.int64]
Recogniser = Callable[[Features, Index, Index, Index], Index]

RIDGE_PENALTY = 1.0
LABEL_SMOOTHING, LEARNING_RATE, WEIGHT_DECAY, LEAST_RATE = 0.12, 1e-3, 1e-3, 1e-6
"""Of the code published with arXiv:2511.13954, as is the last epoch's being reported."""
BATCH = 64
"""Windows of a batch, as in the second half of the published training."""


def standardised(features: Features, train: Index) -> Features:
    """Features `[N, C, K]` by mean and deviation of the training rows."""
    mean, std = feature_moments(features[train])
    return (features - mean) / std


def nearest(features: Features, labels: Index, train: Index, test: Index) -> Index:
    """Class of the nearest training window (Euclidean distance of standardised features).

    Args:
        features: `[N, C, K]`.
        labels: `int64 [N, P]`, 0 or 1 under each of P labellings.
        train: rows to learn from.
        test: rows to judge.

    Returns:
        `int64 [len(test), P]`.
    """
    from sklearn.neighbors import NearestNeighbors

    x = rearrange(standardised(features, train), "n c k -> n (c k)")
    search = NearestNeighbors(n_neighbors=1).fit(x[train])
    return labels[train[search.kneighbors(x[test], return_distance=False)[:, 0]]]


def linear(features: Features, labels: Index, train: Index, test: Index) -> Index:
    """Sign of a ridge regression on -1 and 1 (a ridge classifier); see `nearest`."""
    from sklearn.linear_model import Ridge

    x = rearrange(standardised(features, train), "n c k -> n (c k)").astype(np.float64)
    model = Ridge(alpha=RIDGE_PENALTY).fit(x[train], 2.0 * labels[train] - 1.0)
    return np.asarray(model.predict(x[test]).reshape(len(test), -1) > 0, dtype=np.int64)


@dataclass(frozen=True)
class Transformer:
    """The RBTransformer under much of its published recipe.

    Fewer epochs, batches of 64 throughout, features standardised by the training windows, no SMOTE
    and no dropped windows. AdamW, label smoothing, cosine annealing once an epoch; the last epoch
    judges. Nothing is selected on held-out windows, so nothing but the split can leak.

    Args:
        epochs: passes over the training windows.
        seed: of weights, dropout and order.
    """

    epochs: int = 10
    seed: int = 0

    def __call__(self, features: Features, labels: Index, train: Index, test: Index) -> Index:
        """Train once a labelling and judge; see `nearest`."""
        x = torch.from_numpy(standardised(features, train))
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.random.fork_rng(devices=[]):
                judged = [self._judge(x, column, train, test) for column in labels.T]
        finally:
            torch.set_num_threads(threads)
        return np.stack(judged, axis=1)

    def _judge(self, x: Tensor, labels: Index, train: Index, test: Index) -> Index:
        torch.manual_seed(self.seed)
        network, y = RBTransformer(x.shape[1], 2, x.shape[2]), torch.from_numpy(labels)
        optimiser = torch.optim.AdamW(
            network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY
        )
        rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.epochs, LEAST_RATE)
        order, n_batches = np.random.default_rng(self.seed), max(1, round(len(train) / BATCH))
        for _ in range(self.epochs):
            for batch in np.array_split(order.permutation(train), n_batches):
                optimiser.zero_grad()
                logits = network(x[batch])
                loss = cross_entropy(logits, y[batch], label_smoothing=LABEL_SMOOTHING)
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            rate.step()
        with torch.inference_mode():
            return np.asarray(network.eval()(x[test]).argmax(dim=1).numpy())
