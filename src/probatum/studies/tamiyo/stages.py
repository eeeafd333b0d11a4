"""The stages of a slot, with the codes that stand in an observation, and which may follow which.

Source: tamiyo.md, section 1. Shadowing and probation keep their codes and are not used: the path is the short
one of the original's description, germinated -> training -> blending -> fossilized.
"""

from __future__ import annotations

from enum import IntEnum


class Stage(IntEnum):
    """What happens in the slot."""

    UNKNOWN = 0
    DORMANT = 1  # no seed: one may be germinated
    GERMINATED = 2  # a seed that has not begun to learn
    TRAINING = 3  # it learns aside: the network's function is the host's
    BLENDING = 4  # alpha rises to 1; host and seed learn together
    SHADOWING = 5  # not used
    PROBATIONARY = 6  # not used
    FOSSILIZED = 7  # part of the network for good
    CULLED = 8  # thrown out in this very epoch
    EMBARGOED = 9  # nothing may be germinated yet
    RESETTING = 10  # the last epoch before the slot is free


LIVING = (Stage.GERMINATED, Stage.TRAINING, Stage.BLENDING)  # a seed that can still be culled

TRANSITIONS: dict[Stage, tuple[Stage, ...]] = {
    Stage.DORMANT: (Stage.GERMINATED,),
    Stage.GERMINATED: (Stage.TRAINING, Stage.CULLED),
    Stage.TRAINING: (Stage.BLENDING, Stage.CULLED),
    Stage.BLENDING: (Stage.FOSSILIZED, Stage.CULLED),
    Stage.FOSSILIZED: (),
    Stage.CULLED: (Stage.EMBARGOED, Stage.RESETTING),
    Stage.EMBARGOED: (Stage.RESETTING,),
    Stage.RESETTING: (Stage.DORMANT,),
}
