"""Face corpora: each reads one layout on disk, or draws faces by a recipe."""
