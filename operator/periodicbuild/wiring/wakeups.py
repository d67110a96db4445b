"""When to look at what if nothing happens before: one heap per clock, and one task that sleeps to its head.

The one idea a newcomer would miss: the wall clock may be set, and a machine may sleep.  So no sleep is longer than a
second, and both clocks are read anew after each.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from periodicbuild.core.facts import Now
    from periodicbuild.core.plans import Wake
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.keys import Key

LONGEST_SLEEP_SECONDS = 1.0
"""How late a slot can be noticed after the wall clock was set forward."""

FEW = 64
"""Stale entries that are not worth a clean-up."""


class _Alarms:
    """Instants of one clock; a key has at most one that counts, the others in the heap are stale."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, Key]] = []
        self._valid: dict[Key, datetime] = {}

    def set(self, key: Key, instant: datetime | None) -> None:
        if instant is None:
            self._valid.pop(key, None)
        elif self._valid.get(key) != instant:
            self._valid[key] = instant
            heapq.heappush(self._heap, (instant, key))
            self._drop_stale_if_many()

    def pop_due(self, now: datetime) -> list[Key]:
        due = []
        while self._heap and self._heap[0][0] <= now:
            instant, key = heapq.heappop(self._heap)
            if self._valid.get(key) == instant:
                del self._valid[key]
                due.append(key)
        return due

    def _drop_stale_if_many(self) -> None:
        """Keep the heap at the size of what counts: a wish far ahead may be replaced thousands of times."""
        if len(self._heap) > 2 * len(self._valid) + FEW:
            self._heap = [(instant, key) for key, instant in self._valid.items()]
            heapq.heapify(self._heap)

    def __len__(self) -> int:
        return len(self._heap)

    def seconds_until_next(self, now: datetime) -> float:
        return (self._heap[0][0] - now).total_seconds() if self._heap else LONGEST_SLEEP_SECONDS


class WakeUps:
    """Enqueue keys when their time has come."""

    def __init__(self, clock: Clock, enqueue: Callable[[Key], None]) -> None:
        self.turned_at = clock.now().steady
        """Steady clock: the loop's last turn, for the liveness probe."""
        self._clock = clock
        self._enqueue = enqueue
        self._wall = _Alarms()
        self._steady = _Alarms()
        self._is_sooner = asyncio.Event()

    @property
    def depth(self) -> int:
        """Count the instants that are kept, those included that do not count any more."""
        return len(self._wall) + len(self._steady)

    def set(self, key: Key, wake: Wake) -> None:
        """Replace what was asked for this key before."""
        self._wall.set(key, wake.wall)
        self._steady.set(key, wake.steady)
        if wake.wall is not None or wake.steady is not None:
            self._is_sooner.set()

    def forget(self, key: Key) -> None:
        """Ask for nothing more."""
        self._wall.set(key, None)
        self._steady.set(key, None)

    async def run(self) -> None:
        """Turn for ever."""
        while True:
            self._clock.notice_trust()
            now = self._clock.now()
            self.turned_at = now.steady
            for key in (*self._wall.pop_due(now.wall), *self._steady.pop_due(now.steady)):
                self._enqueue(key)
            self._is_sooner.clear()
            await self._sleep(now)

    async def _sleep(self, now: Now) -> None:
        seconds = min(
            LONGEST_SLEEP_SECONDS,
            self._wall.seconds_until_next(now.wall),
            self._steady.seconds_until_next(now.steady),
        )
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._is_sooner.wait()
        except TimeoutError:
            return
