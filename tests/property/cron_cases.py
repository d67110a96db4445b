"""Schedules, and zones whose clocks jump, with what those clocks show in every minute around it.

It knows the code under test only to ask it.  `PERIODICBUILD_PROPERTY_EXAMPLES` asks for other schedules, and how many.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from tests.builders import at
from tests.property.conftest import EXAMPLES
from tests.property.cron_writer import Writer, Written

from periodicbuild.core.crons import Cron, normal_expression
from periodicbuild.core.local_days import DAY, Pattern
from periodicbuild.core.zones import zone_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

MINUTE: Final = timedelta(minutes=1)
SCHEDULES: Final = int(os.environ.get(EXAMPLES, "300"))
"""Per test."""
CHANGES: Final = (
    ("UTC", "2026-11-30T12:00"),
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("America/New_York", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("America/Nuuk", "2026-03-29T01:00"),
    ("America/Nuuk", "2026-10-25T01:00"),
    ("America/Santiago", "2026-04-05T03:00"),
    ("America/Santiago", "2026-09-06T04:00"),
    ("America/St_Johns", "2006-10-29T02:31"),
    ("Antarctica/Troll", "2026-03-29T01:00"),
    ("Antarctica/Troll", "2026-10-25T01:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("Pacific/Chatham", "2026-04-04T14:00"),
    ("Pacific/Chatham", "2026-09-26T14:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
)
"""Zones, and an instant at which their clocks jump."""
COMPARED: Final = 6
"""So many slots of a schedule."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What a clock shows in every minute for a day and a half around a change, written as if it were UTC."""

    zone: ZoneInfo
    begin: datetime
    shown: list[datetime]
    latest: list[datetime]
    """The latest that was shown until each minute; it never goes back."""

    @property
    def end(self) -> datetime:
        """The last minute."""
        return self.begin + (len(self.shown) - 1) * MINUTE

    def first(self, local: datetime) -> int:
        """Find the first minute at which a time is shown or over; 0 if it was before."""
        return bisect_left(self.latest, local)

    def date_at(self, minute: int) -> date | None:
        """Give the date shown in a minute."""
        return self.shown[minute].date() if minute < len(self.shown) else None

    def midnights(self) -> list[datetime]:
        """Give the begins of all dates shown, and of those next to them."""
        first, last = min(self.shown).date(), max(self.shown).date()
        begin = datetime(first.year, first.month, first.day, tzinfo=UTC) - DAY
        return [begin + n * DAY for n in range((last - first).days + 2)]

    def instants(self, minutes: Iterable[int]) -> list[datetime]:
        """Give the instants of minutes in (begin, end], each once."""
        return [self.begin + n * MINUTE for n in sorted(set(minutes)) if 0 < n < len(self.shown)]


@cache
def clock(name: str, change: str) -> Clock:
    zone = zone_named(name)
    assert zone is not None
    begin = at(change) - timedelta(hours=36)
    shown = [(begin + n * MINUTE).astimezone(zone).replace(tzinfo=UTC) for n in range(72 * 60)]
    return Clock(zone, begin, shown, list(accumulate(shown, max)))


def a_writer(of: str) -> Writer:
    """Give the same writer in every run, or another one for a hunt."""
    return Writer(None if EXAMPLES in os.environ else of)


def cases(of: str, number: int = SCHEDULES) -> Iterator[tuple[Written, Clock, datetime]]:
    """Write schedules, each with a clock and an instant before it jumps."""
    writer = a_writer(of)
    for _ in range(number):
        around = clock(*writer.choice(CHANGES))
        yield writer.expression(), around, around.begin + writer.randrange(36 * 60) * MINUTE


def ours(expression: str, zone: str) -> Pattern:
    """Read an expression."""
    found = Cron(expression=normal_expression(expression), time_zone=zone).pattern()
    assert found is not None
    return found


def walk(pattern: Pattern, after: datetime, until: datetime) -> Iterator[datetime]:
    """Walk from slot to slot in (after, until]."""
    slot = pattern.first_after(after)
    while slot is not None and slot <= until:
        yield slot
        slot = pattern.first_after(slot)
