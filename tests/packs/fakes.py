"""Episodes made of numbers that a test states: no model, no training."""

from probatum.packs.choice import Choice
from probatum.packs.encoded import encode
from probatum.packs.environment import EpisodeSettings, Observed
from probatum.packs.episode import EpisodeRecord
from probatum.packs.header import PackHeader
from probatum.signals.config import load_profile
from probatum.signals.epoch import EpochSignals
from probatum.signals.features import feature_schema
from probatum.signals.narrative import tell
from probatum.signals.snapshot import EpochMetrics

ACTIONS = (
    "WAIT", "GERMINATE_CONV_ENHANCE", "GERMINATE_ATTENTION", "GERMINATE_NORM", "GERMINATE_DEPTHWISE", "ADVANCE",
    "CULL", "FOSSILIZE",
)  # fmt: skip
CONFIG = load_profile("minimal")
SCHEMA = feature_schema(CONFIG)
RISING = (20.0, 30.0, 40.0, 45.0, 50.0, 55.0, 60.0, 62.0)
FLAT = (20.0, 30.0, 30.1, 30.1, 30.1, 30.2, 30.2, 30.2, 30.2, 30.2)


def header(**changes):
    values = {
        "telemetry_config": CONFIG.model_dump(mode="json"),
        "feature_schema": SCHEMA.as_record(),
        "actions": ACTIONS,
        "environment": {"study": "fake", "max_epochs": 8},
        "behaviour": {"policies": ["fake"]},
    }
    return PackHeader(**{**values, **changes})


def observations(accuracies, *, losses=None, stages=None, allowed=None, facts=None):
    """Return one `Observed` per accuracy; the stage and what is allowed may be stated per epoch."""
    found, shots = [], []
    for position, accuracy in enumerate(accuracies):
        loss = losses[position] if losses else 2.0 / (position + 1)
        metrics = EpochMetrics(
            position + 1, train_loss=loss, val_loss=loss, val_accuracy=accuracy, train_accuracy=accuracy,
            global_step=10 * (position + 1), accuracy_upper=100.0,
        )  # fmt: skip
        shots.append(tell(EpochSignals(position + 1), metrics, shots))
        stage = stages[position] if stages else 1
        slot = {
            "has_active_seed": float(stage > 1),
            "seed_stage": float(stage),
            "available_slots": float(stage == 1),
        }
        found.append(
            Observed(
                epoch=position + 1,
                snapshot=shots[-1],
                recent=tuple(shots[-5:]),
                slot=slot,
                facts=(facts or {}).get(position, {}),
                allowed=allowed[position] if allowed else (True,) * len(ACTIONS),
                budget=len(accuracies) - position - 1,
            )
        )
    return found


def choice(name="WAIT", **changes):
    index = ACTIONS.index(name)
    probabilities = tuple(0.93 if each == index else 0.01 for each in range(len(ACTIONS)))
    values = {"action": index, "probabilities": probabilities, "greedy": index, "reason": f"because of {name}",
              "why_not": {other: f"not {other}" for other in ACTIONS if other != name}}  # fmt: skip
    return Choice(**{**values, **changes})


def record(number=0, accuracies=RISING, done=None, **changes):
    """Return an episode; `done` names what was done at a position, WAIT elsewhere."""
    seen = {name: changes.pop(name) for name in ("losses", "stages", "allowed", "facts") if name in changes}
    done = done or {}
    values = {
        "episode_id": f"episode_{number:04d}",
        "settings": EpisodeSettings(seed=number),
        "policy": "fake",
        "actions": ACTIONS,
        "observations": observations(accuracies, **seen),
        "choices": [choice(done.get(position, "WAIT")) for position in range(len(accuracies) - 1)],
        "test_accuracy": 61.5,
    }
    return EpisodeRecord(**{**values, **changes})


def grown(number=0, **changes):
    """Return an episode with a plateau, a seed that is planted, blended and fossilized."""
    return record(
        number,
        accuracies=(30.0, 40.0, 40.1, 40.1, 40.2, 41.0, 43.0, 46.0, 48.0, 49.0),
        done={4: "GERMINATE_NORM", 5: "ADVANCE", 7: "FOSSILIZE"},
        stages=(1, 1, 1, 1, 1, 3, 4, 4, 7, 7),
        **changes,
    )


def episode(number=0, **changes):
    return encode(record(number, **changes), SCHEMA)
