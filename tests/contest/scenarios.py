"""What is played: how many schedules, with which budget, and what goes wrong meanwhile.

The one idea a newcomer would miss: a scenario is data.  Nothing else in the contest knows any of them by name, so a
figure can only come from what is written here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many requests a contestant's client may send."""

    qps: int
    burst: int


OF_THE_CONTROLLER_MANAGER: Final = Budget(qps=20, burst=30)
"""Its default."""
LIFTED: Final = Budget(qps=500, burst=1_000)
"""More than two cores can serve: the machine is the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One contest.  Every schedule is due each minute, at the first of which everybody warms up."""

    id: str
    letter: str
    """As the protocol calls it."""
    title: str
    budget: Budget
    schedules: int
    ticks: int
    """Minutes that count."""
    rounds: int
    idle: int = 0
    """Schedules beside them that are due once a year."""
    namespaces: int = 1
    """The schedules are dealt out to so many."""
    workers: int = 5
    """Of the CronJob controller; 5 is its default.  The operator has one loop."""
    forbids: bool = False
    """CronJobs have `concurrencyPolicy: Forbid`, as PeriodicBuilds always have; else `Allow`, their default."""
    hangs: float = 0.0
    """This share of the children never begins."""
    fails: float = 0.0
    down_minutes: int = 0
    """The controller is stopped before the first minute that counts, and started in the middle of the last of these."""
    killed_every: tuple[float, float] | None = None
    """Seconds between two SIGKILLs: at least and at most."""
    settles_within_seconds: float = 100.0
    """After the last minute has begun: what is late may still come."""

    @property
    def objects(self) -> int:
        """Count the schedules."""
        return self.schedules + self.idle

    @property
    def minutes(self) -> int:
        """Count the minutes at which schedules are due, the one to warm up included."""
        return WARM_UP + self.down_minutes + self.ticks

    @property
    def lead_seconds(self) -> float:
        """Give the time to prepare before the first minute."""
        return 10 + 0.01 * self.objects

    @property
    def seconds(self) -> float:
        """Estimate one contestant's turn."""
        return self.lead_seconds + 30 + 60 * (self.minutes - 1) + min(45.0, self.settles_within_seconds)

    def scaled(self, factor: float) -> Scenario:
        """Give the same with fewer schedules, for trying things out."""
        few = max(1, round(self.schedules * factor))
        return replace(
            self, schedules=few, idle=round(self.idle * factor), namespaces=max(1, round(self.namespaces * factor))
        )


WARM_UP: Final = 1
"""Minutes that are thrown away."""

SCENARIOS: Final = (
    Scenario(
        id="herd-100-at-20",
        letter="A",
        title="100 schedules due every minute, 20 requests a second, 30 at once",
        budget=OF_THE_CONTROLLER_MANAGER,
        schedules=100,
        ticks=1,
        rounds=3,
    ),
    Scenario(
        id="herd-1000-at-500",
        letter="A",
        title="1,000 schedules due every minute, 500 requests a second, 1,000 at once",
        budget=LIFTED,
        schedules=1_000,
        ticks=2,
        rounds=5,
        workers=20,
    ),
    Scenario(
        id="namespaces-100",
        letter="G",
        title="the same 1,000 schedules, dealt out to 100 namespaces",
        budget=LIFTED,
        schedules=1_000,
        ticks=2,
        rounds=2,
        namespaces=100,
        workers=20,
    ),
    Scenario(
        id="no-herd",
        letter="B",
        title="20 schedules due every minute beside 5,000 that are idle",
        budget=OF_THE_CONTROLLER_MANAGER,
        schedules=20,
        idle=5_000,
        ticks=2,
        rounds=2,
    ),
    Scenario(
        id="herd-1000-at-20",
        letter="A",
        title="1,000 schedules due every minute, 20 requests a second, 30 at once",
        budget=OF_THE_CONTROLLER_MANAGER,
        schedules=1_000,
        ticks=2,
        rounds=1,
        settles_within_seconds=240.0,
    ),
    Scenario(
        id="absent",
        letter="D",
        title="1,000 schedules due every minute, and no controller for three minutes",
        budget=LIFTED,
        schedules=1_000,
        ticks=1,
        rounds=2,
        down_minutes=3,
        settles_within_seconds=120.0,
    ),
    Scenario(
        id="killed",
        letter="E",
        title="60 schedules due every minute, and a SIGKILL every 3 to 9 seconds",
        budget=OF_THE_CONTROLLER_MANAGER,
        schedules=60,
        ticks=3,
        rounds=2,
        killed_every=(3.0, 9.0),
        settles_within_seconds=120.0,
    ),
    Scenario(
        id="hanging",
        letter="H",
        title="200 schedules due every minute, one at a time; 5 % of the builds hang, 5 % fail",
        budget=LIFTED,
        schedules=200,
        ticks=2,
        rounds=2,
        forbids=True,
        hangs=0.05,
        fails=0.05,
    ),
)

BY_ID: Final = {scenario.id: scenario for scenario in SCENARIOS}
