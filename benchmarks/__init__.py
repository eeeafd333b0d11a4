"""What Probatum costs and gains, measured beside others; `python -m benchmarks [NAME ...]` runs them.

- `throughput`: training interactions per second, GainAKT2Exp beside pyKT's AKT and SAKT;
- `startup`: the verbs beside `python -c pass`, a launch beside `import torch`;
- `recording`: one recorded run beside MLflow, Sacred and Aim, and the query for the best one.

Each writes `results/NAME.json` with the machine, the date, the command and the load; every figure that
counts is a ratio of measurements that took turns. `table.markdown` renders those files for the documentation.
"""
