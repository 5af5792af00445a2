"""Band entropy by torcheeg, run by the interpreter of its own environment.

Reads one JSON object a line, `{"windows": file.npy, "out": file.npy}`, and answers with the seconds
that the transform took over all windows; their entropies go into the second file.
"""

import json
import sys
import time

import numpy as np
from torcheeg.transforms import BandDifferentialEntropy

transform = BandDifferentialEntropy(sampling_rate=128)
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    windows = np.load(asked["windows"])
    begin = time.perf_counter()
    entropies = [transform(eeg=window)["eeg"] for window in windows]
    seconds = time.perf_counter() - begin
    np.save(asked["out"], np.stack(entropies))
    print(json.dumps({"seconds": seconds}), flush=True)
