"""The interventions, in the order of an action's number."""

from __future__ import annotations

from probatum.studies.tamiyo.blueprints import BLUEPRINTS

GERMINATE = {f"GERMINATE_{blueprint.upper()}": blueprint for blueprint in BLUEPRINTS}
GROWTH_ACTIONS = ("WAIT", *GERMINATE, "ADVANCE", "CULL", "FOSSILIZE")
MENDING_ACTIONS = ("RAISE_LEARNING_RATE", "LOWER_LEARNING_RATE", "RESCALE_GRADIENTS", "REBALANCE_CLASSES")
DIAGNOSIS_ACTIONS = (*GROWTH_ACTIONS, *MENDING_ACTIONS)

LEARNING_RATE_STEP = 10.0
LEARNING_RATE_REACH = 100.0  # how far from where it began the learning rate may be moved, as a factor
