"""Days of the week at a local time: once per local date (R6).

Must not know what is built.  What happens where the clock jumps is `local_days`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Final

from periodicbuild.core.local_days import Follows, Pattern
from periodicbuild.core.zones import zone_named

if TYPE_CHECKING:
    from datetime import time


class Weekday(StrEnum):
    """Days in the order of the week."""

    MON = "Mon"
    TUE = "Tue"
    WED = "Wed"
    THU = "Thu"
    FRI = "Fri"
    SAT = "Sat"
    SUN = "Sun"


EVERY_MONTH: Final = frozenset(range(1, 13))
EVERY_DAY: Final = frozenset(Weekday)
WORTH_A_RANGE: Final = 3
"""So many neighbouring days are written as `Mon-Wed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Local time on days of the week; the zone may be unknown to this version of tzdata, and then there is no slot."""

    days: frozenset[Weekday]
    time: time
    """Hours and minutes."""
    time_zone: str

    def text(self) -> str:
        """Render for people, as in `Mon-Fri 02:30 Europe/Berlin`."""
        return f"{days_text(self.days)} {self.time:%H:%M} {self.time_zone}"

    def pattern(self) -> Pattern | None:
        """Return the slots, None in an unknown zone."""
        return _pattern(self)


@lru_cache(maxsize=4_096)
def _pattern(calendar: Calendar) -> Pattern | None:
    zone = zone_named(calendar.time_zone)
    if zone is None:
        return None
    weekdays = frozenset(list(Weekday).index(day) for day in calendar.days)
    return Pattern(
        zone=zone,
        times=(calendar.time.hour * 60 + calendar.time.minute,),
        months=EVERY_MONTH,
        is_on=lambda date: date.weekday() in weekdays,
        follows=Follows.DATE,
    )


def days_text(days: frozenset[Weekday]) -> str:
    """Render days in the order of the week, neighbours as ranges: `Mon-Fri`, `Mon,Wed`, `daily`."""
    if days == EVERY_DAY:
        return "daily"
    week = [(index, day) for index, day in enumerate(Weekday) if day in days]
    stretches = ([day for _, day in stretch] for _, stretch in groupby(enumerate(week), lambda it: it[1][0] - it[0]))
    return ",".join(
        f"{stretch[0][1]}-{stretch[-1][1]}" if len(stretch) >= WORTH_A_RANGE else ",".join(day for _, day in stretch)
        for stretch in stretches
    )
