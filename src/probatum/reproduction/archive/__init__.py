"""A run as one file that says by itself what was run: a Process Run Crate."""
