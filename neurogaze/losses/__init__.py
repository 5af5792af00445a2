"""Loss terms, one a file, and the objective that adds them; no Lightning."""
