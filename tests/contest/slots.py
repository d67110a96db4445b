"""Which slots there were, and what became of them: counted from the minutes, and not from anybody's record.

Must not know a contestant, and reads no clock.

The one idea a newcomer would miss: the lag of those that started flatters whoever drops some.  So the loss stands
beside it, always, and what is lost is what has neither a child nor a record that says why.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from tests.bench.percentiles import percentile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MINUTE = timedelta(minutes=1)

Missing = dict[str, set[datetime]]
"""The slots without a child, by schedule."""


@dataclass(frozen=True, slots=True)
class Child:
    """The first thing that is made for a slot: a Job, or an AppServer."""

    schedule: str
    slot: datetime
    uid: str
    seen_at: datetime
    """When a watch told of it."""

    @property
    def lag_seconds(self) -> float:
        """Give the time from the slot until it was seen."""
        return (self.seen_at - self.slot).total_seconds()


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from the slot until a watch told of it."""

    p50: float
    p99: float
    max: float

    @classmethod
    def of(cls, children: Iterable[Child]) -> Lag | None:
        """Take the percentiles, by the nearest rank; None where nothing has started."""
        ordered = sorted(child.lag_seconds for child in children)
        if not ordered:
            return None
        return cls(p50=percentile(ordered, 0.5), p99=percentile(ordered, 0.99), max=ordered[-1])


@dataclass(frozen=True, slots=True)
class Slots:
    """All the slots of some schedules that are due in the same minutes."""

    schedules: Sequence[str]
    minutes: Sequence[datetime]

    @property
    def due(self) -> int:
        """Count them."""
        return len(self.schedules) * len(self.minutes)

    def started(self, children: Iterable[Child]) -> list[Child]:
        """Give, for each slot that has one, its first child."""
        first: dict[tuple[str, datetime], Child] = {}
        for child in sorted(self._theirs(children), key=lambda child: child.seen_at):
            first.setdefault((child.schedule, child.slot), child)
        return list(first.values())

    def doubled(self, children: Iterable[Child]) -> int:
        """Count the slots with more than one child."""
        uids = {(child.schedule, child.slot, child.uid) for child in self._theirs(children)}
        counts = Counter((schedule, slot) for schedule, slot, _ in uids)
        return sum(count > 1 for count in counts.values())

    def missing(self, children: Iterable[Child]) -> Missing:
        """Give the slots without a child; schedules without such slots are left out."""
        has = {(child.schedule, child.slot) for child in children}
        found = {name: {slot for slot in self.minutes if (name, slot) not in has} for name in self.schedules}
        return {name: slots for name, slots in found.items() if slots}

    def lag_by_minute(self, children: Iterable[Child]) -> list[Lag | None]:
        """Give the lag of each minute's slots, to tell whether it grows."""
        started = self.started(children)
        return [Lag.of(child for child in started if child.slot == minute) for minute in self.minutes]

    def _theirs(self, children: Iterable[Child]) -> list[Child]:
        names, minutes = set(self.schedules), set(self.minutes)
        return [child for child in children if child.schedule in names and child.slot in minutes]


def minutes_from(begin: datetime, count: int) -> list[datetime]:
    """Give so many full minutes in a row."""
    return [begin + number * MINUTE for number in range(count)]


def cron_expression(minutes: Iterable[datetime]) -> str:
    """Write a schedule that is due at these minutes and, for the rest of an hour, at no others."""
    return f"{','.join(str(minute.minute) for minute in minutes)} * * * *"


def explained_by_count(missing: Missing, told: Mapping[str, int]) -> int:
    """Count the slots that records without an instant may speak of: as many as there are records, at most all."""
    return sum(min(len(slots), told.get(name, 0)) for name, slots in missing.items())
