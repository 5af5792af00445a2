"""The EEG teacher: band features to an embedding and to valence and arousal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from neurogaze.eeg.recordings import EPOC
from neurogaze.errors import InputError
from neurogaze.models.electrode_transformer import (
    ELECTRODES,
    WIDTH,
    ElectrodeEncoder,
    electrode_ids,
)
from neurogaze.models.topomap_encoder import MapMethod, MapMode, Maps, TopomapEncoder

Branches = Literal["both", "topomap", "electrodes"]


class TeacherOutput(NamedTuple):
    """What the teacher says of a batch.

    Attributes:
        embedding: `[B, embedding_dim]`, the penultimate feature; not normalised.
        va: `[B, 2]`, valence and arousal; not clipped.
        dominance: `[B]`, not clipped; None from a teacher that does not predict it.
    """

    embedding: Tensor
    va: Tensor
    dominance: Tensor | None = None


class Teacher(nn.Module):
    """Map network and electrode transformer over differential entropies, fused to one embedding.

    Raw features go in; standardisation is part of the network, see `set_statistics`. Either branch
    can be used alone. The head is linear because ratings reach -1 and 1, which tanh cannot.

    Args:
        channels: electrodes of the training corpus, in the order of its features.
        n_bands: frequency bands.
        branches: both branches, or one of them.
        embedding_dim: width of the embedding.
        dropout: dropout of the electrode transformer.
        map_size: points on a side of the scalp map.
        symmetric: average each map with its mirror image, left to right.
        map_mode: "hull" ends the map at the outer electrodes, "head" at the head circle.
        map_method: interpolation between electrodes; "cubic" may overshoot, "linear" never does.
        n_outputs: 2 = valence and arousal, 3 = dominance as well.

    Raises:
        InputError: for an electrode that is unknown or named twice, a map without a point, or
            another number of outputs.
    """

    feature_mean: Tensor
    feature_std: Tensor
    electrode_ids: Tensor

    def __init__(
        self,
        channels: Sequence[str] = EPOC,
        n_bands: int = 4,
        branches: Branches = "both",
        embedding_dim: int = 256,
        dropout: float = 0.1,
        map_size: int = 32,
        symmetric: bool = False,
        map_mode: MapMode = "hull",
        map_method: MapMethod = "cubic",
        n_outputs: Literal[2, 3] = 2,
    ) -> None:
        super().__init__()
        if n_outputs not in (2, 3):
            raise InputError("n_outputs", f"{n_outputs} is not offered", "use 2 or 3")
        if map_size < 1:
            raise InputError("map_size", f"{map_size} points a side", "use 8 or more")
        self.maps = Maps(map_size, map_mode, map_method, symmetric)
        self.channels, self.n_outputs = tuple(channels), n_outputs
        ids = electrode_ids(self.channels)
        if len(np.unique(ids)) != len(ids):
            raise InputError(
                "channels", f"an electrode is named twice in {self.channels}", "drop it"
            )
        self.register_buffer("electrode_ids", torch.from_numpy(ids), persistent=False)
        self.register_buffer("feature_mean", torch.zeros(len(ids), n_bands))
        self.register_buffer("feature_std", torch.ones(len(ids), n_bands))
        encoders: list[nn.Module] = []
        if branches != "electrodes":
            encoders.append(TopomapEncoder(*self.maps.layout(self.channels), n_bands))
        if branches != "topomap":
            encoders.append(ElectrodeEncoder(len(ids), n_bands, dropout))
        self.encoders = nn.ModuleList(encoders)
        self.fuse = nn.Sequential(nn.Linear(WIDTH * len(encoders), embedding_dim), nn.GELU())
        self.head = nn.Linear(embedding_dim, n_outputs)

    def set_statistics(self, mean: ArrayLike, std: ArrayLike) -> None:
        """Take the standardisation of the training fold, mean and deviation, `[C, K]`, nats.

        Raises:
            InputError: for a wrong shape, a value that is not finite, or a deviation of 0.
        """
        values = [torch.as_tensor(np.asarray(x), dtype=torch.float32) for x in (mean, std)]
        for name, value in zip(("mean", "std"), values, strict=True):
            if value.shape != self.feature_mean.shape or not bool(torch.isfinite(value).all()):
                raise InputError(
                    f"feature {name}",
                    f"shape {tuple(value.shape)} or its values do not fit "
                    f"{tuple(self.feature_mean.shape)} electrodes by bands",
                    "compute it from the training rows of the same montage and bands",
                )
        constant = [self.channels[i] for i in torch.where((values[1] <= 0).any(1))[0].tolist()]
        if constant:
            raise InputError(
                "feature std", f"{constant} never change", "leave these electrodes out"
            )
        self.feature_mean.copy_(values[0])
        self.feature_std.copy_(values[1])

    def check_montage(self, channels: Sequence[str], bands: Sequence[str]) -> None:
        """Refuse data to train on that are laid out in another way.

        Args:
            channels: electrodes of the data, in their order.
            bands: bands of the data.

        Raises:
            InputError: naming both.
        """
        if tuple(channels) != self.channels:
            raise InputError(
                "model.teacher.channels",
                f"{list(self.channels)} are not the electrodes of the data {list(channels)}",
                "name the electrodes of the corpus in the teacher's configuration",
            )
        n_bands = self.feature_mean.shape[1]
        if len(bands) != n_bands:
            raise InputError(
                "model.teacher.n_bands",
                f"{n_bands} does not fit the bands {list(bands)}",
                "set it to the number of bands of the features",
            )

    def _pick(self, features: Tensor, given: Tensor | None) -> Tensor:
        """Columns of the trained electrodes, in the trained order."""
        if given is not None:
            match = self.electrode_ids[:, None] == given.to(self.electrode_ids.device)[None, :]
            missing = torch.where(~match.any(1))[0].tolist()
            if missing:
                names = [ELECTRODES[self.electrode_ids[i]] for i in missing]
                raise InputError(
                    "montage",
                    f"has no electrode {names}, which the teacher was trained with",
                    "train a teacher on the electrodes that both corpora share",
                )
            features = features[:, match.int().argmax(1)]
        if features.shape[1:] != self.feature_mean.shape:
            raise InputError(
                "features",
                f"{tuple(features.shape[1:])} electrodes by bands, the teacher was trained with "
                f"{tuple(self.feature_mean.shape)}",
                "give electrode_ids of the montage, and the bands of the teacher",
            )
        return features

    def forward(self, features: Tensor, electrode_ids: Tensor | None = None) -> TeacherOutput:
        """Embed windows and predict valence and arousal, and dominance where it was asked for.

        Args:
            features: `[B, C, K]`, raw differential entropies, nats.
            electrode_ids: int64 `[C]`, places of the columns in `ELECTRODES`; None means the
                trained montage. Trained electrodes are found by name, others are not used.

        Raises:
            InputError: when a trained electrode is missing or the bands differ.
        """
        features = self._pick(features, electrode_ids)
        standard = (features - self.feature_mean) / self.feature_std
        embedding = self.fuse(torch.cat([encode(standard) for encode in self.encoders], dim=1))
        said = self.head(embedding)
        return TeacherOutput(embedding, said[:, :2], said[:, 2] if said.shape[1] > 2 else None)
