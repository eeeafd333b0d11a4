"""What is done to inputs: missingness, truncation, noise; and what a metric makes of it."""
