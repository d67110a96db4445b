"""Who looks after a contestant's process: it is started, stopped and killed as the scenario says, and metered."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.contest.costs import Meter
from tests.contest.passing import pass_until
from tests.contest.script import SEED
from tests.contest.slots import MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.contest.contestants import Contestant
    from tests.contest.scenarios import Scenario

LEAVES_BEFORE = timedelta(seconds=5)
"""It is stopped so long before the first slot that it is to miss."""
RETURNS_BEFORE = timedelta(seconds=30)
"""It is back so long before the first slot that it is not to miss."""
KILLED_UNTIL = timedelta(seconds=10)
"""After the last slot: what a kill has broken is to be mended within the turn."""


@dataclass(slots=True)
class Attendant:
    """One process, or several that follow each other."""

    contestant: Contestant
    scenario: Scenario
    meter: Meter = field(default_factory=Meter)
    kills: int = 0
    returned_at: datetime | None = None
    """After an absence."""

    async def attend(self, minutes: Sequence[datetime]) -> None:
        """Let the minutes that count pass, until the last one has begun."""
        if self.scenario.down_minutes:
            await self._be_absent(minutes[0], minutes[0] + self.scenario.down_minutes * MINUTE)
        else:
            await pass_until(minutes[0])
            self.meter.begin(self.contestant.pid)
        if self.scenario.killed_every is not None:
            await self._kill(self.scenario.killed_every, minutes[-1] + KILLED_UNTIL)
        await pass_until(minutes[-1])

    async def _be_absent(self, since: datetime, until: datetime) -> None:
        await pass_until(since - LEAVES_BEFORE)
        await asyncio.to_thread(self.contestant.stop)
        await pass_until(until - RETURNS_BEFORE)
        self.returned_at = datetime.now(UTC)
        await self._start()

    async def _kill(self, every: tuple[float, float], until: datetime) -> None:
        chance = random.Random(SEED)  # noqa: S311 - spreads instants, guards nothing
        while True:
            await asyncio.sleep(chance.uniform(*every))
            if datetime.now(UTC) >= until:
                return
            self.meter.end()
            await asyncio.to_thread(self.contestant.kill)
            await self._start()
            self.kills += 1

    async def _start(self) -> None:
        await asyncio.to_thread(self.contestant.start)
        self.meter.begin(self.contestant.pid)
