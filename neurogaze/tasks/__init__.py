"""Thin LightningModules: what a step computes and logs, nothing else."""
