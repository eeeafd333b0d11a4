"""The slot: where a seed sits, and by how much it acts.

The seed is a submodule as any other: state dicts, `train()` and `eval()`, optimisers and probes see it. A state
dict says itself which seed it holds, so that loading one builds the seed first.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from probatum.studies.tamiyo.blueprints import BLUEPRINTS, build_seed
from probatum.studies.tamiyo.stages import Stage

_NAMES = tuple(BLUEPRINTS)


class Slot(nn.Module):
    """A place for one seed.

    Without a seed, and while it germinates or trains, the host's features pass untouched: the very same tensor.
    From blending on: alpha * seed(features) + (1 - alpha) * features, and both sides learn.

    A host can be made too narrow here: `through` is 1 for every channel that passes, and a seed, which sees all of
    them, widens the way. All pass unless `narrow` is called.
    """

    through: Tensor  # (channels,)

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("through", torch.ones(channels), persistent=False)
        self.is_narrow = False
        self.seed: nn.Module | None = None
        self.blueprint: str | None = None
        self.stage = Stage.DORMANT
        self.alpha = 0.0

    def forward(self, features: Tensor) -> Tensor:
        """Return the features that the rest of the host gets, `(batch, channels, height, width)`."""
        if self.alpha == 1.0 and self.seed is not None:
            return self.seed(features)
        passed = features * self.through[:, None, None] if self.is_narrow else features
        if self.seed is None or self.stage != Stage.BLENDING:
            return passed
        return self.alpha * self.seed(features) + (1.0 - self.alpha) * passed

    def narrow(self, channels: int) -> None:
        """Let only the first `channels` pass."""
        self.through.zero_()[:channels] = 1.0
        self.is_narrow = True

    def plant(self, blueprint: str, device: torch.device | str = "cpu") -> None:
        """Put a fresh seed in, its weights drawn from torch's global generator on the CPU."""
        self.seed = build_seed(blueprint, self.channels).train(self.training).to(device)
        self.blueprint, self.stage, self.alpha = blueprint, Stage.GERMINATED, 0.0

    def uproot(self) -> None:
        """Take the seed out."""
        self.seed, self.blueprint, self.alpha = None, None, 0.0

    def seed_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the seed, none where there is no seed."""
        return [] if self.seed is None else list(self.seed.parameters())

    def get_extra_state(self) -> Tensor:
        """Return which seed sits here (its position among the blueprints, from 1), its stage and its alpha."""
        number = 0 if self.blueprint is None else _NAMES.index(self.blueprint) + 1
        return torch.tensor([number, self.stage, self.alpha], dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Take over stage and alpha; the seed itself was built before its weights were read."""
        _, stage, alpha = state.tolist()
        self.stage, self.alpha = Stage(int(stage)), alpha

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Build the seed that the state dict holds; its weights are read after this."""
        held = state_dict.get(prefix + "_extra_state")
        number = 0 if held is None else int(held[0])
        blueprint = _NAMES[number - 1] if number else None
        if held is None or blueprint is None:
            self.uproot()
        elif blueprint != self.blueprint:
            with torch.random.fork_rng(devices=[]):
                self.plant(blueprint, held.device)
        super()._load_from_state_dict(state_dict, prefix, *args)
