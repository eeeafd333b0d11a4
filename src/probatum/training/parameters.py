"""The parameters of the workbench itself: every study has these, and adds its own."""

from __future__ import annotations

from typing import Literal

from probatum.parameters import INSTRUMENTATION_CATEGORY, RUNTIME_CATEGORY, Parameters, parameter


class TrainingParameters(Parameters):
    """What the loop is told; a study's parameters inherit from this.

    The flags of seed 000 (category instrumentation) change nothing of what a run computes: `config_md5` leaves
    them out.
    """

    seeds: tuple[int, ...] = parameter(
        "training", "Random seeds; one training each, side by side where cores or devices allow", min_length=1
    )
    epochs: int = parameter("training", "Largest number of epochs", unit="epochs", ge=1)
    batch_size: int = parameter("training", "Sequences or samples per optimiser step", unit="samples", ge=1)
    learning_rate: float = parameter("training", "Step size of the optimiser at its highest", gt=0)
    weight_decay: float = parameter("training", "Penalty on the squared weights", ge=0)
    optimizer: Literal["Adam", "AdamW", "SGD"] = parameter(
        "training", "Adam couples the weight decay to the gradient, AdamW decouples it, SGD has momentum 0.9"
    )
    gradient_clip: float = parameter(
        "training", "Largest L2 norm of the gradient, applied after unscaling; 0 turns clipping off", ge=0
    )
    patience: int = parameter(
        "training",
        "Epochs without a better primary metric before stopping; 0 never stops early",
        unit="epochs",
        ge=0,
    )
    lr_schedule: Literal["constant", "plateau", "cosine"] = parameter(
        "training",
        "Learning rate over the run: constant, halved on a plateau of the primary metric, or a half cosine",
    )
    lr_warmup_steps: int = parameter(
        "training", "Optimiser steps over which the learning rate rises linearly", unit="steps", ge=0
    )
    lr_plateau_factor: float = parameter(
        "training", "Factor on the learning rate at a plateau (lr_schedule plateau)", gt=0, lt=1
    )
    lr_plateau_patience: int = parameter(
        "training",
        "Epochs without a better primary metric that make a plateau (lr_schedule plateau)",
        unit="epochs",
        ge=0,
    )
    ema_decay: float = parameter(
        "training",
        "Decay per step of the averaged weights that are evaluated and kept; 0 evaluates the raw ones",
        ge=0,
        lt=1,
    )
    mixed_precision: bool = parameter(
        "training", "Automatic mixed precision; off, two runs on one machine agree bit for bit"
    )
    amp_dtype: Literal["bfloat16", "float16"] = parameter(
        "training", "Number format of mixed precision; float16 scales the loss and needs a CUDA device"
    )
    strategy: Literal["single", "ddp", "fsdp"] = parameter(
        "training",
        "How one seed uses its devices: one of them, data parallel, or fully sharded data parallel",
    )
    torch_deterministic: bool = parameter(
        "training", "Ask torch for deterministic kernels only, and fail where there is none"
    )
    monitor_freq: int = parameter(
        "training",
        "Optimiser steps between two progress lines of the log; 0 for one line an epoch",
        unit="steps",
        ge=0,
    )
    log_head_stats: bool = parameter("training", "Record variance and skew of the model's heads every epoch")
    devices: tuple[str, ...] = parameter(
        RUNTIME_CATEGORY, "Where seeds run: auto, cpu, or CUDA device numbers", min_length=1
    )
    threads: int = parameter(RUNTIME_CATEGORY, "CPU threads of one seed's training", unit="threads", ge=1)
    instrument_signals: bool = parameter(
        INSTRUMENTATION_CATEGORY,
        "Record gradients, weights, activations, attention and robustness curves of the run",
    )
    instrumentation_tag: str = parameter(
        INSTRUMENTATION_CATEGORY,
        "Name of the artifact: instrumentation/<tag>.json in the run folder, <tag>_seed<N>.json with several seeds",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
    )
    instrumentation_dir: str | None = parameter(
        INSTRUMENTATION_CATEGORY,
        "Folder that receives a copy of the finished run's artifact; none keeps it in the run folder alone",
    )
    telemetry_profile: str = parameter(
        INSTRUMENTATION_CATEGORY,
        "What is measured: minimal, standard, diagnostic, research, or a YAML file",
    )
    instrumentation_probe_batches: int = parameter(
        INSTRUMENTATION_CATEGORY, "Training batches per epoch that are probed", unit="batches", ge=1
    )
    instrumentation_mask_rates: tuple[float, ...] = parameter(
        INSTRUMENTATION_CATEGORY,
        "Shares of the observed values that are dropped, for the missingness curve; an empty list draws none",
    )
    instrumentation_truncation_keep_ratios: tuple[float, ...] = parameter(
        INSTRUMENTATION_CATEGORY,
        "Shares of each sequence that are kept, for the truncation curve; an empty list draws none",
    )
    instrumentation_eval_batches: int = parameter(
        INSTRUMENTATION_CATEGORY,
        "Validation batches used for every point of a curve; 0 uses all validation data",
        unit="batches",
        ge=0,
    )
