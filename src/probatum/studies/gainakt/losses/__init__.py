"""The terms of GainAKT's objective, one idea per file; every average is over real steps only."""
