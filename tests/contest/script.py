"""What becomes of a child once it exists: the same for every contestant, since it depends on nothing but the slot.

Must not know Jobs or pods; how an end is written is the contestant's.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

SEED = 20_261_201
AT_LEAST_SECONDS = 4.0
AT_MOST_SECONDS = 6.0
"""Long enough that the ends of a herd do not come between its starts, short enough for a schedule of a minute."""


class Ending(StrEnum):
    """What a build does in the end."""

    COMPLETES = "Completes"
    FAILS = "Fails"
    HANGS = "Hangs"


@dataclass(frozen=True, slots=True)
class Fate:
    """How one build ends, and when."""

    ending: Ending
    after_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The fates of all builds of one round."""

    round: int
    hangs: float = 0.0
    fails: float = 0.0

    def fate(self, schedule: str, minute: int) -> Fate:
        """Look up the fate of the build of a schedule in a minute, counted from the first."""
        chance = random.Random(f"{SEED}/{self.round}/{schedule}/{minute}")  # noqa: S311 - spreads, guards nothing
        seconds, luck = chance.uniform(AT_LEAST_SECONDS, AT_MOST_SECONDS), chance.random()
        if luck < self.hangs:
            return Fate(Ending.HANGS, seconds)
        return Fate(Ending.FAILS if luck < self.hangs + self.fails else Ending.COMPLETES, seconds)
