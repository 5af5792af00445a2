"""The RBTransformer of arXiv:2511.13954 as a classifier, whole or with a part taken away."""

from __future__ import annotations

from torch import Tensor, nn

from neurogaze.models.electrode_transformer import WIDTH, Blocks, ElectrodeEncoder

HEAD_WIDTHS = (256, 256, 128)


class RBTransformer(nn.Module):
    """The classifier of arXiv:2511.13954 as its authors ran it: encoder and a four-layer head.

    Args:
        n_channels: electrodes: 14 in DREAMER, 32 in DEAP, 62 in SEED.
        n_classes: emotion classes.
        n_bands: frequency bands.
        dropout: probability of dropping.
        blocks: see `ElectrodeEncoder`; "none" is the ablation of the paper.
        identity: see `ElectrodeEncoder`.
    """

    def __init__(
        self,
        n_channels: int = 14,
        n_classes: int = 2,
        n_bands: int = 4,
        dropout: float = 0.1,
        blocks: Blocks = "attention",
        identity: bool = True,
    ) -> None:
        super().__init__()
        self.n_channels, self.n_classes, self.n_bands = n_channels, n_classes, n_bands
        self.encoder = ElectrodeEncoder(n_channels, n_bands, dropout, blocks, identity)
        layers: list[nn.Module] = []
        for width, after in zip((WIDTH, *HEAD_WIDTHS), HEAD_WIDTHS, strict=False):
            layers += [nn.Linear(width, after), nn.GELU(), nn.Dropout(dropout)]
        self.head = nn.Sequential(*layers, nn.Linear(HEAD_WIDTHS[-1], n_classes))

    def forward(self, features: Tensor) -> Tensor:
        """Classify features, `[B, C, K]` to logits `[B, n_classes]`."""
        return self.head(self.encoder(features))
