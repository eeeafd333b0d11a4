"""Small run folders for the tests of the report; loaded with `runpy`."""

import json
import runpy
from pathlib import Path

stories = runpy.run_path(str(Path(__file__).parents[1] / "signals" / "stories.py"))
EVIL = "<script>window.broken = 1</script><img src=x onerror='window.broken = 1'>"


def write_run(
    root, *, title="quick", number=123456, seeds=(1, 2, 3), shift=0.0, epochs=4, signals=True, **changes
):
    """Write a completed run of a small study and return its folder."""
    folder = root / f"20260101_000000_tiny_{number}"
    folder.mkdir(parents=True)
    rows = ["seed,epoch,train_loss,val_loss,val_auc"]
    per_seed = []
    for seed in seeds:
        values = [0.5 + 0.05 * epoch + 0.01 * seed + shift for epoch in range(1, epochs + 1)]
        rows += [f"{seed},{epoch},{1 / epoch},{1.1 / epoch},{value}" for epoch, value in enumerate(values, 1)]
        metric = {"best": values[-1], "best_epoch": epochs, "last": values[-1]}
        per_seed.append(
            {"seed": seed, "best_epoch": epochs, "last_epoch": epochs, "metrics": {"val_auc": metric}}
        )
    (folder / "metrics_epoch.csv").write_text("\n".join(rows) + "\n")
    parameters = {"learning_rate": 0.1, "hidden": 8, **changes}
    config = {
        "schema_version": 3, "config_md5": "0" * 32, "tolerance_mode": "standard",
        "experiment": {
            "study": "tiny", "short_title": title, "purpose": changes.get("purpose", ""), "id": str(number),
            "experiment_id": folder.name, "created": "2026-01-01T00:00:00+00:00",
        },
        "metrics": [{
            "name": "val_auc", "label": "AUC", "higher_is_better": True, "lower": 0.0, "upper": 1.0, "unit": "",
            "standard_tolerance": 0.01, "strict_tolerance": 0.001, "description": "",
        }],
        "seeds": {"all": list(seeds), "primary": seeds[0]}, "types": {"training": list(parameters)},
        "parameters": parameters, "defaults": {"learning_rate": 0.01, "hidden": 8},
        "overrides": {"learning_rate": 0.1, **changes}, "commands": {"reproduce": f"probatum reproduce {number}"},
    }  # fmt: skip
    shared = {"metrics": per_seed[0]["metrics"], "best_epoch": epochs, "last_epoch": epochs}
    several = {"per_seed": per_seed} if len(seeds) > 1 else {}
    results = {"seeds": list(seeds), "multi_seed": len(seeds) > 1, **shared, **several, "seed": seeds[0]}
    results["evaluation"] = {"test": {"auc": 0.7 + shift}}
    for name, content in {
        "config.json": config, "results.json": results, "environment.json": {"python": "3.11", "packages": {}},
        "status.json": {"schema_version": 3, "status": "completed", "time": "2026-01-01T00:00:00+00:00"},
        "data.json": {"files": [{"name": "table.csv", "rows": 10, "bytes": 20, "sha256": "ab" * 32}]},
    }.items():  # fmt: skip
        (folder / name).write_text(json.dumps(content))
    (folder / "MANIFEST.sha256").write_text(f"{'cd' * 32}  results.json\n")
    if signals:
        (folder / "instrumentation").mkdir()
        curves = {"missingness_curve": stories["curve"]([0.8, 0.75 + shift, 0.6 + shift], half_width=0.05)}
        path = folder / "instrumentation" / "signals.json"
        stories["artifact"](path, epochs=epochs, perturbations=curves, scale=1 + 10 * shift)
        document = json.loads(path.read_text())
        for record in document["signal_check"]["epochs"]:
            record["landscape"] = {
                "sharpness": 0.1, "sharpness_se": 0.01, "samples": 5,
                "slice": {"alpha": [-1.0, 0.0, 1.0], "loss": [0.9, 0.5, 1.0 + shift]},
            }  # fmt: skip
        path.write_text(json.dumps(document))
    (folder / "artifacts").mkdir()
    for seed in seeds:
        rows = [
            {"epoch": epoch, "loss_shares": {"main": 0.9, "extra": 0.1}, "gain": 0.1 * epoch}
            for epoch in (1, 2)
        ]
        (folder / "artifacts" / f"semantic_trajectory_seed{seed}.json").write_text(json.dumps(rows))
    return folder


def write_many(root, experiments=3):
    """Write a folder of experiments, the first one the baseline, and return it."""
    for index in range(experiments):
        title = "baseline" if index == 0 else f"variant_{index:02d}"
        write_run(
            root, title=title, number=200_000 + index, shift=0.02 * index, signals=index < 2, hidden=8 + index
        )
    return root
