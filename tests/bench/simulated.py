"""Slots checked in simulated histories: a million of them, and how many the independent recount misses (R12).

The histories are those of the property tests, only longer: one PeriodicBuild each, edited, switched off and on, run by
hand, with crashes after single writes, lost answers, stale facts, wiped statuses and clocks that step.  A history in
which anything is wrong ends the measurement with its counter-example.
"""

from __future__ import annotations

from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.cluster.console import say
from tests.property.test_planner_histories import Histories

from periodicbuild.core.recount import unaccounted_slots

SLOTS = 1_000_000
HISTORIES = 100
"""Per round; each round has others."""
STEPS = 120


class CountedHistories(Histories):
    """Histories whose slots are counted at their end."""

    histories: ClassVar[int] = 0
    days: ClassVar[float] = 0
    slots: ClassVar[int] = 0
    unaccounted: ClassVar[int] = 0

    def teardown(self) -> None:
        """Bring the history to its end, and count."""
        super().teardown()
        build = self.build if hasattr(self, "api") else None
        if build is None or build.is_deleting or build.status.slots is None:
            return  # of what is being deleted nothing is owed any more (R43)
        kind = type(self)
        kind.histories += 1
        kind.days += self.clocks.elapsed.total_seconds() / 86_400
        kind.slots += build.status.slots.due
        spread = build.spec.starting.spread
        kind.unaccounted += unaccounted_slots(build.status, self.clocks.now.wall, self.process.unwritten, spread)


def measure_simulation() -> dict[str, float]:
    """Play histories until a million slots were checked."""
    longer = settings(
        max_examples=HISTORIES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    while CountedHistories.slots < SLOTS:
        run_state_machine_as_test(CountedHistories, settings=longer)
        say(f"{CountedHistories.slots:,} slots in {CountedHistories.histories:,} histories were checked")
    return {
        "simulated-slots-checked": CountedHistories.slots,
        "simulated-slots-unaccounted": CountedHistories.unaccounted,
        "simulated-histories": CountedHistories.histories,
        "simulated-days": CountedHistories.days,
    }
