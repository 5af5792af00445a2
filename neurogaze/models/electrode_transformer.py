"""Attention between electrodes: the encoder of arXiv:2511.13954, and electrode names.

A token is one electrode: its differential entropies in the bands. An embedding that belongs to the
electrode is added, so the network knows which token came from where.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from einops import rearrange, reduce
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from neurogaze.eeg.montage import ALIASES
from neurogaze.errors import InputError

ELECTRODES = (
    "Fp1", "Fpz", "Fp2",
    "AF9", "AF7", "AF5", "AF3", "AF1", "AFz", "AF2", "AF4", "AF6", "AF8", "AF10",
    "F9", "F7", "F5", "F3", "F1", "Fz", "F2", "F4", "F6", "F8", "F10",
    "FT9", "FT7", "FC5", "FC3", "FC1", "FCz", "FC2", "FC4", "FC6", "FT8", "FT10",
    "T9", "T7", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "T8", "T10",
    "TP9", "TP7", "CP5", "CP3", "CP1", "CPz", "CP2", "CP4", "CP6", "TP8", "TP10",
    "P9", "P7", "P5", "P3", "P1", "Pz", "P2", "P4", "P6", "P8", "P10",
    "PO9", "PO7", "PO5", "PO3", "PO1", "POz", "PO2", "PO4", "PO6", "PO8", "PO10",
    "O1", "Oz", "O2", "Iz",
    "CB1", "CB2",
)  # fmt: skip
"""Names of the 10-10 system; an electrode id is a place in this table. New names go to the end.

CB1 and CB2 are the cerebellar leads of the 62-channel cap of SEED and have no 10-10 position.
"""

WIDTH, DEPTH, HEADS, HEAD_DIM = 128, 4, 6, 32

Blocks = Literal["attention", "feed_forward", "none"]
"""What refines the tokens; see `ElectrodeEncoder`."""


def electrode_ids(names: Sequence[str]) -> NDArray[np.int64]:
    """Places of electrodes in `ELECTRODES`; case and old 10-20 names do not matter.

    Args:
        names: electrode names.

    Returns:
        `int64 [len(names)]`.

    Raises:
        InputError: for a name that is in no 10-10 table.

    >>> electrode_ids(["Fp1", "FPZ", "T3", "T7"]).tolist()
    [0, 1, 37, 37]
    """
    known = {name.upper(): place for place, name in enumerate(ELECTRODES)}
    known |= {old: known[new.upper()] for old, new in ALIASES.items()}
    unknown = [name for name in names if name.strip().upper() not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0].strip().upper(), list(known), n=3, cutoff=0.4)
        raise InputError(
            f"electrode {unknown[0]!r}",
            "is no name of the 10-10 system",
            f"rename it to a standard name; close ones are {near}",
        )
    return np.array([known[name.strip().upper()] for name in names], dtype=np.int64)


class ElectrodeAttention(nn.Module):
    """Multi-head self-attention over electrodes, `softmax(Q K^T / sqrt(head_dim)) V`.

    Args:
        width: width of a token.
        heads: number of heads.
        head_dim: width of a head; `heads * head_dim` need not equal `width`.
        dropout: probability of dropping an attention weight or an output unit.
    """

    def __init__(
        self,
        width: int = WIDTH,
        heads: int = HEADS,
        head_dim: int = HEAD_DIM,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.qkv = nn.Linear(width, 3 * heads * head_dim, bias=False)
        self.out = nn.Sequential(nn.Linear(heads * head_dim, width), nn.Dropout(dropout))

    def forward(self, tokens: Tensor) -> Tensor:
        """Let every electrode attend to every other, `[B, C, width]` to `[B, C, width]`."""
        query, key, value = rearrange(
            self.qkv(tokens), "b c (three h d) -> three b h c d", three=3, h=self.heads
        )
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
        return self.out(rearrange(mixed, "b h c d -> b c (h d)"))


class Block(nn.Module):
    """One pre-norm transformer block: attention, then a two-layer network, each with a residual.

    Args:
        width: width of a token; the hidden layer has the same width.
        heads: number of heads.
        head_dim: width of a head.
        dropout: probability of dropping.
    """

    def __init__(
        self,
        width: int = WIDTH,
        heads: int = HEADS,
        head_dim: int = HEAD_DIM,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.LayerNorm(width), ElectrodeAttention(width, heads, head_dim, dropout)
        )
        self.feed_forward = _feed_forward(width, dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Refine tokens, `[B, C, width]` to `[B, C, width]`."""
        tokens = tokens + self.attention(tokens)
        return tokens + self.feed_forward(tokens)


class LonelyBlock(nn.Module):
    """A block without its attention: every electrode is refined alone.

    Args:
        width: width of a token.
        dropout: probability of dropping.
    """

    def __init__(self, width: int = WIDTH, dropout: float = 0.1) -> None:
        super().__init__()
        self.feed_forward = _feed_forward(width, dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Refine tokens, `[B, C, width]` to `[B, C, width]`."""
        return tokens + self.feed_forward(tokens)


def _feed_forward(width: int, dropout: float) -> nn.Sequential:
    """The second half of a block, without its residual."""
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, width),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(width, width),
        nn.Dropout(dropout),
    )


def _blocks(kind: Blocks, dropout: float) -> nn.Sequential:
    """The stack of blocks; empty for "none"."""
    if kind not in ("attention", "feed_forward", "none"):
        raise InputError("blocks", f"{kind!r} is unknown", "use attention, feed_forward or none")
    depth = 0 if kind == "none" else DEPTH
    if kind == "attention":
        return nn.Sequential(*(Block(dropout=dropout) for _ in range(depth)))
    return nn.Sequential(*(LonelyBlock(dropout=dropout) for _ in range(depth)))


class ElectrodeEncoder(nn.Module):
    """Encoder of the RBTransformer: band tokens to one vector a window (arXiv:2511.13954).

    With `blocks` "none", the ablation that was published as "no attention", the mean over
    electrodes of `W x_c + b + e_c` is `W mean(x_c)` and a constant: the network sees no more than
    the mean of each band over the head, so what it loses is not the attention alone. With
    "feed_forward" the attention is all that is missing.

    Args:
        n_channels: electrodes; token `i` is always the same electrode.
        n_bands: frequency bands in a token.
        dropout: probability of dropping, everywhere in the encoder.
        blocks: whole blocks, blocks without their attention, or no blocks at all.
        identity: add to each token a vector that belongs to its electrode.

    Raises:
        InputError: for unknown `blocks`.
    """

    identity: nn.Parameter | None

    def __init__(
        self,
        n_channels: int,
        n_bands: int = 4,
        dropout: float = 0.1,
        blocks: Blocks = "attention",
        identity: bool = True,
    ) -> None:
        super().__init__()
        self.project = nn.Linear(n_bands, WIDTH)
        self.identity = nn.Parameter(torch.randn(n_channels, WIDTH)) if identity else None
        self.dropout = nn.Dropout(dropout)
        self.blocks = _blocks(blocks, dropout)
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, features: Tensor) -> Tensor:
        """Encode standardised features, `[B, C, K]` to `[B, 128]`."""
        tokens = self.project(features)
        if self.identity is not None:
            tokens = tokens + self.identity
        return self.norm(reduce(self.blocks(self.dropout(tokens)), "b c d -> b d", "mean"))
