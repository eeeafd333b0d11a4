"""A network as a policy: it knows the features it was trained on, and refuses an environment without them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from probatum._errors import ComparisonError, UsageError
from probatum._names import nearest
from probatum.packs.choice import Choice
from probatum.packs.environment import Observed
from probatum.packs.normalisation import Normaliser
from probatum.policies.behaviours import draw
from probatum.policies.dataset import network_inputs
from probatum.policies.network import PolicyNetwork, masked
from probatum.policies.probabilities import certain
from probatum.signals.features import FeatureSchema

TOLD = 3  # features that a reason names


class LearnedPolicy:
    """Takes the allowed action with the largest output of a network.

    Args:
        network: Logits, or values, of the actions.
        names: The features it takes, in its order.
        normaliser: Learnt on its training episodes.
        actions: The actions it knows, in the order of its outputs.
        record: How it was made.
        name: What records call it.
        kind: "logits" where softmax of the outputs are probabilities, "values" where the outputs are points.
        sample: Draw from the probabilities instead of taking the most probable action.
    """

    def __init__(
        self,
        network: PolicyNetwork,
        names: Sequence[str],
        normaliser: Normaliser,
        actions: Sequence[str],
        record: Mapping[str, Any] | None = None,
        *,
        name: str = "learned",
        kind: str = "logits",
        sample: bool = False,
    ) -> None:
        self.network, self.names, self.normaliser = network.eval(), tuple(names), normaliser
        self.actions, self.record, self.name, self.kind = tuple(actions), dict(record or {}), name, kind
        self.sample = sample
        self.weights_sha256: str | None = None  # of the file, where it came from one
        self._random = random.Random(0)  # noqa: S311 - no secret is drawn
        self._schema: FeatureSchema | None = None
        self._columns = np.empty(0, np.int64)

    def attend(self, schema: FeatureSchema, actions: Sequence[str]) -> None:
        """See the features and actions of the environment that the policy is to act in.

        Raises:
            ComparisonError: they differ from what it learned from; the first difference is named.
        """
        if tuple(actions) != self.actions:
            raise ComparisonError(f"policy {self.name!r}: {_first_difference(self.actions, actions)}")
        index = schema.index
        for name in self.names:
            if name not in index:
                close = nearest(name, schema.names, 1)
                raise ComparisonError(
                    f"policy {self.name!r} was trained with {len(self.names)} features; the first that this "
                    f"environment lacks is {name!r}{f' (it has {close[0]!r})' if close else ''}. "
                    "Use the telemetry profile and study that its pack was generated with."
                )
        self._schema = schema
        self._columns = np.array([index[name] for name in self.names])

    def begin(self, seed: int) -> None:
        """Draw from `seed` on, where it draws."""
        self._random = random.Random(seed)  # noqa: S311

    def choose(self, observed: Observed, actions: Sequence[str]) -> Choice:
        """Return the network's decision, with the features that weighed most in it.

        Raises:
            UsageError: `attend` was not called.
        """
        if self._schema is None:
            raise UsageError(
                f"policy {self.name!r} has seen no environment yet: call attend(schema, actions)."
            )
        vector = self._schema.vector(observed.recent, observed.slot)
        values = np.asarray(vector.values, dtype=np.float32)[None, self._columns]
        mask = np.asarray(vector.mask, dtype=np.uint8)[None, self._columns]
        inputs = network_inputs(self.normaliser, values, mask).requires_grad_()
        outputs = self.network(inputs)
        scores = masked(outputs, torch.tensor([observed.allowed]))[0]
        shares = scores.double().softmax(-1).tolist()
        best = int(scores.argmax())
        action = draw(shares, self._random) if self.sample else best
        (weights,) = torch.autograd.grad(outputs[0, action], inputs)
        probabilities = tuple(shares) if self.sample else certain(best, len(actions))
        said = self._said(outputs[0].tolist(), shares)
        return Choice(
            action,
            probabilities,
            best,
            shares[action] if self.kind == "logits" else 1.0,
            f"{said[action]}; weighed most: {self._weighed_most(weights[0] * inputs[0].detach(), values[0])}",
            {
                name: said[index]
                for index, name in enumerate(actions)
                if observed.allowed[index] and index != action
            },
        )

    def _said(self, outputs: Sequence[float], shares: Sequence[float]) -> list[str]:
        if self.kind == "values":
            return [f"expected {value:+.3g} points" for value in outputs]
        return [f"probability {share:.3g}" for share in shares]

    def _weighed_most(self, effects: torch.Tensor, values: np.ndarray) -> str:
        """Return the features with the largest |input times gradient|, with their values."""
        own = effects[: len(self.names)].abs()
        top = own.topk(min(TOLD, len(own))).indices.tolist()
        return ", ".join(f"{self.names[index]} {values[index]:.3g}" for index in top)


def _first_difference(known: Sequence[str], found: Sequence[str]) -> str:
    for position, name in enumerate(known):
        if position >= len(found) or found[position] != name:
            got = repr(found[position]) if position < len(found) else "no more"
            return f"learned that action {position} is {name!r}; this environment has {got}."
    return f"learned {len(known)} actions; this environment has also {found[len(known)]!r}."
