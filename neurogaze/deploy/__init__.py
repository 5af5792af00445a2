"""A trained student made ready for use outside this package."""
