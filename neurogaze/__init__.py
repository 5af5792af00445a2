"""EEG-to-face cross-modal distillation: recordings, teacher, prototype grid, image-only student.

Importing this package loads nothing heavy: every room imports what it needs where it needs it.
"""

__version__ = "0.1.0"
