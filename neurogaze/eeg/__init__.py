"""Recordings to features: NumPy, SciPy and MNE; no torch except in `datamodule`."""
