"""The files that `probatum new study` writes: a study that runs at once, to be changed piece by piece."""
