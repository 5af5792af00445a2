"""Predictions to scores: metrics from integer confusion matrices, intervals, result rows."""
