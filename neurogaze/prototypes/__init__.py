"""The bridge: the frozen valence/arousal prototype grid, how it is made, and its controls."""
