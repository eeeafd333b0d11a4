"""Recorded runs in a tracking store, sent from their files: `probatum runs sync`, `probatum ablate --mlflow`."""
