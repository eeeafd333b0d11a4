"""Policy files: `NAME.json`, which says what a policy is, and `NAME.pt` beside it, which holds its weights.

Weights are loaded with `weights_only=True`, and only if their SHA-256 is the one that the JSON states.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import torch

from probatum._errors import RecordError
from probatum._files import read_json, sha256_file, write_json, write_whole
from probatum.packs.normalisation import Normaliser
from probatum.policies.learned import LearnedPolicy
from probatum.policies.network import PolicyNetwork

SCHEMA_VERSION = 1
_KEYS = (
    "schema_version",
    "network",
    "features",
    "normaliser",
    "actions",
    "kind",
    "training",
    "weights_sha256",
)


def save_policy(policy: LearnedPolicy, path: Path | str) -> Path:
    """Return the JSON file of a policy, written whole with its weights beside it.

    Args:
        policy: What to keep.
        path: The file; its suffix becomes `.json`.
    """
    path = Path(path).with_suffix(".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    torch.save(policy.network.state_dict(), content)
    write_whole(path.with_suffix(".pt"), content.getvalue())
    write_json(
        path,
        {
            "schema_version": SCHEMA_VERSION,
            "network": policy.network.shape(),
            "features": list(policy.names),
            "normaliser": policy.normaliser.as_record(),
            "actions": list(policy.actions),
            "kind": policy.kind,
            "training": policy.record,
            "weights_sha256": hashlib.sha256(content.getvalue()).hexdigest(),
        },
    )
    return path


def load_policy(path: Path | str) -> LearnedPolicy:
    """Return the policy of a file, called by the file's name.

    Raises:
        RecordError: the file is missing or no policy, or its weights are not those that were saved.
    """
    path = Path(path).with_suffix(".json")
    record = read_json(path)
    missing = [key for key in _KEYS if not isinstance(record, dict) or key not in record]
    if missing:
        raise RecordError(
            f"{path}: expected a policy; {', '.join(missing)} missing. `probatum policy train` writes one."
        )
    if record["schema_version"] != SCHEMA_VERSION:
        raise RecordError(
            f"{path}: expected schema_version {SCHEMA_VERSION}, got {record['schema_version']!r}."
        )
    network = _network(path, record)
    policy = LearnedPolicy(
        network, record["features"], Normaliser.from_record(record["normaliser"]), record["actions"],
        record["training"], name=path.stem, kind=record["kind"],
    )  # fmt: skip
    policy.weights_sha256 = record["weights_sha256"]
    return policy


def _network(path: Path, record: dict[str, Any]) -> PolicyNetwork:
    weights = path.with_suffix(".pt")
    if not weights.is_file():
        raise RecordError(f"{weights}: expected the weights of {path.name} beside it, found no file.")
    if sha256_file(weights) != record["weights_sha256"]:
        raise RecordError(f"{weights}: is not the file that {path.name} was saved with: its SHA-256 differs.")
    try:
        network = PolicyNetwork(**record["network"])
        network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    except (RuntimeError, TypeError, pickle.UnpicklingError, EOFError) as error:
        raise RecordError(f"{path}: the weights do not fit the network: {error}") from None
    return network
