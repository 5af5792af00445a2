"""Recordings to features: NumPy, SciPy and MNE; torch only in `datamodule` and `batches`."""
