"""Knowledge tracing: GainAKT2Exp, GainAKT3Exp, and two baselines."""
