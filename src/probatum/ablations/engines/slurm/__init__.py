"""Runs as jobs of a Slurm, through submitit."""
