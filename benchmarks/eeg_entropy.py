"""Band entropy: ours beside torcheeg, in turns, on trials of the lengths of DREAMER."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from einops import rearrange
from figures import Figure, at_least, at_most, plain
from numpy.typing import NDArray
from torcheeg_environment import Torcheeg, environment

from neurogaze.eeg.features import PAPER_CODE, FeatureSettings, trial_features
from neurogaze.eeg.preprocessing import clean
from neurogaze.eeg.recordings import EPOC, Trial

RATE, WINDOW = 128, 1.0
FAITHFUL_TARGET, PAPER_TARGET, DIFFERENCE_TARGET = 150.0, 20.0, 1e-5

PEOPLE = 23
"""Of DREAMER; all of them watch the same clips, so lengths come back that often."""

OURS = {
    "faithful": FeatureSettings(window=WINDOW, hop=WINDOW, baseline=False),
    "paper_code": replace(PAPER_CODE, window=WINDOW, hop=WINDOW, baseline=False, zscore="none"),
}
"""Both with windows of 1 s, the clean-up of the recording included."""


def noise_trial(seconds: float, seed: int) -> Trial:
    """A random walk that returns, about 10 microvolts, 14 channels."""
    rng = np.random.default_rng(seed)
    eeg = rng.standard_normal((len(EPOC), round(seconds * RATE))).cumsum(axis=1)
    eeg -= np.linspace(0, 1, eeg.shape[1]) * eeg[:, -1:]
    volts = 1e-5 * eeg / eeg.std(axis=1, keepdims=True) + 4.2e-3
    return Trial(
        eeg=volts.astype(np.float32),
        sfreq=float(RATE),
        channels=EPOC,
        corpus="noise",
        subject="S01",
        clip=f"clip{seed:02d}",
        event=f"S01/{seed}",
        trial=f"S01/{seed}",
        source=Path("noise"),
    )


def timed(trial: Trial, settings: FeatureSettings) -> tuple[NDArray[np.float32], float]:
    """Features, and seconds a window over all people who watch the same clip.

    Filters belong to the length of a recording, so the first of them pays for the others.
    """
    own = [trial, *(replace(trial, eeg=np.roll(trial.eeg, 97 * i, axis=1)) for i in (1, 2))]
    begin = time.perf_counter()
    made = [trial_features(own[i % len(own)], settings).values for i in range(PEOPLE)]
    return made[0], (time.perf_counter() - begin) / (PEOPLE * len(made[0]))


def ours_alone(trials: list[Trial]) -> list[Figure]:
    """Windows a second of both presets, where torcheeg is not to be had."""
    figures = []
    for name, settings in OURS.items():
        rates = [1 / timed(trial, settings)[1] for trial in trials]
        figures.append(plain(f"entropy, {name}", rates, "windows/s"))
    return figures


def beside_torcheeg(trials: list[Trial], windows: int, folder: Path, scratch: Path) -> list[Figure]:
    """Ratios of windows a second, one a trial, and the greatest difference of the values.

    Args:
        trials: one round each.
        windows: of each trial that torcheeg computes; ours computes all of the trial.
        folder: of the environment of torcheeg.
        scratch: for the windows handed over.

    Raises:
        Unavailable: if there is no such environment.
    """
    torcheeg = Torcheeg(environment(folder), scratch)
    theirs, difference = [], []
    ours: dict[str, list[float]] = {name: [] for name in OURS}
    torcheeg.entropies(np.random.default_rng(0).standard_normal((2, len(EPOC), RATE)))
    for settings in OURS.values():
        timed(trials[0], settings)
    for trial in trials:
        cut = _windows(trial, windows)
        bits, seconds = torcheeg.entropies(cut)
        theirs.append(seconds / len(cut))
        for name, settings in OURS.items():
            values, each = timed(trial, settings)
            ours[name].append(each)
            if name == "paper_code":
                difference.append(float(np.abs(values[: len(cut)] - bits).max()))
    torcheeg.close()
    ratio = {n: [t / o for t, o in zip(theirs, ours[n], strict=True)] for n in OURS}
    return [
        plain("entropy, torcheeg", [1 / t for t in theirs], "windows/s"),
        *(plain(f"entropy, {n}", [1 / t for t in ours[n]], "windows/s") for n in OURS),
        at_least("entropy, faithful : torcheeg", ratio["faithful"], FAITHFUL_TARGET),
        at_least("entropy, paper_code : torcheeg", ratio["paper_code"], PAPER_TARGET),
        at_most("paper_code - torcheeg, greatest", [max(difference)], DIFFERENCE_TARGET, "bits"),
    ]


def _windows(trial: Trial, most: int) -> NDArray[np.float64]:
    """The first windows of the recording without its DC, `[windows, channels, samples]`."""
    x = clean(trial.eeg, trial.sfreq, PAPER_CODE.preprocessing)
    count = min(most, x.shape[1] // RATE)
    kept = x[:, : count * RATE]
    return np.ascontiguousarray(rearrange(kept, "c (w t) -> w c t", t=RATE))
