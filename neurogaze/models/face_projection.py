"""What stands on a backbone while it learns without labels, and is thrown away afterwards."""

from __future__ import annotations

from torch import Tensor, nn


class Expander(nn.Module):
    """Three linear layers, with batch norm and ReLU after the first two.

    The expander of VICReg (Bardes et al. 2022, arXiv 2105.04906, section 4.2), narrower.

    Args:
        in_features: width of the backbone.
        width: of all three layers.
    """

    def __init__(self, in_features: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(in_features, width),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Linear(width, width),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Linear(width, width),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Expand features `[B, in_features]` to `[B, width]`."""
        expanded: Tensor = self.layers(features)
        return expanded
