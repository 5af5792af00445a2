"""A corpus in memory, small enough for every test of the EEG wing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from neurogaze.eeg.recordings import Corpus, Trial
from neurogaze.eeg.table import FeatureTable

CHANNELS = ("AF3", "T7", "O1", "AF4")


@dataclass
class ToyCorpus(Corpus):
    name: str = "toy"
    n_subjects: int = 5
    n_clips: int = 6
    seconds: float = 12.0
    sfreq: float = 128.0
    rated: bool = True
    baseline: bool = False
    highpass: float = 0.0
    seeds: dict[str, int] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)

    def subjects(self) -> tuple[str, ...]:
        return tuple(f"S{i:02d}" for i in range(self.n_subjects))

    def identity(self, subject: str) -> dict[str, str | int | float | bool]:
        return {"seed": self.seeds.get(subject, 0)}

    def trials(self, subject: str) -> Iterator[Trial]:
        self.opened.append(subject)
        draw = np.random.default_rng([int(subject[1:]), self.seeds.get(subject, 0)])
        for c in range(self.n_clips):
            rating = {"valence": draw.uniform(-1, 1), "arousal": draw.uniform(-1, 1)}
            yield make_trial(
                draw.normal(0, 1e-5, (len(CHANNELS), round(self.seconds * self.sfreq))),
                self.sfreq,
                subject=subject,
                clip=f"c{c}",
                event=f"{subject}-c{c}",
                trial=f"{subject}-t{c}",
                baseline=draw.normal(0, 1e-5, (len(CHANNELS), 1024)) if self.baseline else None,
                **(rating if self.rated else {}),
            )


def make_trial(eeg, sfreq=128.0, baseline=None, channels=CHANNELS, **names) -> Trial:
    names = {"corpus": "toy", "subject": "S00", "clip": "c0", "event": "e0", "trial": "t0"} | names
    return Trial(
        eeg=np.asarray(eeg, np.float32),
        sfreq=sfreq,
        channels=channels,
        source=Path("toy.mat"),
        baseline=None if baseline is None else np.asarray(baseline, np.float32),
        **names,
    )


def make_table(
    n_subjects=6, n_clips=6, trials_per_event=2, n_windows=5, n_features=(4, 2), seed=0, signal=0.0
) -> FeatureTable:
    """DASPS-like table; `signal` is the weight of the ratings in the features."""
    draw = np.random.default_rng(seed)
    subject, clip, event, trial, start, va, x = [], [], [], [], [], [], []
    direction = draw.normal(size=(2, *n_features))
    for s in range(n_subjects):
        offset = draw.normal(size=n_features)
        for c in range(n_clips):
            rating = draw.uniform(-1, 1, 2)
            for t in range(trials_per_event):
                drift = draw.normal(size=n_features) * 0.5
                for w in range(n_windows):
                    subject.append(f"S{s:02d}")
                    clip.append(f"c{c}")
                    event.append(f"S{s:02d}-c{c}")
                    trial.append(f"S{s:02d}-c{c}-{t}")
                    start.append(2.0 * w)
                    va.append(rating)
                    noise = draw.normal(size=n_features)
                    x.append(offset + drift + noise + signal * np.tensordot(rating, direction, 1))
    va = np.array(va)
    return FeatureTable(
        features=np.array(x, np.float32),
        channels=tuple(f"E{i}" for i in range(n_features[0])),
        bands=tuple(f"b{i}" for i in range(n_features[1])),
        window=4.0,
        corpus="toy",
        subject=np.array(subject),
        clip=np.array(clip),
        event=np.array(event),
        trial=np.array(trial),
        start=np.array(start),
        valence=va[:, 0],
        arousal=va[:, 1],
        dominance=np.full(len(va), np.nan),
        label=np.full(len(va), -1, dtype=np.int64),
        floors=0,
        settings_hash="0" * 64,
    )
