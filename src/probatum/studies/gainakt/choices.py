"""The closed sets that parameters and layers share; imports no torch."""

from typing import Literal

Decay = Literal["none", "alibi", "learned"]
Front = Literal["none", "gru", "lstm", "conv"]
