"""Images to batches: NumPy, Pillow and torch; no MNE."""
