"""Stages from recordings to report; each leaves an artefact with a fingerprint."""
