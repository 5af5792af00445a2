"""A small random batch for the loss terms."""

import torch

from neurogaze.affect import grid_centers
from neurogaze.losses.seen import Seen


def batch(n=16, dim=12, seed=0, dtype=torch.float32, labels=None, **changes):
    """Random logits, embeddings, teacher logits and prototypes; labels cycle over the classes."""
    rng = torch.Generator().manual_seed(seed)
    label = torch.arange(n) % 8 if labels is None else torch.as_tensor(labels)
    n = len(label)
    prototypes = torch.nn.functional.normalize(torch.randn(25, dim, generator=rng).to(dtype), dim=1)
    values = {
        "logits": torch.randn(n, 8, generator=rng).to(dtype).requires_grad_(),
        "embedding": torch.randn(n, dim, generator=rng).to(dtype).requires_grad_(),
        "label": label,
        "target": torch.nn.functional.one_hot(label, 8).to(dtype),
        "teacher_logits": torch.randn(n, 8, generator=rng).to(dtype),
        "prototypes": prototypes,
        "centers": torch.from_numpy(grid_centers(5)),
        "epoch": 60.0,
        "max_epochs": 100,
    }
    return Seen(**(values | changes))
