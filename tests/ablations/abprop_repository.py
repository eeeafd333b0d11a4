"""What AbProp's repository holds, written from the fact sheet: its six plans, three configurations, a trainer."""

PLANS = {
    "plan": """
        plan_name: baseline_sweep
        defaults:
          base_output_dir: outputs/ablations
          train_config: configs/train.yaml
          model_config: configs/model.yaml
          data_config: configs/data.yaml
          train_script: scripts/train.py
          python_executable: .venv/bin/python
          seed: 42
          extra_args: []
          env:
            PYTHONPATH: src
        includes:
          model_capacity: configs/ablations/model_capacity.yaml
          task_weights: configs/ablations/task_weights.yaml
          data_regimes: configs/ablations/data_regimes.yaml
          masking: configs/ablations/masking_rates.yaml
          optimizers: configs/ablations/optimizers.yaml
        experiments:
          - include: model_capacity
          - include: task_weights
          - include: data_regimes
          - include: masking
          - include: optimizers
          - name: baseline_reference
            description: Everything as in the base files.
            tags:
              axis: baseline
    """,
    "model_capacity": """
        experiments:
          - name: model_tiny
            model_overrides: {d_model: 256, num_layers: 2, dim_feedforward: 1024, dropout: 0.1}
            train_overrides: {learning_rate: 1.5e-4}
            tags: {axis: model, variant: tiny}
          - name: model_large
            model_overrides: {d_model: 512, num_layers: 6, dim_feedforward: 2048, dropout: 0.1}
            train_overrides: {learning_rate: 8.0e-5, gradient_clipping: 0.8}
            tags: {axis: model, variant: large}
    """,
    "task_weights": """
        experiments:
          - name: balanced
            train_overrides: {task_weights: {mlm: 1.0, cls: 1.0, reg: 1.0}}
            tags: {axis: task_weights}
          - name: regression_focus
            train_overrides: {task_weights: {mlm: 0.5, cls: 0.5, reg: 2.0}}
            tags: {axis: task_weights}
          - name: generation_focus
            train_overrides: {task_weights: {mlm: 2.0, cls: 0.5, reg: 0.5}}
            tags: {axis: task_weights}
    """,
    "data_regimes": """
        experiments:
          - name: data_25pct
            train_overrides: {train_fraction: 0.25, max_steps: 4000}
            tags: {axis: data}
          - name: data_50pct
            train_overrides: {train_fraction: 0.5, max_steps: 6000}
            tags: {axis: data}
          - name: data_full
            train_overrides: {train_fraction: 1.0, max_steps: 12000}
            tags: {axis: data}
    """,
    "masking_rates": """
        experiments:
          - {name: mask_10pct, train_overrides: {mlm_probability: 0.10}, tags: {axis: masking}}
          - {name: mask_15pct, train_overrides: {mlm_probability: 0.15}, tags: {axis: masking}}
          - {name: mask_20pct, train_overrides: {mlm_probability: 0.20}, tags: {axis: masking}}
    """,
    "optimizers": """
        experiments:
          - {name: adamw, train_overrides: {optimizer: adamw}, tags: {axis: optimizer}}
          - {name: adam, train_overrides: {optimizer: adam}, tags: {axis: optimizer}}
          - {name: sgd, train_overrides: {optimizer: sgd, sgd_momentum: 0.9}, tags: {axis: optimizer}}
    """,
}

CONFIGS = {
    "train": """
        seed: 42
        learning_rate: 1e-4
        max_steps: 10000
        output_dir: outputs
        task_weights: {mlm: 1.0, cls: 1.0, reg: 1.0}
        mlflow: {tracking_uri: null, experiment_name: abprop}
    """,
    "model": "{d_model: 384, nhead: 6, num_layers: 3, dim_feedforward: 1536, dropout: 0.1}",
    "data": """
        processed_dir: ./data/processed
        parquet: {output_dir: oas_real_full, filename: oas_sequences.parquet}
    """,
}

TRAINER = """
import argparse, pathlib
parser = argparse.ArgumentParser()
for name in ("config-path", "model-config", "data-config", "output-dir", "seed"):
    parser.add_argument("--" + name)
arguments, _ = parser.parse_known_args()
logs = pathlib.Path(arguments.output_dir) / "logs"
logs.mkdir(parents=True)
rows = ["step,tag,metric,value"]
for step, loss in ((1, 3.0), (50, 1.0), (100, 2.0)):
    rows += [f"{step},train,loss,{loss}", f"{step},train,step_time,0.5", f"{step},eval,loss,{loss + 1}"]
(logs / "abprop-train.csv").write_text("\\n".join(rows) + "\\n")
print("trained", arguments.seed)
"""
