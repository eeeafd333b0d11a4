"""AbProp's train, model and data files in the study's parameters; what has no meaning here is named.

Source: AbProp fact sheet, sections 5, 8 and 9 (the keys of the three files).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from probatum._errors import ParameterError
from probatum._names import unknown

SAME = {  # block: key in the file: parameter
    "train": {
        "learning_rate": "learning_rate",
        "weight_decay": "weight_decay",
        "batch_size": "batch_size",
        "gradient_clipping": "gradient_clip",
        "warmup_steps": "lr_warmup_steps",
        "max_tokens": "max_tokens",
        "report_interval": "report_interval",
        "train_fraction": "train_fraction",
        "val_fraction": "val_fraction",
        "mlm_probability": "mlm_probability",
        "gradient_checkpointing": "gradient_checkpointing",
    },
    "model": {
        "d_model": "d_model",
        "nhead": "nhead",
        "num_layers": "num_layers",
        "dim_feedforward": "dim_feedforward",
        "max_position_embeddings": "max_position_embeddings",
        "norm_first": "norm_first",
        "gradient_checkpointing": "gradient_checkpointing",
    },
    "data": {},
}
FIXED = {"sgd_momentum": 0.9, "adam_beta1": 0.9, "adam_beta2": 0.999, "grad_accumulation": 1}
"""What the workbench does not vary: its optimisers' constants, one step for each batch."""
TRANSLATED = {
    "train": (
        "seed", "max_steps", "eval_interval", "task_weights", "optimizer", "lr_schedule", "precision",
        *FIXED,
    ),
    "model": ("dropout", "task_weights"),
    "data": ("processed_dir", "parquet"),
}  # fmt: skip
WITHOUT_MEANING = {  # places, and what the workbench does in its own way
    "train": (
        "output_dir", "log_dir", "checkpoint_dir", "checkpoint_interval", "num_workers",
        "synthetic_samples", "best_metric", "maximize_metric", "mlflow",
    ),
    "model": ("vocab_size", "tie_embeddings"),
    "data": ("raw_dir", "num_workers", "bins", "bucket_bins", "max_length", "splits", "seed"),
}  # fmt: skip
OPTIMIZERS = {"adamw": "AdamW", "adam": "Adam", "sgd": "SGD"}
SCHEDULES = {"cosine": "cosine", "constant": "constant", "none": "constant"}


@dataclass(frozen=True)
class Translation:
    """The study's parameters, and the keys that were left out, each `block.key`."""

    options: Mapping[str, str]
    left_out: tuple[str, ...]


def translate(configs: Mapping[str, Mapping[str, Any]]) -> Translation:
    """Return the study's parameters for AbProp's three files.

    Steps become epochs of `eval_interval` steps, since the old loop looked at validation that often.

    Example:
        >>> told = translate({"train": {"max_steps": 100, "eval_interval": 50}, "model": {"nhead": 4}, "data": {}})
        >>> dict(told.options)
        {'epochs': '2', 'steps_per_epoch': '50', 'nhead': '4'}

    Raises:
        ParameterError: keys or values that are neither known nor known to be without meaning, all in one message.
    """
    mistakes: list[str] = []
    options: dict[str, str] = {}
    left_out: list[str] = []
    for block, known in SAME.items():
        for key, value in configs[block].items():
            valid = (*known, *TRANSLATED[block], *WITHOUT_MEANING[block])
            if key in known:
                options[known[key]] = _word(value)
            elif key in WITHOUT_MEANING[block]:
                left_out.append(f"{block}.{key}")
            elif key not in valid:
                mistakes.append(f"{block}: {unknown('key', key, valid)}")
    train, model = configs["train"], configs["model"]
    options = {
        **_steps(train),
        **_dropout(model),
        **_weights(train, model),
        **_trained(train, mistakes),
        **options,
    }
    if mistakes:
        raise ParameterError("\n".join(mistakes))
    return Translation(options, tuple(left_out))


def _steps(train: Mapping[str, Any]) -> dict[str, str]:
    if "max_steps" not in train:
        return {}
    steps = int(train["max_steps"])
    epochs = -(-steps // int(train.get("eval_interval", 500)))
    return {"epochs": str(epochs), "steps_per_epoch": str(steps // epochs)}


def _dropout(model: Mapping[str, Any]) -> dict[str, str]:
    """Return both rates: the old layers dropped features and attention weights alike."""
    return (
        dict.fromkeys(("dropout", "attention_dropout"), _word(model["dropout"])) if "dropout" in model else {}
    )


def _weights(train: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, str]:
    """Return the tasks' weights; the train file wins over the model file, and a task it leaves out weighs 0."""
    weights = train.get("task_weights", model.get("task_weights"))
    if not weights:
        return {}
    return {f"{task}_weight": _word(weights.get(task, 0.0)) for task in ("mlm", "cls", "reg")}


def _trained(train: Mapping[str, Any], mistakes: list[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    for key, parameter, names in (
        ("optimizer", "optimizer", OPTIMIZERS),
        ("lr_schedule", "lr_schedule", SCHEDULES),
    ):
        if key in train and str(train[key]).lower() not in names:
            mistakes.append(f"train.{key}: {unknown('name', str(train[key]), names)}")
        elif key in train:
            options[parameter] = names[str(train[key]).lower()]
    if str(train.get("precision", "fp32")).lower() in ("amp", "bf16", "fp16"):
        options["mixed_precision"] = "true"
    mistakes += [
        f"train.{key}: only {value} is supported, got {train[key]}."
        for key, value in FIXED.items()
        if key in train and float(train[key]) != value
    ]
    return options


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else str(value)
